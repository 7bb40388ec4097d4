import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { Problem } from './errors.ts'
import { lockFolder } from './folder-lock.ts'
import { type Account, choosePostgresAccount } from './postgres-account.ts'
import { findPostgresBinaries, type ProgramFolders } from './postgres-binaries.ts'
import { dataDirectory, environment, openCluster, ownerOf, unusable } from './postgres-cluster.ts'
import { stopLeftovers } from './postgres-leftovers.ts'

export interface EmbeddedPostgresOptions {
  /** Made when it is missing. Holds `cluster`, `password` and `lock`. */
  folder: string
  /** On 127.0.0.1; a free one by default. */
  port?: number
  /** Gets PostgreSQL's own log, line by line. */
  log?: (line: string) => void
  /** Server settings of this run, over those in `cluster/postgresql.conf`. */
  settings?: Record<string, string | number | boolean>
  /** Where PostgreSQL's programs come from and may be copied to; by default the npm package and the system's cache. */
  programs?: ProgramFolders
}

export interface EmbeddedPostgres {
  /** Of the superuser, with password. */
  url: string
  /** `18.4` */
  version: string
  /** Ends open connections, writes everything down and stops: what follows starts without recovery. */
  close(): Promise<void>
}

/** Past this, open transactions' clients or a slow disk are given up on, and the next start recovers from the log. */
const stopPatienceMs = 60_000

/**
 * PostgreSQL exec'd under a watcher that outlives us: when our end of the pipe (descriptor 3) closes without the word
 * `leave`, however we died, the watcher asks for a fast shutdown. The watcher is nobody's child, since the server calls
 * an unknown child's death a crash.
 */
const launch =
  '( ( cd /; read -r word <&3; [ "$word" = leave ] || kill -INT $$ ) >/dev/null 2>&1 </dev/null & ); exec "$@" 3<&-'

/**
 * Starts the PostgreSQL that comes from npm on a data folder, which it makes on first use.
 * It runs in a session of its own, so that Ctrl-C reaches only us, and stops when this process ends for any reason.
 * Throws `Problem` 409 data_folder_in_use while a living process has the folder, 409 data_folder_version when another major version
 * made it, 409 port_in_use, 500 postgres_did_not_start with the last lines of its log.
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { folder, log = () => {}, settings = {} } = options
  if (process.platform === 'win32')
    throw new Problem(
      500,
      'postgres_not_installed',
      'There is no built-in PostgreSQL for Windows. Set DATABASE_URL to a PostgreSQL 15 or newer.',
    )
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw unusable(folder, error)
  })
  const lock = await lockFolder(folder).catch((error: unknown) => {
    throw error instanceof Problem ? error : unusable(folder, error)
  })
  let discard = async () => {}
  try {
    const cluster = join(folder, 'cluster')
    const account = await choosePostgresAccount(await ownerOf(cluster))
    const binaries = await findPostgresBinaries(account, options.programs)
    discard = binaries.discard
    const password = await openCluster({
      folder,
      binaries,
      account,
      sync: settings.fsync !== false && settings.fsync !== 'off',
      log,
    })
    await stopLeftovers(cluster, log)
    const program = join(binaries.folder, 'bin', 'postgres')
    const { server, port } = await startOnSomePort({ program, cluster, account, settings, log, port: options.port })
    return {
      url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
      version: binaries.version,
      async close() {
        await stop(server)
        await discard()
        await lock.release()
      },
    }
  } catch (error) {
    await discard()
    await lock.release()
    throw error
  }
}

interface Start {
  program: string
  cluster: string
  account: Account | null
  settings: Record<string, string | number | boolean>
  log: (line: string) => void
}

async function startOnSomePort(start: Start & { port?: number }): Promise<{ server: ChildProcess; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const port = start.port || (await freePort())
    const result = await startServer({ ...start, port })
    if (!Array.isArray(result)) return { server: result, port }
    const report = result.join('\n')
    if (/lock file "postmaster.pid" already exists|pre-existing shared memory block/.test(report))
      throw new Problem(
        409,
        'data_folder_in_use',
        `Another PostgreSQL runs on ${start.cluster}. Stop that one first.`,
        { folder: start.cluster },
      )
    const portTaken = report.includes('Address already in use')
    if (portTaken && start.port)
      throw new Problem(
        409,
        'port_in_use',
        `Port ${port} on 127.0.0.1, meant for PostgreSQL, is in use by another program.`,
        { port },
      )
    if (!portTaken || attempt === 5)
      throw new Problem(500, 'postgres_did_not_start', `PostgreSQL did not start: ${report}`, {
        cluster: start.cluster,
      })
  }
}

/** The running server once it accepts connections, or the last lines it wrote when it ended first. */
async function startServer({
  program,
  cluster,
  account,
  settings,
  log,
  port,
}: Start & { port: number }): Promise<ChildProcess | string[]> {
  const given = { listen_addresses: '127.0.0.1', port, unix_socket_directories: '', log_line_prefix: '', ...settings }
  const flags = Object.entries(given).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn('/bin/sh', ['-c', launch, 'postgres', program, '-D', dataDirectory(cluster), ...flags], {
    cwd: cluster,
    env: environment,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    ...(account && { uid: account.uid, gid: account.gid }),
  })
  const ended = once(child, 'exit').catch(() => undefined)
  const watcher = child.stdio[3] as Socket
  watcher.on('error', () => {})
  const last: string[] = []
  child.on('error', (error) => last.push(error.message))
  const stderr = child.stderr as Socket
  createInterface({ input: stderr }).on('line', (line) => {
    log(line)
    if (last.push(line) > 12) last.shift()
  })
  while (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    if (await isReady(cluster, child.pid)) {
      void ended.then(() => watcher.end('leave\n'))
      child.unref()
      stderr.unref()
      watcher.unref()
      return child
    }
    await Promise.race([ended, wait(10)])
  }
  watcher.end('leave\n')
  return last
}

/** The server writes its state on the eighth line of postmaster.pid, which is how pg_ctl knows it as well. */
async function isReady(cluster: string, pid: number): Promise<boolean> {
  const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  return lines[0] === String(pid) && lines[7]?.startsWith('ready') === true
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.ref()
  const ended = once(child, 'exit')
  child.kill('SIGINT')
  const patience = setTimeout(() => child.kill('SIGQUIT'), stopPatienceMs)
  await ended
  clearTimeout(patience)
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
