import { SoftwareResampleContext } from 'node-av/lib'
import { AV_SAMPLE_FMT_FLTP } from 'node-av/constants'
import { must } from './ffmpeg-error.ts'
import { MONO } from './mono.ts'

/** Changes the rate of one mono stream. */
export interface Resampler {
  /** What is ready; valid until the next call. */
  process(samples: Float32Array): Float32Array
  /** The rest, so that all in all round(samples in × rate out ÷ rate in) samples were given. */
  finish(): Float32Array
  free(): void
}

const asBuffer = (samples: Float32Array): Buffer => Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)

/** FFmpeg's swresample with its default filter; its delay is made up for. */
export const resampler = (from: number, to: number): Resampler => {
  if (from === to) return { process: (samples) => samples, finish: () => new Float32Array(0), free: () => undefined }
  const swr = new SoftwareResampleContext()
  swr.allocSetOpts2(MONO, AV_SAMPLE_FMT_FLTP, to, MONO, AV_SAMPLE_FMT_FLTP, from)
  must(swr.init(), 'samples', 'resampling')
  let output = new Float32Array(0)
  let taken = 0
  let given = 0
  const convert = (samples: Float32Array | null): Float32Array => {
    const room = Math.ceil(((samples?.length ?? 0) * to) / from) + 4096
    if (output.length < room) output = new Float32Array(room)
    const got = must(
      swr.convertSync([asBuffer(output)], room, samples && [asBuffer(samples)], samples?.length ?? 0),
      'samples',
      'resampling',
    )
    return output.subarray(0, got)
  }
  return {
    process(samples) {
      taken += samples.length
      const out = convert(samples)
      given += out.length
      return out
    },
    finish() {
      const wanted = Math.max(0, Math.round((taken * to) / from) - given)
      const rest = new Float32Array(wanted)
      for (let filled = 0; filled < wanted; ) {
        const out = convert(null)
        if (out.length === 0) break
        rest.set(out.subarray(0, wanted - filled), filled)
        filled += out.length
      }
      return rest
    },
    free: () => swr.free(),
  }
}
