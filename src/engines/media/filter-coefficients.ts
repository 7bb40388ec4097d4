/** A second-order section, a0 = 1. */
export interface Biquad {
  b0: number
  b1: number
  b2: number
  a1: number
  a2: number
}

/** Second-order Butterworth high-pass (12 dB an octave), bilinear transform with prewarping. */
export const highPass = (frequency: number, sampleRate: number): Biquad => {
  const k = Math.tan((Math.PI * frequency) / sampleRate)
  const norm = 1 + Math.SQRT2 * k + k * k
  return {
    b0: 1 / norm,
    b1: -2 / norm,
    b2: 1 / norm,
    a1: (2 * (k * k - 1)) / norm,
    a2: (1 - Math.SQRT2 * k + k * k) / norm,
  }
}

/**
 * K-weighting at any sample rate: the analogue prototypes behind the 48 kHz coefficients of ITU-R BS.1770-4 annex 1 (tables 1 and 2),
 * transformed anew, as EBU Tech 3341 asks of meters at other rates.
 */
export const kWeighting = (sampleRate: number): [shelf: Biquad, highPass: Biquad] => {
  const k1 = Math.tan((Math.PI * 1681.974450955533) / sampleRate)
  const q1 = 0.7071752369554196
  const high = 10 ** (3.999843853973347 / 20)
  const band = high ** 0.4996667741545416
  const n1 = 1 + k1 / q1 + k1 * k1
  const shelf = {
    b0: (high + (band * k1) / q1 + k1 * k1) / n1,
    b1: (2 * (k1 * k1 - high)) / n1,
    b2: (high - (band * k1) / q1 + k1 * k1) / n1,
    a1: (2 * (k1 * k1 - 1)) / n1,
    a2: (1 - k1 / q1 + k1 * k1) / n1,
  }
  const k2 = Math.tan((Math.PI * 38.13547087602444) / sampleRate)
  const q2 = 0.5003270373238773
  const n2 = 1 + k2 / q2 + k2 * k2
  // Table 2 leaves the numerator unscaled (1, −2, 1).
  return [shelf, { b0: 1, b1: -2, b2: 1, a1: (2 * (k2 * k2 - 1)) / n2, a2: (1 - k2 / q2 + k2 * k2) / n2 }]
}
