import { createHash } from 'node:crypto'
import type { BlobStore } from '../../engines/storage/storage.ts'
import { notFound } from '../../kit/errors.ts'
import type { FileReply } from '../../kit/operation.ts'

/** A blob as a file that a client gets. The names of our blobs change with their content, which makes them validators. */
export async function blobReply(storage: BlobStore, blob: string | null, { filename, mediaType, inline = false }: { filename: string; mediaType: string; inline?: boolean }): Promise<FileReply> {
  const stored = blob === null ? null : await storage.stat(blob)
  if (!blob || !stored) throw notFound('file')
  const etag = createHash('sha256').update(`${blob} ${stored.size} ${stored.modified.getTime()}`).digest('base64url').slice(0, 27)
  return { filename, mediaType, inline, size: stored.size, etag, open: (range) => storage.get(blob, range) }
}
