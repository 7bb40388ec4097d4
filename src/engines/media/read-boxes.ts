import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { Problem } from '../../kit/errors.ts'

/** A box of an ISO/IEC 14496-12 file within a buffer: its payload is from..to. */
export interface Box {
  type: string
  from: number
  to: number
}

/** More than the index of a month of audio; what is larger is not an index. */
const MOVIE_LIMIT = 512 * 1024 * 1024

/** Boxes that follow each other in a buffer. Stops at the first that makes no sense. */
export function* boxesIn(bytes: Buffer, from: number, to: number): Generator<Box> {
  for (let at = from; at + 8 <= to; ) {
    let size = bytes.readUInt32BE(at)
    let header = 8
    if (size === 1) {
      if (at + 16 > to) return
      size = Number(bytes.readBigUInt64BE(at + 8))
      header = 16
    } else if (size === 0) size = to - at
    if (size < header || at + size > to) return
    yield { type: bytes.toString('latin1', at + 4, at + 8), from: at + header, to: at + size }
    at += size
  }
}

/** The first box at the end of a path such as 'mdia/minf/stbl'. */
export const findBox = (bytes: Buffer, within: { from: number; to: number }, path: string): Box | null => {
  let found: Box | { from: number; to: number } = within
  for (const type of path.split('/')) {
    const next: Box | undefined = boxesIn(bytes, found.from, found.to).find((box) => box.type === type)
    if (!next) return null
    found = next
  }
  return found as Box
}

/** A file open for reading its index and small pieces. */
export interface MovieFile {
  /** Payload of moov. */
  movie: Buffer
  /** True when moov comes before mdat, so that playing starts before all is loaded. */
  isFastStart: boolean
  read(position: number, length: number): Buffer
  close(): void
}

/** Opens an MP4 family file, or gives null when it isn't one. */
export const openMovie = (file: string): MovieFile | null => {
  const descriptor = openSync(file, 'r')
  const size = fstatSync(descriptor).size
  const read = (position: number, length: number): Buffer => {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - position)))
    readSync(descriptor, bytes, 0, bytes.length, position)
    return bytes
  }
  let isFastStart = true
  for (let at = 0, count = 0; at + 8 <= size && count < 10_000; count++) {
    const header = read(at, 16)
    const type = header.toString('latin1', 4, 8)
    if (count === 0 && type !== 'ftyp') break
    let length = header.readUInt32BE(0)
    const isLong = length === 1 && header.length === 16
    if (isLong) length = Number(header.readBigUInt64BE(8))
    if (length === 0) length = size - at
    if (length < 8) break
    if (type === 'mdat') isFastStart = false
    if (type === 'moov') {
      if (length > MOVIE_LIMIT) {
        closeSync(descriptor)
        throw new Problem(
          422,
          'unreadable_audio',
          `${file} has an index of ${length} bytes, which no audiobook needs.`,
          { file },
        )
      }
      const from = at + (isLong ? 16 : 8)
      return { movie: read(from, at + length - from), isFastStart, read, close: () => closeSync(descriptor) }
    }
    at += length
  }
  closeSync(descriptor)
  return null
}
