import { kWeighting } from './filter-coefficients.ts'
import { integratedLoudness } from './integrated-loudness.ts'
import type { Levels } from './media.ts'
import { NEIGHBOUR_SHARE, TRUE_PEAK_HISTORY, truePeakAt } from './true-peak.ts'

/** One pass over samples that gives every level a delivery asks for. */
export interface LevelsMeter {
  /** One array a channel, of equal lengths. */
  add(planes: Float32Array[]): void
  /** Plain and K-weighted energy of each 50 ms, in order; the last part of a cell is left out. */
  readonly cells: { plain: number[]; weighted: number[] }
  /** Samples at or beyond full scale. */
  readonly clipped: number
  /** Samples a channel. */
  readonly count: number
  result(): Levels
}

const CELL_SECONDS = 0.05
const WINDOW_CELLS = 10
/** The largest 16-bit value: what converters make of everything above. */
const CLIPPED = 32767 / 32768

export const decibels = (amplitude: number): number => 20 * Math.log10(amplitude)

/** ITU-R BS.1770-4 loudness and (unless told otherwise) true peak, RMS, sample peak and noise floor of one stream. */
export const levelsMeter = (sampleRate: number, channels: number, { withTruePeak = true } = {}): LevelsMeter => {
  const cellLength = Math.round(CELL_SECONDS * sampleRate)
  const [shelf, high] = kWeighting(sampleRate)
  const weights = Array.from({ length: channels }, (_, channel) => channelWeight(channel, channels))
  const states = weights.map(() => ({ filter: new Float64Array(4), history: new Float32Array(TRUE_PEAK_HISTORY) }))
  const plain: number[] = []
  const weighted: number[] = []
  let scratch = new Float32Array(0)
  let cellFill = 0
  let cellPlain = 0
  let cellWeighted = 0
  let energy = 0
  let peak = 0
  let truePeak = 0
  let clipped = 0
  let count = 0

  /** Adds samples from..to of one channel, all within one cell. */
  const addRun = (x: Float32Array, from: number, to: number, state: Float64Array, weight: number) => {
    let [s1, s2, t1, t2] = state as unknown as [number, number, number, number]
    let sum = 0
    let sumWeighted = 0
    let high1 = 0
    for (let i = from; i < to; i++) {
      const value = x[i]!
      const magnitude = value < 0 ? -value : value
      if (magnitude > high1) high1 = magnitude
      if (magnitude >= CLIPPED) clipped++
      sum += value * value
      const y = shelf.b0 * value + s1
      s1 = shelf.b1 * value - shelf.a1 * y + s2
      s2 = shelf.b2 * value - shelf.a2 * y
      const z = y + t1
      t1 = -2 * y - high.a1 * z + t2
      t2 = y - high.a2 * z
      sumWeighted += z * z
    }
    // A filter's memory of digital silence would decay into denormal numbers.
    state[0] = Math.abs(s1) < 1e-30 ? 0 : s1
    state[1] = Math.abs(s2) < 1e-30 ? 0 : s2
    state[2] = Math.abs(t1) < 1e-30 ? 0 : t1
    state[3] = Math.abs(t2) < 1e-30 ? 0 : t2
    if (high1 > peak) peak = high1
    cellPlain += sum
    cellWeighted += weight * sumWeighted
  }

  const scanTruePeak = (plane: Float32Array, history: Float32Array) => {
    const length = plane.length
    if (scratch.length < length + TRUE_PEAK_HISTORY) scratch = new Float32Array(length + TRUE_PEAK_HISTORY)
    scratch.set(history)
    scratch.set(plane, TRUE_PEAK_HISTORY)
    truePeak = highestTruePeak(scratch, TRUE_PEAK_HISTORY, TRUE_PEAK_HISTORY + length, truePeak)
    history.set(scratch.subarray(length, length + TRUE_PEAK_HISTORY))
  }

  return {
    add(planes) {
      const length = planes[0]?.length ?? 0
      for (let from = 0; from < length; ) {
        const to = Math.min(length, from + cellLength - cellFill)
        for (let channel = 0; channel < channels; channel++)
          addRun(planes[channel]!, from, to, states[channel]!.filter, weights[channel]!)
        cellFill += to - from
        from = to
        if (cellFill < cellLength) break
        plain.push(cellPlain)
        weighted.push(cellWeighted)
        energy += cellPlain
        cellFill = cellPlain = cellWeighted = 0
      }
      if (withTruePeak)
        for (let channel = 0; channel < channels; channel++) scanTruePeak(planes[channel]!, states[channel]!.history)
      count += length
    },
    cells: { plain, weighted },
    get clipped() {
      return clipped
    },
    get count() {
      return count
    },
    result: () => ({
      rms: count > 0 ? decibels(Math.sqrt((energy + cellPlain) / (count * channels))) : -Infinity,
      peak: decibels(peak),
      truePeak: decibels(Math.max(peak, truePeak)),
      loudness: integratedLoudness(weighted, cellLength),
      noiseFloor: quietestWindow(plain, cellLength * channels),
    }),
  }
}

/** The highest interpolated magnitude that ends in samples from..to, or `known` when none is above. */
const highestTruePeak = (x: Float32Array, from: number, to: number, known: number): number => {
  let truePeak = known
  let worthwhile = known * NEIGHBOUR_SHARE
  for (let i = from; i < to; i++) {
    // Each sample is the left neighbour once and the right one once; either may be the high one.
    const left = x[i - 6]!
    const right = x[i - 5]!
    if (left <= worthwhile && left >= -worthwhile && right <= worthwhile && right >= -worthwhile) continue
    const value = truePeakAt(x, i)
    if (value > truePeak) {
      truePeak = value
      worthwhile = value * NEIGHBOUR_SHARE
    }
  }
  return truePeak
}

/** dBFS RMS of the quietest 500 ms, in steps of 50 ms; of all there is when that is shorter. */
const quietestWindow = (cells: number[], samplesPerCell: number): number => {
  const size = Math.min(WINDOW_CELLS, cells.length)
  if (size === 0) return -Infinity
  let lowest = Infinity
  for (let i = 0; i + size <= cells.length; i++) {
    let sum = 0
    for (let j = i; j < i + size; j++) sum += cells[j]!
    if (sum < lowest) lowest = sum
  }
  return decibels(Math.sqrt(lowest / (size * samplesPerCell)))
}

/** BS.1770-4 table 3, for FFmpeg's channel order: the fourth of six or more is the bass channel, which doesn't count; those after it surround. */
const channelWeight = (channel: number, channels: number): number => {
  if (channel < 3) return 1
  if (channels >= 6 && channel === 3) return 0
  return 1.41
}
