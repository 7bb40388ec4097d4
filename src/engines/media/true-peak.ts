/** Phases 0 and 1 of the interpolating filter of ITU-R BS.1770-4 annex 2, newest sample last; phases 3 and 2 are their mirrors. */
const PHASE_0 = [
  -0.00830078125, 0.014892578125, -0.026611328125, 0.047607421875, -0.102294921875, 0.97216796875, 0.1373291015625,
  -0.0594482421875, 0.033203125, -0.0196533203125, 0.010986328125, 0.001708984375,
] as const
const PHASE_1 = [
  -0.0189208984375, 0.0330810546875, -0.0582275390625, 0.1015625, -0.2003173828125, 0.77978515625, 0.465087890625,
  -0.16650390625, 0.089111328125, -0.0517578125, 0.029296875, -0.0291748046875,
] as const
const [A0, A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11] = PHASE_0
const [B0, B1, B2, B3, B4, B5, B6, B7, B8, B9, B10, B11] = PHASE_1

/** Samples before the first one that `truePeakAt` reads. */
export const TRUE_PEAK_HISTORY = 11

/**
 * A true peak is looked for only between samples one of which reaches this share of it. A steady tone up to a third of the sample rate
 * never has its peaks between lower ones, and nothing that is heard peaks above that.
 */
export const NEIGHBOUR_SHARE = 0.5

/** The highest magnitude of the four values interpolated between samples `at − 6` and `at − 5`, from samples `at − 11` to `at`. */
export const truePeakAt = (x: Float32Array, at: number): number => {
  const x0 = x[at - 11]!
  const x1 = x[at - 10]!
  const x2 = x[at - 9]!
  const x3 = x[at - 8]!
  const x4 = x[at - 7]!
  const x5 = x[at - 6]!
  const x6 = x[at - 5]!
  const x7 = x[at - 4]!
  const x8 = x[at - 3]!
  const x9 = x[at - 2]!
  const x10 = x[at - 1]!
  const x11 = x[at]!
  const a = Math.abs(
    A0 * x0 +
      A1 * x1 +
      A2 * x2 +
      A3 * x3 +
      A4 * x4 +
      A5 * x5 +
      A6 * x6 +
      A7 * x7 +
      A8 * x8 +
      A9 * x9 +
      A10 * x10 +
      A11 * x11,
  )
  const b = Math.abs(
    B0 * x0 +
      B1 * x1 +
      B2 * x2 +
      B3 * x3 +
      B4 * x4 +
      B5 * x5 +
      B6 * x6 +
      B7 * x7 +
      B8 * x8 +
      B9 * x9 +
      B10 * x10 +
      B11 * x11,
  )
  const c = Math.abs(
    B11 * x0 +
      B10 * x1 +
      B9 * x2 +
      B8 * x3 +
      B7 * x4 +
      B6 * x5 +
      B5 * x6 +
      B4 * x7 +
      B3 * x8 +
      B2 * x9 +
      B1 * x10 +
      B0 * x11,
  )
  const d = Math.abs(
    A11 * x0 +
      A10 * x1 +
      A9 * x2 +
      A8 * x3 +
      A7 * x4 +
      A6 * x5 +
      A5 * x6 +
      A4 * x7 +
      A3 * x8 +
      A2 * x9 +
      A1 * x10 +
      A0 * x11,
  )
  const ab = a > b ? a : b
  const cd = c > d ? c : d
  return ab > cd ? ab : cd
}
