import type { ProcessingChain } from './media.ts'

/** What a chain does to joined parts. Levels in dB against full scale. */
export interface ChainSettings {
  /** Hz; rumble below it is cut. */
  highPass: number
  /** What is brought to which level before limiting. */
  target: { measure: 'rms' | 'loudness'; level: number }
  /** True peak. Lower than the delivery's limit by what lossy encoders overshoot. */
  ceiling: number
  /** dBFS RMS of the air under everything. */
  roomTone: number
  /** Seconds of fade at both ends of each part. */
  fade: number
}

/**
 * audiobook_standard lands near the middle of ACX's window (RMS −23…−18 dB, peak ≤ −3 dB, noise floor ≤ −60 dB), once limiting has taken its share. podcast_standard aims at −19 LUFS, which
 * in mono sounds as loud as −16 LUFS in stereo, with true peaks at most −1 dBTP (AES TD1008). raw only joins and resamples.
 */
export const PROCESSING_CHAINS: Record<ProcessingChain, ChainSettings | null> = {
  audiobook_standard: {
    highPass: 80,
    target: { measure: 'rms', level: -20 },
    ceiling: -4.8,
    roomTone: -68,
    fade: 0.003,
  },
  podcast_standard: {
    highPass: 80,
    target: { measure: 'loudness', level: -19 },
    ceiling: -2,
    roomTone: -72,
    fade: 0.003,
  },
  raw: null,
}
