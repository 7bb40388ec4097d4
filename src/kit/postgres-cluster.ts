import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, lchown, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Problem } from './errors.ts'
import type { Account } from './postgres-account.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { stopLeftovers } from './postgres-leftovers.ts'

/** Neither PG* variables nor library paths of our own environment reach the server. */
export const environment = { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }

/**
 * What to give as `-D` to a program whose working directory is the cluster. Linux's own link to the working directory is
 * followed without leave to enter the folders above it, so the cluster may lie below a folder that its user cannot enter.
 */
export const dataDirectory = (cluster: string): string => (process.platform === 'linux' ? '/proc/self/cwd' : cluster)

/** The user id that owns the cluster, null when there is none yet. */
export const ownerOf = async (cluster: string): Promise<number | null> =>
  (await stat(cluster).catch(() => null))?.uid ?? null

/** Written into a new cluster's postgresql.conf, where an administrator may change them. */
const firstSettings = { max_connections: 100, log_checkpoints: 'off' }

interface Opening {
  folder: string
  binaries: PostgresBinaries
  account: Account | null
  sync: boolean
  log: (line: string) => void
}

/** Makes the cluster when there is none, else checks that it is ours to start. Returns the superuser's password. */
export async function openCluster(opening: Opening): Promise<string> {
  const { folder, binaries, account } = opening
  const cluster = join(folder, 'cluster')
  const made = await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw unusable(folder, error)
  })
  if (made === null) return makeCluster(opening)
  const major = binaries.version.split('.')[0]
  if (made.trim() !== major)
    throw new Problem(
      409,
      'data_folder_version',
      `The data folder ${folder} was made by PostgreSQL ${made.trim()}, and the one here is ${major}. Move ${cluster} over with pg_upgrade, or run PostgreSQL ${made.trim()} on it and set DATABASE_URL.`,
      { folder, made: made.trim(), here: major },
    )
  if (account && (await ownerOf(cluster)) !== account.uid) await giveAll(cluster, account)
  const password = await readFile(join(folder, 'password'), 'utf8').catch(() => null)
  return password?.trim() || (await renewPassword(opening, cluster))
}

/** initdb in a draft folder, renamed when it is whole: one that was killed leaves nothing that looks like a cluster. */
async function makeCluster(opening: Opening): Promise<string> {
  const { folder, binaries, account, sync } = opening
  const draft = join(folder, 'cluster.new')
  const cluster = join(folder, 'cluster')
  await stopLeftovers(draft, opening.log)
  try {
    await rm(draft, { recursive: true, force: true })
    await rm(cluster, { recursive: true, force: true })
    await mkdir(draft, { mode: 0o700 })
    if (account) await chown(draft, account.uid, account.gid)
  } catch (error) {
    throw unusable(folder, error)
  }
  const password = await writePassword(folder, account)
  const passwordFile = await open(join(folder, 'password'), 'r')
  try {
    await run(opening, draft, 'initdb', passwordFile.fd, [
      `--pgdata=${dataDirectory(draft)}`,
      '--username=postgres',
      `--pwfile=${process.platform === 'linux' ? '/proc/self/fd/3' : join(folder, 'password')}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      `--locale=${process.platform === 'linux' ? 'C.UTF-8' : 'C'}`,
      '--data-checksums',
      ...(sync ? [] : ['--no-sync']),
      ...Object.entries(firstSettings).map(([name, value]) => `--set=${name}=${value}`),
    ])
  } finally {
    await passwordFile.close()
  }
  await rename(draft, cluster)
  if (sync) await syncFolder(folder)
  opening.log(`made a cluster of PostgreSQL ${binaries.version} in ${cluster}`)
  return password
}

async function writePassword(folder: string, account: Account | null): Promise<string> {
  const path = join(folder, 'password')
  const password = randomBytes(24).toString('base64url')
  await rm(path, { force: true })
  await writeFile(path, `${password}\n`, { mode: 0o600, flag: 'wx' })
  if (account) await chown(path, account.uid, account.gid)
  return password
}

/** The password file is gone: sets a new one in single-user mode, which asks for none. */
async function renewPassword(opening: Opening, cluster: string): Promise<string> {
  const password = await writePassword(opening.folder, opening.account)
  const flags = ['--single', '-D', dataDirectory(cluster), 'postgres']
  await run(opening, cluster, 'postgres', null, flags, `alter role postgres password '${password}'\n`)
  return password
}

async function run(
  { binaries, account }: Opening,
  cwd: string,
  program: string,
  third: number | null,
  flags: string[],
  input = '',
) {
  const child = spawn(join(binaries.folder, 'bin', program), flags, {
    cwd,
    env: environment,
    stdio: ['pipe', 'ignore', 'pipe', third ?? 'ignore'],
    ...(account && { uid: account.uid, gid: account.gid }),
  })
  child.stdin?.on('error', () => {}).end(input)
  const status = new Promise<number | string | null>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => resolve(code ?? signal))
  })
  const complaints = child.stderr ? await text(child.stderr) : ''
  if ((await status) === 0) return
  if (/could not look up effective user ID|could not look up local user/.test(complaints))
    throw new Problem(
      500,
      'user_without_name',
      `User ${process.getuid?.()} has no name on this system (/etc/passwd), and PostgreSQL needs one. Add it there, run as another user, or set DATABASE_URL.`,
    )
  throw new Problem(
    500,
    'postgres_did_not_start',
    `PostgreSQL's ${program} failed (${await status}): ${complaints.trim()}`,
  )
}

/** A cluster that was copied back by root belongs to root; the server wants to own it. */
async function giveAll(cluster: string, account: Account): Promise<void> {
  for (const entry of await readdir(cluster, { recursive: true, withFileTypes: true }))
    await lchown(join(entry.parentPath, entry.name), account.uid, account.gid)
  await lchown(cluster, account.uid, account.gid)
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}

export const unusable = (folder: string, error: unknown): Problem =>
  new Problem(
    500,
    'data_folder_unusable',
    `The data folder ${folder} cannot be used: ${(error as Error).message}`,
    { folder },
    { cause: error },
  )
