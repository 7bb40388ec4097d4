import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openApp } from '../../src/app.ts'
import { openLocal } from '../../src/commands/client.ts'
import { followJob } from '../../src/commands/follow-job.ts'
import { uploadOf } from '../../src/kit/cli.ts'
import { choosePostgresAccount } from '../../src/kit/postgres-account.ts'
import { closeKernel } from '../../src/kit/kernel.ts'
import { testSecret } from '../global-postgres.ts'

// The oldest PostgreSQL that is promised, from Debian.
const programs = '/usr/lib/postgresql/15/bin'
let folder: string
let server: ChildProcess
let url: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voicepress-postgres-15-'))
  const account = await choosePostgresAccount(null)
  const as = account ? { uid: account.uid, gid: account.gid } : {}
  if (account) await chown(folder, account.uid, account.gid)
  const data = join(folder, 'data')
  execFileSync(
    join(programs, 'initdb'),
    ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8'],
    { ...as, cwd: folder, stdio: 'ignore' },
  )
  const port = await freePort()
  server = spawn(
    join(programs, 'postgres'),
    [
      '-D',
      data,
      '-p',
      String(port),
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      `unix_socket_directories=${folder}`,
      '-c',
      'fsync=off',
    ],
    { ...as, cwd: folder, stdio: 'ignore' },
  )
  url = `postgres://postgres@127.0.0.1:${port}/postgres`
  for (let tries = 0; ; tries++) {
    const client = new pg.Client({ connectionString: url })
    const ready = await client.connect().then(
      () => client.end().then(() => true),
      () => false,
    )
    if (ready) break
    if (tries > 100) throw new Error('PostgreSQL 15 did not start')
    await wait(100)
  }
})
afterAll(async () => {
  server.kill('SIGINT')
  await once(server, 'exit')
  await rm(folder, { recursive: true, force: true })
})

test('a book is narrated on PostgreSQL 15, and a second start finds everything in place', async () => {
  const environment = {
    DATABASE_URL: url,
    VOICEPRESS_DATA: join(folder, 'files'),
    VOICEPRESS_SECRET: testSecret,
    VOICEPRESS_LOG_LEVEL: 'silent',
  }
  const sample = join(import.meta.dirname, '../../samples/the-lamp-room.md')
  const client = await openLocal(environment)
  const { job_id, project_id } = await client.call<{ job_id: string; project_id: string }>('projects.narrate_file', {
    source: sample,
    file: uploadOf(sample, 3500),
    request: { format: 'm4b' },
  })
  await client.work()
  const job = await followJob(client, job_id)
  expect(job.result).toMatchObject({ generated: { chapters: 2, failed_segments: 0 } })
  await client.close()

  const { kernel } = await openApp({ environment })
  const { rows } = await kernel.pool
    .query(
      `begin; select set_tenant_context('00000000-0000-0000-0000-000000000001', null, true); select status from projects where id = '${project_id}'; commit`,
    )
    .then((results) => (results as unknown as { rows: unknown[] }[])[2] ?? { rows: [] })
  expect(rows).toEqual([{ status: 'packaged' }])
  await closeKernel(kernel)
})

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}
