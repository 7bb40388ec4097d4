import type { Readable } from 'node:stream'

/**
 * Where files live. Names are `/`-separated paths of [A-Za-z0-9._-] parts of at most 255 characters, at most 1,024 in all; anything
 * else is refused (`Problem` 400 invalid_blob_name) before a backend sees it. A prefix is a folder: `a/b` means what lies below `a/b/`.
 * No name may be another's folder (`Problem` 409 blob_name_taken where the backend is a file system).
 */
export interface BlobStore {
  /** Writes whole or not at all: a reader never sees half a blob. Replaces what was there. */
  put(name: string, body: Uint8Array | Readable, options?: { mediaType?: string }): Promise<{ size: number }>
  /** Like `put`, of a file on this machine that is the caller's no more: it is moved where it can be. */
  putFile(name: string, path: string, options?: { mediaType?: string }): Promise<{ size: number }>
  /** `range` is inclusive, as in HTTP. An end beyond the blob's is cut. Throws `Problem` 404 not_found, 416 range_not_satisfiable. */
  get(name: string, range?: { start: number; end?: number }): Promise<Readable>
  /** The whole blob in memory; for small ones. */
  read(name: string): Promise<Uint8Array>
  /** null when there is none. */
  stat(name: string): Promise<{ size: number; modified: Date } | null>
  /** No error when there is none. */
  remove(name: string): Promise<void>
  /** Names below the prefix, in order. */
  list(prefix: string): AsyncIterable<{ name: string; size: number; modified: Date }>
  /** All below the prefix, which may not be empty. */
  removeAll(prefix: string): Promise<void>
  /** A path on this machine that holds the blob's bytes, fetched into a bounded local cache when the backend is remote. For programs that want files. */
  localPath(name: string): Promise<string>
  close(): Promise<void>
}
