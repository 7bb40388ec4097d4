import type { BlobStore } from './storage.ts'

const atOnce = 16

/** Removes what is listed, some at a time. */
export async function removeEach(store: Pick<BlobStore, 'list' | 'remove'>, prefix: string): Promise<void> {
  const names = store.list(prefix)[Symbol.asyncIterator]()
  const removeNext = async (): Promise<void> => {
    for (let next = await names.next(); !next.done; next = await names.next()) await store.remove(next.value.name)
  }
  await Promise.all(Array.from({ length: atOnce }, removeNext))
}
