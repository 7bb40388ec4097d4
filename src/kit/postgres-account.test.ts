import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { choosePostgresAccount } from './postgres-account.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postgres-account-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function choose(owner: number | null, ...lines: string[]) {
  const passwd = join(folder, 'passwd')
  await writeFile(passwd, `root:x:0:0:root:/root:/bin/sh\n${lines.map((line) => `${line}\n`).join('')}`)
  return choosePostgresAccount(owner, passwd, 0)
}
const nobody = 'nobody:x:65534:65533:nobody:/:/sbin/nologin'
const postgres = 'postgres:x:70:71::/var/lib/postgresql:/bin/sh'

test('root hands PostgreSQL to postgres, else nobody, else says so', async () => {
  expect(await choose(null, nobody, postgres)).toEqual({ name: 'postgres', uid: 70, gid: 71 })
  expect(await choose(null, nobody)).toEqual({ name: 'nobody', uid: 65_534, gid: 65_533 })
  await expect(choose(null)).rejects.toMatchObject({ type: 'user_missing' })
  await expect(choosePostgresAccount(null, join(folder, 'missing'), 0)).rejects.toMatchObject({ type: 'user_missing' })
})

test('the owner of a cluster stays its owner, unless that is root', async () => {
  expect(await choose(65_534, nobody, postgres)).toMatchObject({ name: 'nobody' })
  expect(await choose(4_711, nobody, postgres)).toEqual({ name: '4711', uid: 4_711, gid: 4_711 })
  expect(await choose(0, nobody, postgres)).toMatchObject({ name: 'postgres' })
})

test('anyone else runs it as they are', async () => {
  expect(await choosePostgresAccount(65_534, '/etc/passwd', 1_000)).toBeNull()
})
