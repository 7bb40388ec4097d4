import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { link, readFile, readlink, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Problem } from './errors.ts'

const heartbeatMs = 1_000
/** Longer than any pause of a living owner's event loop that we know of. */
const silenceMs = 10_000
/** A file untouched for so long has no living owner, whatever the two clocks say. */
const staleMs = 120_000

export interface FolderLock {
  release(): Promise<void>
}

interface Owner {
  pid: number
  /** When the process started: a process id alone is given out again. */
  started: string
  /** Machine, boot and process namespace; ids of another place (a second container on one volume) say nothing here. */
  place: string
}

/**
 * Claims a folder for this process until it releases it or dies, however it dies.
 * Throws `Problem` 409 data_folder_in_use when a living process holds it, and takes over what a dead one left.
 * An owner in another container or on another machine is judged by its heartbeat, which takes up to ten seconds.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const file = join(folder, 'owner.json')
  const mine = JSON.stringify({
    pid: process.pid,
    started: await startOf(process.pid),
    place: await place(),
    id: randomUUID(),
  })
  const draft = join(folder, `.owner-${randomUUID()}`)
  await writeFile(draft, mine, { mode: 0o600 })
  try {
    for (;;) {
      if (await claim(draft, file)) break
      const theirs = await readFile(file, 'utf8').catch(() => null)
      if (theirs === null) continue
      const owner = parseOwner(theirs)
      if (await isAlive(file, owner)) throw inUse(folder, owner)
      await discard(file, theirs)
    }
  } finally {
    await rm(draft, { force: true })
  }
  const heartbeat = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => undefined), heartbeatMs)
  heartbeat.unref()
  return {
    async release() {
      clearInterval(heartbeat)
      if ((await readFile(file, 'utf8').catch(() => null)) === mine) await rm(file, { force: true })
    },
  }
}

/** A hard link is made or refused in one step, on every file system, with the content already in it. */
async function claim(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Removes a dead owner's file; puts it back when another process has replaced it between our look and our move. */
async function discard(file: string, expected: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`
  try {
    await rename(file, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if ((await readFile(aside, 'utf8')) !== expected) await claim(aside, file)
  await rm(aside, { force: true })
}

async function isAlive(file: string, owner: Owner | null): Promise<boolean> {
  if (!owner) return false
  if (owner.place === (await place())) return (await startOf(owner.pid)) === owner.started
  const first = await stat(file).catch(() => null)
  if (!first || Math.abs(Date.now() - first.mtimeMs) > staleMs) return false
  for (let waited = 0; waited < silenceMs; waited += heartbeatMs / 2) {
    await wait(heartbeatMs / 2)
    const now = await stat(file).catch(() => null)
    if (!now) return false
    if (now.mtimeMs !== first.mtimeMs) return true
  }
  return false
}

function parseOwner(text: string): Owner | null {
  try {
    const { pid, started, place } = JSON.parse(text) as Partial<Owner>
    return typeof pid === 'number' && typeof started === 'string' && typeof place === 'string'
      ? { pid, started, place }
      : null
  } catch {
    return null
  }
}

const inUse = (folder: string, owner: Owner | null): Problem =>
  new Problem(
    409,
    'data_folder_in_use',
    `The data folder ${folder} is in use by another process${owner ? ` (process ${owner.pid})` : ''}. Stop that one first, or give this one a folder of its own.`,
    { folder, pid: owner?.pid },
  )

async function place(): Promise<string> {
  if (process.platform !== 'linux') return hostname()
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  return `${boot} ${await readlink('/proc/self/ns/pid')}`
}

/** null when there is no such process. On Linux: clock ticks since boot, proc_pid_stat(5) field 22. */
async function startOf(pid: number): Promise<string | null> {
  if (process.platform === 'linux') {
    const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
    if (line === null) return null
    const [state, ...fields] = line.slice(line.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' || state === 'X' ? null : (fields[18] ?? null)
  }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null
  } catch {
    return null
  }
}
