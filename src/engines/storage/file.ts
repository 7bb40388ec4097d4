import { randomUUID } from 'node:crypto'
import { constants, createWriteStream } from 'node:fs'
import {
  type FileHandle,
  chmod,
  copyFile,
  lstat,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  rm,
  rmdir,
  unlink,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { notFound, Problem } from '../../kit/errors.ts'
import { checkedStore, rangeNotSatisfiable } from './checked-store.ts'
import { measureBody } from './measure-body.ts'
import type { BlobStore } from './storage.ts'

/** Not a blob's name, so that what is being written is neither listed nor read. */
const incomingFolder = '~incoming'
/** A file that nobody has written to for so long belongs to a process that died. */
const abandonedMs = 24 * 3_600_000

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

/** Blobs as plain files below one folder, under their own names. A name that is a file cannot also be a folder (`Problem` 409 blob_name_taken). */
export async function openFileStorage({ folder }: { folder: string }): Promise<BlobStore> {
  await mkdir(join(folder, incomingFolder), { recursive: true, mode: 0o700 })
  const root = await realpath(folder)
  const incoming = join(root, incomingFolder)
  await sweep(incoming)

  return checkedStore({
    async put(name, body) {
      const draft = join(incoming, randomUUID())
      try {
        const size = await writeDraft(draft, body)
        await place(root, draft, name)
        return { size }
      } catch (error) {
        await rm(draft, { force: true })
        throw error
      }
    },

    async putFile(name, path) {
      const draft = join(incoming, randomUUID())
      try {
        await takeOver(path, draft)
        const { size } = await lstat(draft)
        await place(root, draft, name)
        return { size }
      } catch (error) {
        await rm(draft, { force: true })
        throw error
      }
    },

    async get(name, range) {
      const handle = await openBlob(root, name)
      try {
        const { size } = await handle.stat()
        if (range && range.start >= size)
          throw rangeNotSatisfiable(`${name} ends before byte ${range.start}.`, { size })
        if (size === 0) {
          await handle.close()
          return Readable.from([], { objectMode: false })
        }
        const end = Math.min(range?.end ?? size - 1, size - 1)
        return handle.createReadStream({ start: range?.start ?? 0, end, highWaterMark: 256 * 1024 })
      } catch (error) {
        await handle.close()
        throw error
      }
    },

    async read(name) {
      const handle = await openBlob(root, name)
      return handle.readFile().finally(() => handle.close())
    },

    async stat(name) {
      const found = await findBlob(root, name)
      return found && { size: found.size, modified: found.mtime }
    },

    async remove(name) {
      if (!(await findBlob(root, name))) return
      await unlink(join(root, name)).catch(ignoreMissing)
      await removeEmptyFolders(root, dirname(name))
    },

    list: (prefix) => walk(root, prefix),

    async removeAll(prefix) {
      if (!(await findFolder(root, prefix.slice(0, -1)))) return
      await rm(join(root, prefix), { recursive: true, force: true, maxRetries: 3 })
      await removeEmptyFolders(root, dirname(prefix))
    },

    async localPath(name) {
      if (!(await findBlob(root, name))) throw notFound('file')
      return join(root, name)
    },

    async close() {},
  })
}

async function writeDraft(path: string, body: Uint8Array | Readable): Promise<number> {
  const { stream, size } = measureBody(body)
  await pipeline(stream, createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true, highWaterMark: 1024 * 1024 }))
  return size()
}

async function takeOver(path: string, draft: string): Promise<void> {
  await rename(path, draft).catch(async (error: unknown) => {
    if (codeOf(error) !== 'EXDEV') throw error
    await copyFile(path, draft, constants.COPYFILE_EXCL)
  })
  await chmod(draft, 0o600)
  await sync(draft)
}

/** Moves a whole file to its name. Another call may remove the folder as empty just before; then it is made again. */
async function place(root: string, draft: string, name: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const folder = await makeFolders(root, dirname(name))
      await rename(draft, join(root, name))
      await sync(folder)
      return
    } catch (error) {
      const code = codeOf(error)
      if (code === 'EISDIR' || code === 'ENOTEMPTY' || code === 'ENOTDIR' || code === 'EEXIST') throw nameTaken(name)
      if (code !== 'ENOENT' || attempt === 10) throw error
    }
  }
}

const nameTaken = (name: string): Problem =>
  new Problem(409, 'blob_name_taken', `${name} cannot be stored: one name would be a file and a folder at once.`)

async function makeFolders(root: string, folder: string): Promise<string> {
  let at = root
  for (const part of folder === '.' ? [] : folder.split('/')) {
    const parent = at
    at = join(at, part)
    const made = await mkdir(at, { mode: 0o700 }).then(
      () => true,
      (error: unknown) => {
        if (codeOf(error) === 'EEXIST') return false
        throw error
      },
    )
    if (made) await sync(parent)
    else if (!(await lstat(at)).isDirectory()) throw nameTaken(folder)
  }
  return at
}

/** A folder's own entry is durable once the folder above it is synced. Files are synced in the same way. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  await handle.sync().finally(() => handle.close())
}

/** Each folder on the way is looked at itself: a link, wherever it points, is no folder of ours. */
async function findFolder(root: string, folder: string): Promise<boolean> {
  let at = root
  for (const part of folder === '.' || folder === '' ? [] : folder.split('/')) {
    at = join(at, part)
    if (!(await lstat(at).catch(ignoreMissing))?.isDirectory()) return false
  }
  return true
}

async function findBlob(root: string, name: string) {
  if (!(await findFolder(root, dirname(name)))) return null
  const found = await lstat(join(root, name)).catch(ignoreMissing)
  return found?.isFile() ? found : null
}

async function openBlob(root: string, name: string): Promise<FileHandle> {
  if (!(await findBlob(root, name))) throw notFound('file')
  try {
    return await open(join(root, name), constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ELOOP') throw notFound('file')
    throw error
  }
}

/** In the order of whole names, as object stores list: a folder sorts as its name with a slash. */
async function* walk(root: string, prefix: string): AsyncGenerator<{ name: string; size: number; modified: Date }> {
  if (!(await findFolder(root, prefix.slice(0, -1)))) return
  const entries = await readdir(join(root, prefix), { withFileTypes: true }).catch(ignoreMissing)
  const names = (entries ?? [])
    .filter((entry) => entry.isFile() || (entry.isDirectory() && !(prefix === '' && entry.name === incomingFolder)))
    .map((entry) => prefix + entry.name + (entry.isDirectory() ? '/' : ''))
    .sort((a, b) => (a < b ? -1 : 1))
  for (const name of names) {
    if (name.endsWith('/')) yield* walk(root, name)
    else {
      const found = await lstat(join(root, name)).catch(ignoreMissing)
      if (found) yield { name, size: found.size, modified: found.mtime }
    }
  }
}

async function removeEmptyFolders(root: string, folder: string): Promise<void> {
  for (let at = folder; at !== '.'; at = dirname(at)) {
    try {
      await rmdir(join(root, at))
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') return
    }
  }
}

async function sweep(incoming: string): Promise<void> {
  for (const entry of await readdir(incoming)) {
    const found = await lstat(join(incoming, entry)).catch(ignoreMissing)
    if (found && Date.now() - found.mtimeMs > abandonedMs)
      await rm(join(incoming, entry), { recursive: true, force: true })
  }
}

function ignoreMissing(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') throw error
}
