import { createReadStream } from 'node:fs'
import { Problem } from '../../kit/errors.ts'
import { checkBlobName, checkBlobPrefix } from './blob-name.ts'
import type { BlobStore } from './storage.ts'

type Backend = Omit<BlobStore, 'putFile'> & Partial<BlobStore>

/** Puts the checks that all backends share before one of them: names, prefixes and ranges. Prefixes reach it with their slash. One that cannot take a file over is sent its bytes. */
export function checkedStore(store: Backend): BlobStore {
  return {
    put: async (name, body, options) => store.put(checkBlobName(name), body, options),
    putFile: async (name, path, options) =>
      store.putFile
        ? store.putFile(checkBlobName(name), path, options)
        : store.put(checkBlobName(name), createReadStream(path), options),
    get: async (name, range) => store.get(checkBlobName(name), checkRange(range)),
    read: async (name) => store.read(checkBlobName(name)),
    stat: async (name) => store.stat(checkBlobName(name)),
    remove: async (name) => store.remove(checkBlobName(name)),
    list: (prefix) => store.list(checkBlobPrefix(prefix)),
    async removeAll(prefix) {
      if (prefix === '')
        throw new Problem(400, 'invalid_blob_name', 'Name what to remove: the whole store is never removed at once.')
      await store.removeAll(checkBlobPrefix(prefix))
    },
    localPath: async (name) => store.localPath(checkBlobName(name)),
    close: () => store.close(),
  }
}

export const rangeNotSatisfiable = (detail: string, extra: Record<string, unknown> = {}): Problem =>
  new Problem(416, 'range_not_satisfiable', detail, extra)

function checkRange<Range extends { start: number; end?: number }>(range: Range | undefined): Range | undefined {
  if (!range) return undefined
  const { start, end = Number.MAX_SAFE_INTEGER } = range
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end >= start) return range
  throw rangeNotSatisfiable(`${start}-${range.end ?? ''} is no range of bytes.`)
}
