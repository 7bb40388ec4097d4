const BLOCK_CELLS = 8
const STEP_CELLS = 2

const loudness = (power: number): number => -0.691 + 10 * Math.log10(power)

/**
 * Integrated loudness in LUFS from K-weighted energies of 50 ms cells: 400 ms blocks, 75 % overlap, gated at −70 LUFS and then at 10 LU
 * below the mean (ITU-R BS.1770-4 annex 1). −Infinity when nothing passes the gate.
 */
export const integratedLoudness = (cells: readonly number[], samplesPerCell: number): number => {
  const blocks: number[] = []
  for (let i = 0; i + BLOCK_CELLS <= cells.length; i += STEP_CELLS) {
    let sum = 0
    for (let j = i; j < i + BLOCK_CELLS; j++) sum += cells[j]!
    const power = sum / (BLOCK_CELLS * samplesPerCell)
    if (loudness(power) > -70) blocks.push(power)
  }
  if (blocks.length === 0) return -Infinity
  const gate = loudness(mean(blocks)) - 10
  return loudness(mean(blocks.filter((power) => loudness(power) > gate)))
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
