/** Index of 44.1 kHz in ISO/IEC 14496-3 table 1.18. */
const FREQUENCY_INDEX = 4
const HEADER = 7

/** ADTS header (ISO/IEC 14496-3, 1.A.2.2) of an AAC-LC frame of `size` bytes, 44.1 kHz mono, without a checksum. */
export const adtsHeader = (size: number): Buffer => {
  const length = size + HEADER
  return Buffer.from([
    0xff,
    0xf1,
    (1 << 6) | (FREQUENCY_INDEX << 2),
    (1 << 6) | (length >> 11),
    (length >> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc,
  ])
}
