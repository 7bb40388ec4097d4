import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { type EmbeddedPostgresOptions, openEmbeddedPostgres } from '../src/kit/embedded-postgres.ts'

export const onLinux = process.platform === 'linux'
export const quick = { fsync: 'off' }

export async function query<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Row>(sql)).rows
  } finally {
    await client.end()
  }
}

export const open = (folder: string, options: Partial<EmbeddedPostgresOptions> = {}) =>
  openEmbeddedPostgres({ folder, settings: quick, ...options })

export const serversOn = async (folder: string): Promise<number[]> => {
  const found = []
  for (const entry of onLinux ? await readdir('/proc') : [])
    if (/^\d+$/.test(entry) && (await readlink(`/proc/${entry}/cwd`).catch(() => '')) === join(folder, 'cluster'))
      found.push(Number(entry))
  return found
}

export const until = async (condition: () => Promise<boolean>): Promise<void> => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** Another process of ours that opens the folder and prints the address, or the problem's type. */
export async function openElsewhere(
  folder: string,
  { before = '', after = 'setInterval(() => {}, 1000)', programs = {}, env = {} } = {},
) {
  const options = JSON.stringify({ folder, settings: quick, programs })
  const source = `
    import { openEmbeddedPostgres } from ${JSON.stringify(new URL('../src/kit/embedded-postgres.ts', import.meta.url).href)}
    ${before}
    const database = await openEmbeddedPostgres(${options}).catch((error) => ({ url: error.type ?? String(error) }))
    console.log(database.url)
    ${after}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
    env: { ...process.env, ...env },
  })
  const [said] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return { child, said }
}

export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}
