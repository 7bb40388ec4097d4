import { NEIGHBOUR_SHARE, TRUE_PEAK_HISTORY, truePeakAt } from './true-peak.ts'

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
  const worthwhile = ceiling * NEIGHBOUR_SHARE
  let input = new Float32Array(lead)
  let output = new Float32Array(0)

  // Sliding minimum of the needed gain as a monotonic queue of (value, index) in rings of a power of two.
  const mask = 2 ** Math.ceil(Math.log2(heldUntil + 1)) - 1
  const values = new Float64Array(mask + 1)
  const indices = new Float64Array(mask + 1)
  let first = 0
  let size = 0
  let clock = 0
  let gain = 1
  const recent = new Float64Array(smoothing).fill(1)
  let recentAt = 0
  let recentSum = smoothing
  /** How long the gain has been 1. */
  let calm = Infinity

  const hasPeak = (x: Float32Array, from: number, to: number): boolean => {
    for (let i = from; i < to; i++) if (levelAt(x, i, worthwhile) > ceiling) return true
    return false
  }

  const hold = (level: number): number => {
    clock++
    if (level > ceiling) {
      const needed = ceiling / level
      while (size > 0 && values[(first + size - 1) & mask]! >= needed) size--
      const last = (first + size) & mask
      values[last] = needed
      indices[last] = clock
      size++
    }
    if (size > 0 && indices[first]! <= clock - heldUntil) {
      first = (first + 1) & mask
      size--
    }
    return size > 0 ? values[first]! : 1
  }

  /** Limits samples from..to of the input into the output. */
  const limit = (x: Float32Array, from: number, to: number) => {
    const isQuiet = !hasPeak(x, from, to)
    if (isQuiet && size === 0 && calm >= smoothing) {
      output.set(x.subarray(from - delay, to - delay), from - lead)
      return
    }
    // Locals, because numbers that closures change are boxed.
    let current = gain
    let sum = recentSum
    let at = recentAt
    let ones = calm
    for (let i = from; i < to; i++) {
      const wanted = isQuiet && size === 0 ? 1 : hold(isQuiet ? 0 : levelAt(x, i, worthwhile))
      current += (1 - current) * release
      if (current > 1 - 1e-5) current = 1
      if (wanted < current) current = wanted
      sum += current - recent[at]!
      recent[at] = current
      at = at + 1 === smoothing ? 0 : at + 1
      ones = current === 1 ? ones + 1 : 0
      if (ones === smoothing) sum = smoothing
      const value = (x[i - delay]! * sum) / smoothing
      // Only rounding can pass the wall.
      output[i - lead] = value > ceiling ? ceiling : value < -ceiling ? -ceiling : value
    }
    gain = current
    recentSum = sum
    recentAt = at
    calm = ones
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
        limit(input, from, to)
      }
      input.copyWithin(0, length, length + lead)
      return output.subarray(0, length)
    },
  }
}

/** The higher of the sample's magnitude and of the true peak that it completes, which is looked at only where a neighbour is `worthwhile`. */
const levelAt = (x: Float32Array, i: number, worthwhile: number): number => {
  const magnitude = Math.abs(x[i]!)
  if (Math.abs(x[i - 6]!) <= worthwhile && Math.abs(x[i - 5]!) <= worthwhile) return magnitude
  return Math.max(magnitude, truePeakAt(x, i))
}
