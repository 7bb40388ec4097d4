import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Problem } from './errors.ts'

export interface FolderLock {
  release(): Promise<void>
}

/** Keeps them from being collected, which would unlock. */
const held = new Set<DatabaseSync>()

/** SQLite's result code for a lock that someone else has (sqlite.org/rescode.html). */
const sqliteBusy = 5

/**
 * Claims a folder for this process until it releases it or dies, however it dies: the operating system keeps the lock, on the
 * file `lock`, and it holds between containers on one volume as well. Node reaches such a lock through its built-in SQLite.
 * The file stays behind, since removing a lock file would let two claim it. Nothing else in this process may open it: closing
 * any descriptor of a file drops the process's locks on it (fcntl(2)), which only SQLite takes care of.
 * Throws `Problem` 409 data_folder_in_use when another, or this process already, holds it.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const pidFile = join(folder, 'lock.pid')
  const lock = new DatabaseSync(join(folder, 'lock'), { timeout: 0 })
  try {
    lock.exec('pragma journal_mode = memory; pragma locking_mode = exclusive; begin exclusive')
  } catch (error) {
    lock.close()
    if ((error as { errcode?: number }).errcode !== sqliteBusy) throw error
    const pid = Number(await readFile(pidFile, 'utf8').catch(() => '')) || undefined
    const detail = `The data folder ${folder} is in use by another process${pid ? ` (${pid})` : ''}. Stop that one first, or give this one a folder of its own.`
    throw new Problem(409, 'data_folder_in_use', detail, { folder, pid }, { cause: error })
  }
  held.add(lock)
  await writeFile(pidFile, `${process.pid}\n`)
  return {
    async release() {
      if (!held.delete(lock)) return
      await rm(pidFile, { force: true })
      lock.close()
    },
  }
}
