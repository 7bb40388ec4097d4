import { highPass } from './filter-coefficients.ts'
import { sampleFilter } from './filter-samples.ts'
import { integratedLoudness } from './integrated-loudness.ts'
import { joinParts } from './join-parts.ts'
import { levelsMeter, type LevelsMeter } from './measure-levels.ts'
import type { RenderRequest } from './media.ts'
import type { ChainSettings } from './processing-chains.ts'

/** Beyond this quiet audio is noise that nobody wants louder. */
const GAIN_LIMIT = 10 ** (40 / 20)
/** Cells of every rate are scaled to this many samples, so that stretches of different rates add up. */
const CELL = 1

/** The gain (linear) that brings the joined, high-passed parts to the chain's target. A first pass over the parts at their own rates. */
export const measureGain = (request: RenderRequest, chain: ChainSettings): number => {
  const cells = { plain: [] as number[], weighted: [] as number[] }
  let meter: LevelsMeter | null = null
  let filter: (samples: Float32Array) => void = () => undefined
  let rate = 0
  let seconds = 0
  const closeMeter = () => {
    const length = Math.round(rate * 0.05)
    for (const key of ['plain', 'weighted'] as const)
      for (const energy of meter?.cells[key] ?? []) cells[key].push(energy / length)
  }
  for (const { sampleRate, samples } of joinParts({ ...request, fade: chain.fade })) {
    if (sampleRate !== rate) {
      closeMeter()
      rate = sampleRate
      meter = levelsMeter(rate, 1, { withTruePeak: false })
      filter = sampleFilter(highPass(chain.highPass, rate))
    }
    filter(samples)
    meter!.add([samples])
    seconds += samples.length / sampleRate
  }
  closeMeter()
  if (seconds === 0 || cells.plain.length === 0) return 1
  const power = cells.plain.reduce((sum, energy) => sum + energy, 0) / cells.plain.length
  const level = chain.target.measure === 'rms' ? 10 * Math.log10(power) : integratedLoudness(cells.weighted, CELL)
  if (!Number.isFinite(level)) return 1
  return Math.min(GAIN_LIMIT, 10 ** ((chain.target.level - level) / 20))
}
