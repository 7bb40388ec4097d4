import { closeSync, openSync, readSync } from 'node:fs'
import { Problem } from '../../kit/errors.ts'

/** Index of 44.1 kHz in ISO/IEC 14496-3 table 1.18. */
const FREQUENCY_INDEX = 4
const HEADER = 7
const HEADER_WITH_CHECKSUM = 9
const BLOCK = 1 << 18

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

/** A frame of an ADTS stream. Its bytes are valid until the next one. */
export interface AdtsFrame {
  /** AAC without the header. */
  bytes: Buffer
  /** AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1) as a 16-bit number. */
  config: number
}

/** Frames of an ADTS file in order. A file that isn't ADTS, or ends within a frame, is a Problem. */
export function* adtsFrames(file: string): Generator<AdtsFrame> {
  const descriptor = openSync(file, 'r')
  try {
    let buffer = Buffer.allocUnsafe(BLOCK)
    let from = 0
    let to = 0
    const fill = (wanted: number): boolean => {
      if (to - from >= wanted) return true
      buffer.copy(buffer, 0, from, to)
      to -= from
      from = 0
      while (to < wanted) {
        const got = readSync(descriptor, buffer, to, buffer.length - to, null)
        if (got === 0) return false
        to += got
      }
      return true
    }
    while (fill(1)) {
      if (!fill(HEADER)) throw broken(file, 'it ends within a frame header')
      if (buffer[from] !== 0xff || (buffer[from + 1]! & 0xf6) !== 0xf0) throw broken(file, 'it is not an ADTS stream')
      const header = buffer[from + 1]! & 1 ? HEADER : HEADER_WITH_CHECKSUM
      const length = ((buffer[from + 3]! & 3) << 11) | (buffer[from + 4]! << 3) | (buffer[from + 5]! >> 5)
      if (length <= header) throw broken(file, 'it has an empty frame')
      if (!fill(length)) throw broken(file, 'it ends within a frame')
      const objectType = (buffer[from + 2]! >> 6) + 1
      const frequency = (buffer[from + 2]! >> 2) & 15
      const channels = ((buffer[from + 2]! & 1) << 2) | (buffer[from + 3]! >> 6)
      yield {
        bytes: buffer.subarray(from + header, from + length),
        config: (objectType << 11) | (frequency << 7) | (channels << 3),
      }
      from += length
    }
  } finally {
    closeSync(descriptor)
  }
}

/** Bytes of a file's first frame, header included: the encoder's priming. */
export const firstFrameLength = (file: string): number => {
  for (const { bytes } of adtsFrames(file)) return bytes.length + HEADER
  throw broken(file, 'it holds no audio')
}

const broken = (file: string, why: string) =>
  new Problem(422, 'unreadable_audio', `${file} cannot be put into an audiobook: ${why}.`, { file })
