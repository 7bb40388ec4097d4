import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockFolder } from './folder-lock.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'folder-lock-test-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('is held until it is released, and can be taken again', async () => {
  for (let round = 0; round < 3; round++) {
    const lock = await lockFolder(folder)
    await expect(lockFolder(folder)).rejects.toMatchObject({
      status: 409,
      type: 'data_folder_in_use',
      extra: { folder, pid: process.pid },
    })
    await lock.release()
    await lock.release()
  }
  expect(await readdir(folder)).toEqual(['lock'])
})

test('of many claims at once one wins', async () => {
  const claims = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder)))
  const held = claims.flatMap((claim) => (claim.status === 'fulfilled' ? [claim.value] : []))
  expect(held).toHaveLength(1)
  await held[0]?.release()
})

test('a refused claim here does not open the folder to others', async () => {
  const lock = await lockFolder(folder)
  await expect(lockFolder(folder)).rejects.toMatchObject({ type: 'data_folder_in_use' })
  const source = `import { lockFolder } from ${JSON.stringify(new URL('./folder-lock.ts', import.meta.url).href)}
    await lockFolder(${JSON.stringify(folder)}).then(() => console.log('got it'), (error) => console.log(error.type))`
  const said = spawnSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' })
  expect(said.stdout).toBe('data_folder_in_use\n')
  await lock.release()
})

test('what a dead process left behind is no claim', async () => {
  await writeFile(join(folder, 'lock'), '')
  await writeFile(join(folder, 'lock.pid'), `${process.pid}\n`)
  await (await lockFolder(folder)).release()
})

test('a folder that cannot be written is not said to be in use', async () => {
  await expect(lockFolder(join(folder, 'missing'))).rejects.toMatchObject({ message: 'unable to open database file' })
})
