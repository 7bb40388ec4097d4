import { highPass } from './filter-coefficients.ts'
import { sampleFilter } from './filter-samples.ts'
import { joinParts } from './join-parts.ts'
import { limiter } from './limit-peaks.ts'
import { measureGain } from './measure-joined.ts'
import { levelsMeter } from './measure-levels.ts'
import type { RenderRequest, RenderResult } from './media.ts'
import { MASTER_RATE } from './mono.ts'
import { PROCESSING_CHAINS } from './processing-chains.ts'
import { resampler, type Resampler } from './resample.ts'
import { makeRoomTone } from './room-tone.ts'
import { openOutput } from './write-output.ts'

/** Blocks between two looks at the event loop, where a parent's end is noticed. */
const BLOCKS_BETWEEN_PAUSES = 16

/**
 * Masters a chapter in two passes: one over the parts measures the gain, one makes the samples, measures them and encodes every output from them.
 * Memory does not grow with the chapter.
 */
export const renderChapter = async (request: RenderRequest, pause: () => Promise<void>): Promise<RenderResult> => {
  const chain = PROCESSING_CHAINS[request.chain]
  const gain = chain ? measureGain(request, chain) : 1
  await pause()
  const parts: RenderResult['parts'] = []
  const meter = levelsMeter(MASTER_RATE, 1)
  const outputs = request.outputs.map(openOutput)
  const emit = (samples: Float32Array) => {
    meter.add([samples])
    for (const output of outputs) output.write(samples)
  }
  const master = chain ? masterSamples(chain.roomTone, chain.ceiling, emit) : { process: emit, finish: () => undefined }
  let rate = 0
  let change: Resampler | null = null
  let filter: (samples: Float32Array) => void = () => undefined
  let blocks = 0
  try {
    for (const { sampleRate, samples } of joinParts({
      ...request,
      fade: chain?.fade ?? 0,
      onPart: (part) => parts.push(part),
    })) {
      if (sampleRate !== rate) {
        if (change) master.process(change.finish())
        change?.free()
        rate = sampleRate
        change = resampler(rate, MASTER_RATE)
        if (chain) filter = sampleFilter(highPass(chain.highPass, rate), gain)
      }
      filter(samples)
      master.process(change!.process(samples))
      if (++blocks % BLOCKS_BETWEEN_PAUSES === 0) await pause()
    }
    if (change) master.process(change.finish())
    master.finish()
    for (const output of outputs) output.finish()
  } finally {
    change?.free()
    for (const output of outputs) output.discard()
  }
  return { duration: meter.count / MASTER_RATE, parts, measured: meter.result() }
}

let roomTone: { level: number; tone: Float32Array } | null = null

/** Adds room tone and limits. What goes in comes out, no sample more or less. */
const masterSamples = (toneLevel: number, ceiling: number, emit: (samples: Float32Array) => void) => {
  if (roomTone?.level !== toneLevel) roomTone = { level: toneLevel, tone: makeRoomTone(MASTER_RATE, toneLevel) }
  const { tone } = roomTone
  const limit = limiter(MASTER_RATE, 10 ** (ceiling / 20))
  let toneAt = 0
  let late = limit.delay
  const pass = (samples: Float32Array) => {
    const out = limit.process(samples)
    const skipped = Math.min(late, out.length)
    late -= skipped
    if (out.length > skipped) emit(out.subarray(skipped))
  }
  return {
    process(samples: Float32Array) {
      for (let from = 0; from < samples.length; ) {
        const to = Math.min(samples.length, from + tone.length - toneAt)
        const shift = toneAt - from
        for (let i = from; i < to; i++) samples[i]! += tone[i + shift]!
        toneAt = (to + shift) % tone.length
        from = to
      }
      if (samples.length > 0) pass(samples)
    },
    finish: () => pass(new Float32Array(limit.delay)),
  }
}
