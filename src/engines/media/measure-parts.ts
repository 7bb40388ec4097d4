import { Problem } from '../../kit/errors.ts'
import { highPass } from './filter-coefficients.ts'
import { sampleFilter } from './filter-samples.ts'
import { joinParts } from './join-parts.ts'
import { levelsMeter } from './measure-levels.ts'
import type { PartPower } from './media.ts'

/** Hz; what both chains that set a level cut. */
const RUMBLE = 80
const DIGITS = 6

/** The power of each file by itself; null where it cannot be read. */
export const measureParts = async (files: string[], pause: () => Promise<void>): Promise<(PartPower | null)[]> => {
  const powers: (PartPower | null)[] = []
  for (const file of files) {
    powers.push(powerOf(file))
    await pause()
  }
  return powers
}

const powerOf = (file: string): PartPower | null => {
  try {
    let meter: ReturnType<typeof levelsMeter> | null = null
    let filter: (samples: Float32Array) => void = () => undefined
    for (const { sampleRate, samples } of joinParts({ parts: [{ file, gapAfter: 0 }], head: 0, tail: 0, fade: 0 })) {
      meter ??= levelsMeter(sampleRate, 1, { withTruePeak: false })
      if (meter.count === 0) filter = sampleFilter(highPass(RUMBLE, sampleRate))
      filter(samples)
      meter.add([samples])
    }
    if (!meter) return null
    const { rms, loudness } = meter.result()
    const power = 10 ** (rms / 10)
    // Shorter than a gating block: all of it counts.
    const weighted = Number.isFinite(loudness) ? 10 ** ((loudness + 0.691) / 10) : power
    return { power: Number(power.toPrecision(DIGITS)), weighted: Number(weighted.toPrecision(DIGITS)) }
  } catch (error) {
    if (error instanceof Problem && error.type === 'unreadable_audio') return null
    throw error
  }
}
