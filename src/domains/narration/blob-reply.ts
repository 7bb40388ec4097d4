import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { BlobStore } from '../../engines/storage/storage.ts'
import { notFound } from '../../kit/errors.ts'
import type { FileReply } from '../../kit/operation.ts'

type Shown = Pick<FileReply, 'filename' | 'mediaType' | 'inline'>

const etagOf = (content: string): string => createHash('sha256').update(content).digest('base64url').slice(0, 27)

/** A blob as a file that a client gets. The names of our blobs change with their content, which makes them validators. */
export async function blobReply(storage: BlobStore, blob: string | null, shown: Shown): Promise<FileReply> {
  const stored = blob === null ? null : await storage.stat(blob)
  if (!blob || !stored) throw notFound('file')
  const etag = etagOf(`${blob} ${stored.size} ${stored.modified.getTime()}`)
  return { ...shown, size: stored.size, etag, open: (range) => storage.get(blob, range) }
}

/** A text that was made just now as a file. */
export function textReply(text: string, shown: Shown): FileReply {
  const bytes = Buffer.from(text)
  const open: FileReply['open'] = async (range) =>
    Readable.from([range ? bytes.subarray(range.start, range.end + 1) : bytes])
  return { ...shown, size: bytes.length, etag: etagOf(text), open }
}
