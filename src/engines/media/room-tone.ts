/** Long enough that nobody hears it come round. */
const LOOP_SECONDS = 20

/**
 * A loop of quiet air: white noise through two one-pole low-passes (about 400 Hz and 2 kHz, the slope of a quiet room), scaled to `level` dBFS RMS.
 * The same numbers on every machine: a linear congruential generator and plain arithmetic. The loop has no seam, since the filters run
 * over it once before they are recorded.
 */
export const makeRoomTone = (sampleRate: number, level: number): Float32Array => {
  const length = LOOP_SECONDS * sampleRate
  const tone = new Float32Array(length)
  const slow = 1 - (2 * Math.PI * 400) / sampleRate
  const fast = 1 - (2 * Math.PI * 2000) / sampleRate
  let low = 0
  let lower = 0
  let seed = 0
  let energy = 0
  for (let i = -sampleRate; i < length; i++) {
    // The lead-in plays the loop's last second, so that its end meets its beginning.
    if (i === -sampleRate) seed = seedAt(length - sampleRate)
    if (i === 0) seed = SEED
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0
    const white = seed / 2147483648
    low += (1 - fast) * (white - low)
    lower += (1 - slow) * (low - lower)
    if (i < 0) continue
    const value = lower + 0.25 * low
    tone[i] = value
    energy += value * value
  }
  const scale = 10 ** (level / 20) / Math.sqrt(energy / length)
  for (let i = 0; i < length; i++) tone[i]! *= scale
  return tone
}

const SEED = 0x2545f491

/** The generator's state before its nth number. */
const seedAt = (n: number): number => {
  let seed = SEED
  for (let i = 0; i < n; i++) seed = (Math.imul(seed, 1664525) + 1013904223) | 0
  return seed
}
