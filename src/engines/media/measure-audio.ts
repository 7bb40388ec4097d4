import { unreadable } from './ffmpeg-error.ts'
import { decodeAudio } from './decode-audio.ts'
import { levelsMeter } from './measure-levels.ts'
import type { MeasuredAudio } from './media.ts'

/** dBFS RMS of 10 ms above which somebody speaks. */
const SPEECH = -50
const SPEECH_SECONDS = 0.01
/** Longer than any book; a small file can claim to be years. */
const HOURS_LIMIT = 200
const BLOCKS_BETWEEN_PAUSES = 256

/** Decodes a whole file and measures it. `skip`: samples at its start that are not heard, such as an encoder's priming. */
export const measureAudio = async (file: string, pause: () => Promise<void>, skip = 0): Promise<MeasuredAudio> => {
  const source = decodeAudio(file)
  const { sampleRate, channels } = source
  const meter = levelsMeter(sampleRate, channels)
  const speech = speechBounds(sampleRate, channels)
  let unheard = skip
  try {
    for (let blocks = 1; ; blocks++) {
      const decoded = source.read()
      if (!decoded) break
      const skipped = Math.min(unheard, decoded[0]!.length)
      unheard -= skipped
      const planes = skipped > 0 ? decoded.map((plane) => plane.subarray(skipped)) : decoded
      meter.add(planes)
      speech.add(planes)
      if (meter.count > HOURS_LIMIT * 3600 * sampleRate)
        throw unreadable(file, `it is longer than ${HOURS_LIMIT} hours`)
      if (blocks % BLOCKS_BETWEEN_PAUSES === 0) await pause()
    }
  } finally {
    source.close()
  }
  if (meter.count === 0) throw unreadable(file, 'nothing of it can be decoded')
  const duration = meter.count / sampleRate
  return {
    duration,
    levels: meter.result(),
    clipped: meter.clipped,
    head: speech.first < 0 ? duration : speech.first / sampleRate,
    tail: speech.first < 0 ? duration : duration - speech.last / sampleRate,
    damaged: source.damaged,
  }
}

/** First and last sample of what is loud enough to be speech. */
const speechBounds = (sampleRate: number, channels: number) => {
  const cell = Math.round(SPEECH_SECONDS * sampleRate)
  const threshold = 10 ** (SPEECH / 10) * cell * channels
  let fill = 0
  let energy = 0
  let position = 0
  const bounds = {
    first: -1,
    last: -1,
    add(planes: Float32Array[]) {
      const length = planes[0]!.length
      for (let from = 0; from < length; ) {
        const to = Math.min(length, from + cell - fill)
        let sum = 0
        for (const plane of planes) for (let i = from; i < to; i++) sum += plane[i]! * plane[i]!
        energy += sum
        fill += to - from
        position += to - from
        from = to
        if (fill < cell) break
        if (energy > threshold) {
          if (bounds.first < 0) bounds.first = position - cell
          bounds.last = position
        }
        fill = energy = 0
      }
    },
  }
  return bounds
}
