import type { PartPower, ProcessingChain } from './media.ts'
import { PROCESSING_CHAINS } from './processing-chains.ts'

export interface MeasuredPart extends PartPower {
  seconds: number
  /** Seconds. */
  gapAfter: number
}

/** dB. Beyond it quiet audio is noise that nobody wants louder. */
const LIMIT = 40
/** dB. So coarse that a changed line seldom changes what is around it, and too fine to be heard. */
const STEP = 0.25
/** LU below the mean at which ITU-R BS.1770-4 leaves a passage out. */
const RELATIVE_GATE = 10

/**
 * The gain (dB) that brings parts to a chain's target, from what was measured of each: RMS over the whole length, silence included, or the mean of gated loudness
 * weighted by length. No sample is read.
 */
export const chooseGain = (
  name: ProcessingChain,
  parts: MeasuredPart[],
  { head, tail }: { head: number; tail: number },
): number => {
  const chain = PROCESSING_CHAINS[name]
  if (!chain) return 0
  const level = chain.target.measure === 'rms' ? rmsOf(parts, head + tail) : loudnessOf(parts)
  if (!Number.isFinite(level)) return 0
  return Math.min(LIMIT, Math.round((chain.target.level - level) / STEP) * STEP)
}

const rmsOf = (parts: MeasuredPart[], silence: number): number => {
  const energy = parts.reduce((sum, { power, seconds }) => sum + power * seconds, 0)
  const length = parts.reduce((sum, { seconds, gapAfter }) => sum + seconds + gapAfter, silence)
  return 10 * Math.log10(energy / length)
}

const loudnessOf = (parts: MeasuredPart[]): number => {
  const gate = meanPower(parts) / 10 ** (RELATIVE_GATE / 10)
  return -0.691 + 10 * Math.log10(meanPower(parts.filter(({ weighted }) => weighted > gate)))
}

const meanPower = (parts: MeasuredPart[]): number =>
  parts.reduce((sum, { weighted, seconds }) => sum + weighted * seconds, 0) /
  parts.reduce((sum, { seconds }) => sum + seconds, 0)
