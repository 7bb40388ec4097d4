import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { end, onLinux, open, openElsewhere, query, serversOn, until } from '../../test/embedded-postgres-fixture.ts'

let root: string

beforeAll(async () => {
  root = await mkdtemp(join(await realpath(tmpdir()), 'embedded-postgres-test-'))
  await chmod(root, 0o755)
})
afterAll(() => rm(root, { recursive: true, force: true }))

describe('a data folder of its own', () => {
  test('is made on first use, keeps its data, and is set up for all of Unicode with checksums', async () => {
    const folder = join(root, 'new', 'below', 'missing folders')
    const lines: string[] = []
    const first = await open(folder, { log: (line) => lines.push(line) })
    expect(first.version).toMatch(/^18\.\d+$/)
    expect(lines.join('\n')).toContain('ready to accept connections')
    const [facts] = await query(
      first.url,
      `select current_setting('data_checksums') checksums, current_setting('server_encoding') encoding, current_setting('TimeZone') zone,
        current_setting('synchronous_commit') durable, current_setting('listen_addresses') address, current_setting('fsync') fsync,
        datlocprovider provider, datlocale locale, lower('ÄÉÑ') lower from pg_database where datname = 'postgres'`,
    )
    expect(facts).toEqual({
      checksums: 'on',
      encoding: 'UTF8',
      zone: 'UTC',
      durable: 'on',
      address: '127.0.0.1',
      fsync: 'off',
      provider: 'b',
      locale: 'C.UTF-8',
      lower: 'äéñ',
    })
    await query(first.url, 'create table kept as select 42 as answer')
    await first.close()
    const second = await open(folder)
    expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }])
    await second.close()
    expect(await serversOn(folder)).toEqual([])
    expect((await readdir(folder)).sort()).toEqual(['cluster', 'lock', 'password'])
  })

  test('refuses a wrong password', async () => {
    const database = await open(join(root, 'guarded'))
    const url = new URL(database.url)
    url.password = 'wrong'
    await expect(query(url.href, 'select 1')).rejects.toMatchObject({ code: '28P01' })
    await database.close()
  })

  test('gets a new password when the file is lost', async () => {
    const folder = join(root, 'guarded')
    await rm(join(folder, 'password'))
    const database = await open(folder)
    expect(await query(database.url, 'select 1 as one')).toEqual([{ one: 1 }])
    await database.close()
  })

  test('closes at once though clients are connected', async () => {
    const database = await open(join(root, 'guarded'))
    const client = new pg.Client({ connectionString: database.url })
    client.on('error', () => {})
    await client.connect()
    const sleeping = client.query('select pg_sleep(600)').catch((error: { code?: string }) => error.code)
    await database.close()
    expect(await sleeping).toMatch(/57P01|undefined/)
  })

  test('says so when another major version made it', async () => {
    const folder = join(root, 'older')
    await mkdir(join(folder, 'cluster'), { recursive: true })
    await writeFile(join(folder, 'cluster', 'PG_VERSION'), '17\n')
    await expect(open(folder)).rejects.toMatchObject({
      status: 409,
      type: 'data_folder_version',
      extra: { made: '17' },
    })
  })

  test('says so when the given port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    await expect(open(join(root, 'guarded'), { port })).rejects.toMatchObject({ status: 409, type: 'port_in_use' })
    server.close()
  })

  test('says what PostgreSQL said when a setting is wrong', async () => {
    await expect(open(join(root, 'guarded'), { settings: { shared_buffers: 'many' } })).rejects.toMatchObject({
      type: 'postgres_did_not_start',
      message: expect.stringContaining('shared_buffers') as string,
    })
  })
})

describe('two starts on one folder', () => {
  test('the second says so, in this process and in another', async () => {
    const folder = join(root, 'twice')
    const database = await open(folder)
    await expect(open(folder)).rejects.toMatchObject({
      status: 409,
      type: 'data_folder_in_use',
      extra: { folder, pid: process.pid },
    })
    const { child, said } = await openElsewhere(folder, { after: '' })
    expect(said).toBe('data_folder_in_use')
    await end(child)
    expect(await query(database.url, 'select 1 as one')).toEqual([{ one: 1 }])
    await database.close()
  })

  test('of many at once exactly one gets it', async () => {
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => open(join(root, 'crowded'))))
    const opened = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    expect(opened).toHaveLength(1)
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ type: 'data_folder_in_use' })
    await opened[0]?.close()
  })
})

describe('after the process died', () => {
  test('by SIGKILL, its server stops and the folder opens with all that was committed', async () => {
    const folder = join(root, 'killed')
    const { child, said } = await openElsewhere(folder)
    await query(said, 'create table survivor as select 1 as one')
    await end(child)
    const database = await open(folder)
    expect(await query(database.url, 'select one from survivor')).toEqual([{ one: 1 }])
    await database.close()
    expect(await serversOn(folder)).toEqual([])
  })

  if (onLinux)
    test('together with the watcher, the orphaned server is stopped', async () => {
      const folder = join(root, 'killed')
      const { child } = await openElsewhere(folder)
      const [postmaster = ''] = (await readFile(join(folder, 'cluster', 'postmaster.pid'), 'utf8')).split('\n')
      for (const entry of await readdir('/proc')) {
        const commandLine = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')
        const session = (await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '')).split(') ')[1]?.split(' ')[3]
        if (commandLine.startsWith('/bin/sh\0') && session === postmaster) process.kill(Number(entry), 'SIGKILL')
      }
      await end(child)
      expect(await serversOn(folder)).toContain(Number(postmaster))
      const database = await open(folder)
      expect(await serversOn(folder)).not.toContain(Number(postmaster))
      await database.close()
    })

  test('by leaving without closing, its server stops too', async () => {
    const folder = join(root, 'killed')
    const { child } = await openElsewhere(folder, { after: '' })
    if (child.exitCode === null) await once(child, 'exit')
    expect(child.exitCode).toBe(0)
    await until(async () => (await serversOn(folder)).length === 0)
  })

  test('with the machine, a pid file that names a living stranger is no obstacle', async () => {
    const folder = join(root, 'killed')
    await writeFile(
      join(folder, 'cluster', 'postmaster.pid'),
      `${process.pid}\n/proc/self/cwd\n0\n5432\n\n127.0.0.1\n\nready   \n`,
    )
    await writeFile(
      join(folder, 'lock.pid'),
      `${process.pid}
`,
    )
    await (await open(folder)).close()
  })

  test('in the middle of initdb, the next start begins anew', async () => {
    const folder = join(root, 'half made')
    await mkdir(join(folder, 'cluster.new', 'base'), { recursive: true })
    await mkdir(join(folder, 'cluster'))
    await (await open(folder)).close()
  })

  if (onLinux)
    test('Ctrl-C reaches us and not the server', async () => {
      const folder = join(root, 'killed')
      const { child, said } = await openElsewhere(folder, { before: `process.on('SIGINT', () => {})` })
      process.kill(-(child.pid as number), 'SIGINT')
      expect(await query(said, 'select 1 as one')).toEqual([{ one: 1 }])
      await end(child)
      await until(async () => (await serversOn(folder)).length === 0)
    })
})
