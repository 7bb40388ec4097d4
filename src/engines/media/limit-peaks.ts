import { TRUE_PEAK_BOUND, TRUE_PEAK_HISTORY, truePeakAt } from './true-peak.ts'

/** A brick wall for peaks that looks ahead. Takes blocks of any length and gives back as many samples, late by its look-ahead. */
export interface Limiter {
  /** Samples by which the output is late. */
  readonly delay: number
  /** The result is valid until the next call. */
  process(samples: Float32Array): Float32Array
}

const LOOK_AHEAD_SECONDS = 0.004
const RELEASE_SECONDS = 0.08
/** Interpolated peaks belong up to this many samples before the sample that completes them. */
const INTERPOLATION_DELAY = 6
const CHUNK = 64

/**
 * Keeps every sample, and every true peak that BS.1770-4's interpolator sees, at or below `ceiling` (linear). The gain a peak needs is held over the look-ahead
 * (sliding minimum), released exponentially and smoothed by a moving average no longer than the hold, so that it is always low enough in time.
 * Audio below the ceiling passes untouched.
 */
export const limiter = (sampleRate: number, ceiling: number): Limiter => {
  const smoothing = Math.round(LOOK_AHEAD_SECONDS * sampleRate)
  const delay = smoothing - 1 + INTERPOLATION_DELAY
  const lead = Math.max(delay, TRUE_PEAK_HISTORY)
  const release = 1 - Math.exp(-1 / (RELEASE_SECONDS * sampleRate))
  const heldUntil = delay + 1
  let input = new Float32Array(lead)
  let output = new Float32Array(0)

  // Sliding minimum of the needed gain as a monotonic queue of (value, index) in rings.
  const ring = heldUntil + 1
  const values = new Float64Array(ring)
  const indices = new Float64Array(ring)
  let first = 0
  let size = 0
  let clock = 0
  let gain = 1
  const recent = new Float64Array(smoothing).fill(1)
  let recentAt = 0
  let recentSum = smoothing
  /** How long the gain has been 1. */
  let calm = Infinity

  const isCalm = (x: Float32Array, from: number, to: number): boolean => {
    if (calm < smoothing || size > 0) return false
    let high = 0
    for (let i = from - TRUE_PEAK_HISTORY; i < to; i++) {
      const magnitude = Math.abs(x[i]!)
      if (magnitude > high) high = magnitude
    }
    if (high * TRUE_PEAK_BOUND <= ceiling) return true
    if (high > ceiling) return false
    for (let i = from; i < to; i++) if (truePeakAt(x, i) > ceiling) return false
    return true
  }

  const limit = (x: Float32Array, i: number): number => {
    const level = Math.max(Math.abs(x[i]!), truePeakAt(x, i))
    clock++
    if (level > ceiling) {
      const needed = ceiling / level
      while (size > 0 && values[(first + size - 1) % ring]! >= needed) size--
      const last = (first + size) % ring
      values[last] = needed
      indices[last] = clock
      size++
    }
    if (size > 0 && indices[first]! <= clock - heldUntil) {
      first = (first + 1) % ring
      size--
    }
    const wanted = size > 0 ? values[first]! : 1
    gain += (1 - gain) * release
    if (gain > 1 - 1e-5) gain = 1
    if (wanted < gain) gain = wanted
    recentSum += gain - recent[recentAt]!
    recent[recentAt] = gain
    recentAt = recentAt + 1 === smoothing ? 0 : recentAt + 1
    calm = gain === 1 ? calm + 1 : 0
    if (calm === smoothing) recentSum = smoothing
    const value = x[i - delay]! * (recentSum / smoothing)
    // Only rounding can pass the wall.
    return value > ceiling ? ceiling : value < -ceiling ? -ceiling : value
  }

  return {
    delay,
    process(samples) {
      const length = samples.length
      if (input.length < lead + length) {
        const longer = new Float32Array(lead + length)
        longer.set(input.subarray(0, lead))
        input = longer
      }
      if (output.length < length) output = new Float32Array(length)
      input.set(samples, lead)
      for (let from = lead; from < lead + length; from += CHUNK) {
        const to = Math.min(lead + length, from + CHUNK)
        if (isCalm(input, from, to)) output.set(input.subarray(from - delay, to - delay), from - lead)
        else for (let i = from; i < to; i++) output[i - lead] = limit(input, i)
      }
      input.copyWithin(0, length, length + lead)
      return output.subarray(0, length)
    },
  }
}
