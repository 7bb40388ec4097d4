import { once } from 'node:events'
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { end, open, openElsewhere, query, quick, serversOn, until } from '../../test/embedded-postgres-fixture.ts'
import { packagedFolder } from './postgres-binaries.ts'

const isRoot = process.getuid?.() === 0
const nobody = { uid: 65_534, gid: 65_534 }
const become = ({ uid, gid }: typeof nobody): string =>
  `process.setgroups([]); process.setgid(${gid}); process.setuid(${uid}); process.chdir('/')`

let root: string

beforeAll(async () => {
  root = await mkdtemp(join(await realpath(tmpdir()), 'postgres-binaries-test-'))
  await chmod(root, 0o755)
})
afterAll(() => rm(root, { recursive: true, force: true }))

describe('for any user, wherever things lie', () => {
  let packageFolder: string

  beforeAll(async () => {
    packageFolder = join(root, 'locked', 'node_modules', 'linux-x64')
    await mkdir(dirname(packageFolder), { recursive: true })
    await cp(packagedFolder(), packageFolder, { recursive: true, verbatimSymlinks: true })
    const links = JSON.parse(
      await readFile(join(packageFolder, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]'),
    ) as { target: string }[]
    for (const { target } of links) await rm(join(packageFolder, target), { force: true })
    await chmod(join(root, 'locked'), 0o700)
  })

  test('with the programs and the data below a folder that only its owner may enter, without install scripts', async () => {
    const folder = join(root, 'locked', 'data')
    const programs = { packageFolder, cacheFolder: join(root, 'cache') }
    for (const round of [1, 2]) {
      const database = await open(folder, { programs, settings: { ...quick, debug_parallel_query: 'on' } })
      await query(
        database.url,
        `create table round_${round} as select g from generate_series(1, 9000) g; analyze; checkpoint`,
      )
      expect(await query(database.url, `select count(*)::int from round_${round}`)).toEqual([{ count: 9000 }])
      await query(database.url, `create database copy_${round}`)
      await database.close()
    }
    expect(await readdir(join(root, 'cache'))).toHaveLength(1)
  })

  test('uses no copy that another user could have put there', async () => {
    const folder = join(root, 'locked', 'data')
    const cacheFolder = join(root, 'open to all')
    await mkdir(cacheFolder)
    await chmod(cacheFolder, 0o777)
    const name = (await readdir(join(root, 'cache')))[0] as string
    await mkdir(join(cacheFolder, name, 'bin'), { recursive: true })
    for (const program of ['postgres', 'initdb']) {
      await writeFile(join(cacheFolder, name, 'bin', program), `#!/bin/sh\ntouch '${root}/planted'\n`)
      await chmod(join(cacheFolder, name, 'bin', program), 0o755)
    }
    const temporary = join(root, 'tmp')
    await mkdir(temporary)
    const { child, said } = await openElsewhere(folder, {
      programs: { packageFolder, cacheFolder },
      env: { TMPDIR: temporary },
      after: 'await database.close()',
    })
    expect(said).toMatch(/^postgres:/)
    await once(child, 'exit')
    expect(await readdir(temporary)).toEqual([])
    expect(await readdir(root)).not.toContain('planted')
  })

  test('as an ordinary user whose home is empty', async () => {
    await chmod(join(root, 'locked'), 0o755)
    const home = join(root, 'home')
    await mkdir(home)
    if (isRoot) await chown(home, nobody.uid, nobody.gid)
    const { child, said } = await openElsewhere(join(home, 'data'), {
      before: isRoot ? become(nobody) : '',
      programs: { packageFolder },
      env: { HOME: home, XDG_CACHE_HOME: '' },
    })
    expect(await query(said, 'select 1 as one')).toEqual([{ one: 1 }])
    await end(child)
    await until(async () => (await serversOn(join(home, 'data'))).length === 0)
  })

  if (isRoot)
    test('as a user that the system has no name for: says so', async () => {
      const home = join(root, 'nameless')
      await mkdir(home)
      await chown(home, 54_321, 54_321)
      const { child, said } = await openElsewhere(join(home, 'data'), {
        before: become({ uid: 54_321, gid: 54_321 }),
        programs: { packageFolder, cacheFolder: join(home, 'cache') },
        after: '',
      })
      expect(said).toBe('user_without_name')
      await end(child)
    })

  if (isRoot)
    test('with a data folder that root has copied back', async () => {
      const folder = join(root, 'restored')
      await cp(join(root, 'locked', 'data'), folder, { recursive: true })
      await (await open(folder)).close()
    })

  test('says so when the data folder cannot be made', async () => {
    await writeFile(join(root, 'a file'), '')
    await expect(open(join(root, 'a file', 'data'))).rejects.toMatchObject({ type: 'data_folder_unusable' })
  })
})
