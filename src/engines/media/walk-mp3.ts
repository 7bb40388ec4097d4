import { closeSync, openSync, readSync } from 'node:fs'

/** What the frames of an MP3 file are, as they lie there. */
export interface Mp3Frames {
  /** Audio frames; an Xing, Info or VBRI frame is not one. */
  count: number
  /** kbit/s. */
  lowestBitRate: number
  highestBitRate: number
  isConstant: boolean
  isJointStereo: boolean
  /** Bytes between frames that belong to nothing. */
  strayBytes: number
}

/** ISO/IEC 11172-3 table 2.4.2.3, Layer III, and ISO/IEC 13818-3 for the lower sample rates. kbit/s. */
const BIT_RATES = {
  1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
}
const SAMPLE_RATES = [44_100, 48_000, 32_000]
const BLOCK = 1 << 18
const MARGIN = 4096
const JOINT_STEREO = 1
const MONO = 3

/** Walks the frames of an MP3 file. Null when it has fewer than two that follow each other. */
export const walkMp3 = (file: string): Mp3Frames | null => {
  const descriptor = openSync(file, 'r')
  try {
    const walk = { count: 0, lowestBitRate: Infinity, highestBitRate: 0, isJointStereo: false, strayBytes: 0 }
    const buffer = Buffer.allocUnsafe(BLOCK + MARGIN)
    let start = 0
    let length = 0
    let position = 0
    const at = (wanted: number): number => {
      if (wanted + MARGIN > start + length || wanted < start) {
        start = wanted
        length = readSync(descriptor, buffer, 0, buffer.length, start)
      }
      return wanted - start
    }
    for (;;) {
      const i = at(position)
      if (length - i < 10) break
      const tag = buffer.toString('latin1', i, i + 3)
      if (tag === 'ID3') position += 10 + synchsafe(buffer, i + 6)
      else if (tag === 'TAG') position += 128
      else {
        const frame = frameAt(buffer, i)
        if (!frame) {
          position++
          walk.strayBytes++
          continue
        }
        position += frame.bytes
        if (isInfoFrame(buffer.subarray(i, Math.min(length, i + frame.bytes)), frame.sideInfo)) continue
        walk.count++
        walk.lowestBitRate = Math.min(walk.lowestBitRate, frame.bitRate)
        walk.highestBitRate = Math.max(walk.highestBitRate, frame.bitRate)
        walk.isJointStereo ||= frame.mode === JOINT_STEREO
      }
    }
    return walk.count > 1 ? { ...walk, isConstant: walk.lowestBitRate === walk.highestBitRate } : null
  } finally {
    closeSync(descriptor)
  }
}

const synchsafe = (bytes: Buffer, at: number): number =>
  (bytes[at]! << 21) | (bytes[at + 1]! << 14) | (bytes[at + 2]! << 7) | bytes[at + 3]!

/** A Layer III frame header (ISO/IEC 11172-3, 2.4.1.3). */
const frameAt = (bytes: Buffer, at: number) => {
  const [sync, versionLayer, rates, channels] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!]
  const version = (versionLayer >> 3) & 3
  if (sync !== 0xff || (versionLayer & 0xe0) !== 0xe0 || ((versionLayer >> 1) & 3) !== 1 || version === 1) return null
  const bitRate = BIT_RATES[version === 3 ? 1 : 2][rates >> 4]
  const base = SAMPLE_RATES[(rates >> 2) & 3]
  if (!bitRate || !base) return null
  const sampleRate = version === 3 ? base : version === 2 ? base / 2 : base / 4
  const mode = channels >> 6
  const sideInfo = version === 3 ? (mode === MONO ? 17 : 32) : mode === MONO ? 9 : 17
  return {
    bitRate,
    mode,
    sideInfo,
    bytes: Math.floor(((version === 3 ? 144_000 : 72_000) * bitRate) / sampleRate) + ((rates >> 1) & 1),
  }
}

const isInfoFrame = (frame: Buffer, sideInfo: number): boolean => {
  const word = frame.toString('latin1', 4 + sideInfo, 8 + sideInfo)
  return word === 'Xing' || word === 'Info' || frame.toString('latin1', 36, 40) === 'VBRI'
}
