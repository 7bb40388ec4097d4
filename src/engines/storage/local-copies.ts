import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { notFound } from '../../kit/errors.ts'
import type { BlobStore } from './storage.ts'

export interface LocalCopiesOptions {
  /** Holds a folder for each process; the system's temporary folder by default. */
  cacheFolder?: string
  /** 4 GiB by default. */
  cacheBytes?: number
  /** A path that was given out stays for so long, even past the bound, so that a program can open it; ten minutes by default. */
  cacheGraceMs?: number
}

interface Copy {
  path: string
  size: number
  asked: number
}

const folderName = 'voicepress-blobs-'

/** Copies of a remote store's blobs for programs that want files: fetched once while unchanged, the longest unused removed first. */
export async function openLocalCopies(options: LocalCopiesOptions) {
  const { cacheFolder = tmpdir(), cacheBytes = 4 * 1024 ** 3, cacheGraceMs = 600_000 } = options
  await mkdir(cacheFolder, { recursive: true })
  await sweep(cacheFolder)
  const folder = await mkdtemp(join(cacheFolder, `${folderName}${process.pid}-`))
  const copies = new Map<string, Promise<Copy>>()

  async function fetch(store: Pick<BlobStore, 'get'>, name: string, key: string, size: number): Promise<Copy> {
    const path = join(folder, key + extname(name))
    await pipeline(await store.get(name), createWriteStream(`${path}~`, { mode: 0o600 }))
    await rename(`${path}~`, path)
    return { path, size, asked: Date.now() }
  }

  async function shrink(): Promise<void> {
    const fetched = await Promise.allSettled([...copies].map(async ([key, copy]) => ({ key, ...(await copy) })))
    const all = fetched.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    let total = all.reduce((sum, copy) => sum + copy.size, 0)
    for (const { key, path, size, asked } of all.sort((a, b) => a.asked - b.asked)) {
      if (total <= cacheBytes || Date.now() - asked < cacheGraceMs) return
      copies.delete(key)
      await rm(path, { force: true })
      total -= size
    }
  }

  return {
    async pathOf(store: Pick<BlobStore, 'get' | 'stat'>, name: string): Promise<string> {
      const found = await store.stat(name)
      if (!found) throw notFound('file')
      const key = createHash('sha256').update(`${name} ${found.size} ${found.modified.toISOString()}`).digest('hex')
      let copy = copies.get(key)
      if (!copy) {
        copy = fetch(store, name, key, found.size)
        copies.set(key, copy)
        copy.catch(() => copies.delete(key))
        await copy
        await shrink()
      }
      const { path } = Object.assign(await copy, { asked: Date.now() })
      return path
    },
    close: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Removes what processes that are gone have left. */
async function sweep(cacheFolder: string): Promise<void> {
  for (const entry of await readdir(cacheFolder)) {
    const pid = Number(/^voicepress-blobs-(\d+)-/.exec(entry)?.[1])
    if (pid && !isRunning(pid))
      await rm(join(cacheFolder, entry), { recursive: true, force: true }).catch(() => undefined)
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
