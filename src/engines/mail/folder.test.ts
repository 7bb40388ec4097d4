import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mailContract, sender } from './mail-contract.ts'
import { openMail } from './open-mail.ts'

let folder: string
const seen = new Set<string>()
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voicepress-mail-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const files = async () => (await readdir(join(folder, 'mail')).catch(() => [])).sort()

mailContract(() => ({
  mail: openMail({ folder: join(folder, 'mail'), sender }),
  async received() {
    const fresh = (await files()).filter((name) => !seen.has(name))
    for (const name of fresh) seen.add(name)
    return Promise.all(fresh.map(async (name) => ({ raw: await readFile(join(folder, 'mail', name)) })))
  },
}))

test('letters are read by their owner only', async () => {
  const [first = ''] = await files()
  expect(first).toMatch(/\.eml$/)
  expect((await stat(join(folder, 'mail', first))).mode & 0o077).toBe(0)
})
