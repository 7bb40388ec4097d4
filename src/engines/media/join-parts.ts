import type { RenderPart } from './media.ts'
import { type AudioSource, openAudio } from './open-audio.ts'
import { Problem } from '../../kit/errors.ts'

/** A stretch of mono samples at a part's own rate. Valid until the next one is asked for. */
export interface JoinedBlock {
  sampleRate: number
  samples: Float32Array
}

export interface JoinOptions {
  parts: RenderPart[]
  head: number
  tail: number
  /** Seconds of fade at both ends of each part, against clicks. */
  fade: number
  /** Told where each part lies, in seconds from the start, as it is passed. */
  onPart?: (part: { from: number; to: number }) => void
}

/** Rate of the silence when there is no part to take it from. */
const DEFAULT_RATE = 44_100
const SILENCE = 1 << 14

/**
 * The parts of a chapter one after the other, mixed to mono, with silence at the head, in the gaps and at the tail. Neighbours of one rate
 * follow each other without a seam; silence takes the rate of the part before it.
 */
export function* joinParts({ parts, head, tail, fade, onPart }: JoinOptions): Generator<JoinedBlock> {
  let seconds = 0
  let sampleRate = 0
  const silence = new Float32Array(SILENCE)
  let owed = head
  function* paySilence(rate: number): Generator<JoinedBlock> {
    const count = Math.round(owed * rate)
    for (let left = count; left > 0; left -= SILENCE) {
      silence.fill(0)
      yield { sampleRate: rate, samples: silence.subarray(0, Math.min(left, SILENCE)) }
    }
    seconds += count / rate
    owed = 0
  }
  for (const part of parts) {
    const source = openAudio(part.file)
    try {
      sampleRate = source.sampleRate
      if (owed > 0) yield* paySilence(sampleRate)
      const from = seconds
      for (const samples of fadedMono(source, 10 ** ((part.gain ?? 0) / 20), Math.round(fade * sampleRate))) {
        yield { sampleRate, samples }
        seconds += samples.length / sampleRate
      }
      onPart?.({ from, to: seconds })
    } finally {
      source.close()
    }
    if (!(part.gapAfter >= 0))
      throw new Problem(400, 'invalid_gap', `The gap after ${part.file} is not a number of seconds.`)
    owed += part.gapAfter
    if (part !== parts.at(-1)) yield* paySilence(sampleRate)
  }
  owed += tail
  yield* paySilence(sampleRate || DEFAULT_RATE)
}

/** Mixes to mono, applies the gain, and fades both ends. Holds back as much as the fade needs. */
function* fadedMono(source: AudioSource, gain: number, fade: number): Generator<Float32Array> {
  let position = 0
  let held = new Float32Array(0)
  for (;;) {
    const planes = source.read()
    if (!planes) break
    const count = planes[0]!.length
    const joined = new Float32Array(held.length + count)
    joined.set(held)
    mixDown(planes, gain, joined.subarray(held.length))
    for (let i = held.length; i < joined.length && position < fade; i++, position++)
      joined[i]! *= (position + 0.5) / fade
    const ready = Math.max(0, joined.length - fade)
    held = joined.slice(ready)
    if (ready > 0) yield joined.subarray(0, ready)
  }
  for (let i = 0; i < held.length; i++) held[i]! *= Math.min(1, (held.length - i - 0.5) / fade)
  if (held.length > 0) yield held
}

const mixDown = (planes: Float32Array[], gain: number, into: Float32Array): void => {
  const [first] = planes
  const scale = gain / planes.length
  for (let i = 0; i < into.length; i++) into[i] = first![i]! * scale
  for (const plane of planes.slice(1)) for (let i = 0; i < into.length; i++) into[i]! += plane[i]! * scale
}
