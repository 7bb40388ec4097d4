import type { Biquad } from './filter-coefficients.ts'

/** Below this a filter's memory is silence; left alone it would decay into denormal numbers, which are a hundred times slower. */
const NOTHING = 1e-30

/** A filter with a gain (linear) that keeps its memory from block to block and works in place. */
export const sampleFilter = (section: Biquad, gain = 1): ((samples: Float32Array) => void) => {
  const { a1, a2 } = section
  const b0 = section.b0 * gain
  const b1 = section.b1 * gain
  const b2 = section.b2 * gain
  let s1 = 0
  let s2 = 0
  return (samples) => {
    let u1 = s1
    let u2 = s2
    for (let i = 0; i < samples.length; i++) {
      const x = samples[i]!
      const y = b0 * x + u1
      u1 = b1 * x - a1 * y + u2
      u2 = b2 * x - a2 * y
      samples[i] = y
    }
    s1 = Math.abs(u1) < NOTHING ? 0 : u1
    s2 = Math.abs(u2) < NOTHING ? 0 : u2
  }
}
