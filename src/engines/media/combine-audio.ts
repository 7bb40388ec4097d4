import type { MeasuredAudio } from './media.ts'

/**
 * What would be measured of pieces that follow each other, from what was measured of each: RMS by energy, loudness by power over time, peaks by the highest, noise floor by the lowest.
 * Within 0.3 dB of a measurement of the whole where pieces are cut in pauses; a window over a cut is not seen.
 */
export const combineAudio = (pieces: MeasuredAudio[]): MeasuredAudio => {
  const duration = sum(pieces.map((piece) => piece.duration))
  const meanOf = (level: (piece: MeasuredAudio) => number, length: number) =>
    10 * Math.log10(sum(pieces.map((piece) => 10 ** (level(piece) / 10) * piece.duration)) / length)
  const loud = sum(pieces.filter(({ levels }) => Number.isFinite(levels.loudness)).map((piece) => piece.duration))
  return {
    duration,
    levels: {
      rms: meanOf(({ levels }) => levels.rms, duration),
      peak: Math.max(...pieces.map(({ levels }) => levels.peak)),
      truePeak: Math.max(...pieces.map(({ levels }) => levels.truePeak)),
      loudness: loud > 0 ? meanOf(({ levels }) => levels.loudness, loud) : -Infinity,
      noiseFloor: Math.min(...pieces.map(({ levels }) => levels.noiseFloor)),
    },
    clipped: sum(pieces.map(({ clipped }) => clipped)),
    head: edge(pieces, ({ head }) => head),
    tail: edge(pieces.toReversed(), ({ tail }) => tail),
    damaged: sum(pieces.map(({ damaged }) => damaged)),
  }
}

/** Silence at one end, over pieces that are nothing else. */
const edge = (pieces: MeasuredAudio[], silence: (piece: MeasuredAudio) => number): number => {
  let seconds = 0
  for (const piece of pieces) {
    seconds += silence(piece)
    if (silence(piece) < piece.duration) break
  }
  return seconds
}

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)
