import { Problem } from '../../kit/errors.ts'
import { highPass } from './filter-coefficients.ts'
import { sampleFilter } from './filter-samples.ts'
import { joinParts } from './join-parts.ts'
import { limiter } from './limit-peaks.ts'
import { measureGain } from './measure-joined.ts'
import { levelsMeter } from './measure-levels.ts'
import { FRAME_SAMPLES } from './m4b-movie.ts'
import { measureAudio } from './measure-audio.ts'
import type { MeasuredAudio, RenderRequest, RenderResult } from './media.ts'
import { MASTER_RATE } from './mono.ts'
import { PROCESSING_CHAINS } from './processing-chains.ts'
import { resampler, type Resampler } from './resample.ts'
import { makeRoomTone } from './room-tone.ts'
import { openOutput } from './write-output.ts'

/** Blocks between two looks at the event loop, where a parent's end is noticed. */
const BLOCKS_BETWEEN_PAUSES = 16

/**
 * Masters a chapter, or a block of one: one pass over the parts makes the samples, measures them and encodes every output from them. Another measures the gain first where none is given.
 * Memory does not grow with the chapter.
 */
export const renderChapter = async (request: RenderRequest, pause: () => Promise<void>): Promise<RenderResult> => {
  const chain = PROCESSING_CHAINS[request.chain]
  const gain = !chain ? 1 : request.gain === undefined ? measureGain(request, chain) : 10 ** (request.gain / 20)
  await pause()
  const parts: RenderResult['parts'] = []
  const meter = request.measureEncoded ? null : levelsMeter(MASTER_RATE, 1)
  let count = 0
  const outputs = request.outputs.map(openOutput)
  const emit = (samples: Float32Array) => {
    meter?.add([samples])
    count += samples.length
    for (const output of outputs) output.write(samples)
  }
  const master = chain
    ? masterSamples(chain.roomTone, chain.ceiling, emit)
    : { process: emit, finish: () => undefined, held: 0 }
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
    // What the limiter still holds back counts too.
    if (request.wholeFrames) master.process(new Float32Array(missingOfFrame(count + master.held)))
    master.finish()
    for (const output of outputs) output.finish()
  } finally {
    change?.free()
    for (const output of outputs) output.discard()
  }
  const duration = count / MASTER_RATE
  if (meter) return { duration, parts, measured: meter.result() }
  const encoded = await measureEncoded(request, pause)
  return { duration, parts, measured: encoded.levels, encoded }
}

const missingOfFrame = (samples: number): number => (FRAME_SAMPLES - (samples % FRAME_SAMPLES)) % FRAME_SAMPLES

const measureEncoded = (request: RenderRequest, pause: () => Promise<void>): Promise<MeasuredAudio> => {
  const aac = request.outputs.find(({ format }) => format === 'aac')
  if (!aac) throw new Problem(400, 'no_output', 'There is no AAC output to measure.')
  return measureAudio(aac.file, pause, FRAME_SAMPLES)
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
    held: limit.delay,
    finish: () => pass(new Float32Array(limit.delay)),
  }
}
