import { closeSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs'
import { firstFrameLength } from './adts.ts'
import { bufferedFile } from './buffered-file.ts'
import type { AdtsPiece } from './media.ts'
import { partialFile } from './partial-file.ts'

const BLOCK = 1 << 20

/**
 * Copies ADTS streams one behind the other. Blocks of whole frames that begin and end in a pause join without a seam once the priming of all but the first is left out,
 * as `assembleM4b` does between chapters.
 */
export const joinAdts = (pieces: AdtsPiece[], file: string): { offset: number; length: number }[] => {
  const temporary = partialFile(file, process.pid)
  const sink = bufferedFile(temporary)
  const buffer = Buffer.allocUnsafe(BLOCK)
  const places: { offset: number; length: number }[] = []
  let written = 0
  try {
    for (const piece of pieces) {
      let at = piece.offset ?? 0
      const end = piece.length === undefined ? statSync(piece.file).size : at + piece.length
      if (piece.afterPriming) at += firstFrameLength(piece.file)
      places.push({ offset: written, length: end - at })
      const descriptor = openSync(piece.file, 'r')
      try {
        while (at < end) {
          const got = readSync(descriptor, buffer, 0, Math.min(BLOCK, end - at), at)
          if (got === 0) throw new Error(`${piece.file} is shorter than it was.`)
          sink.write(buffer.subarray(0, got))
          at += got
          written += got
        }
      } finally {
        closeSync(descriptor)
      }
    }
    sink.flush()
    sink.close()
    renameSync(temporary, file)
  } finally {
    sink.close()
    rmSync(temporary, { force: true })
  }
  return places
}
