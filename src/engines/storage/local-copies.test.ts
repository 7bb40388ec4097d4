import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openLocalCopies } from './local-copies.ts'
import { openStorage } from './open-storage.ts'

const root = await mkdtemp(join(tmpdir(), 'local-copies-test-'))
afterAll(() => rm(root, { recursive: true, force: true }))

const store = await openStorage({ kind: 'file', folder: join(root, 'store') })
for (const name of ['a', 'b', 'c', 'd']) await store.put(name, Buffer.alloc(100, name))

test('keeps to its bound, dropping what was not asked for longest', async () => {
  const cacheFolder = join(root, 'bounded')
  const copies = await openLocalCopies({ cacheFolder, cacheBytes: 250, cacheGraceMs: 0 })
  const first = await copies.pathOf(store, 'a')
  const second = await copies.pathOf(store, 'b')
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(await copies.pathOf(store, 'a')).toBe(first)
  await new Promise((resolve) => setTimeout(resolve, 5))
  const third = await copies.pathOf(store, 'c')
  expect(await readFile(first, 'utf8')).toBe('a'.repeat(100))
  expect(await readFile(third, 'utf8')).toBe('c'.repeat(100))
  await expect(readFile(second)).rejects.toMatchObject({ code: 'ENOENT' })
  expect(await readFile(await copies.pathOf(store, 'b'), 'utf8')).toBe('b'.repeat(100))
  await copies.close()
  expect(await readdir(cacheFolder)).toEqual([])
})

test('leaves what was just given out, even past the bound', async () => {
  const copies = await openLocalCopies({ cacheFolder: join(root, 'grace'), cacheBytes: 1 })
  const paths = await Promise.all(['a', 'b', 'c', 'd'].map((name) => copies.pathOf(store, name)))
  for (const path of paths) expect(await readFile(path)).toHaveLength(100)
  await copies.close()
})

test('a fetch that failed is tried again', async () => {
  const copies = await openLocalCopies({ cacheFolder: join(root, 'again') })
  const broken = { stat: store.stat, get: () => Promise.reject(new Error('cut off')) }
  await expect(copies.pathOf(broken, 'a')).rejects.toThrow('cut off')
  expect(await readFile(await copies.pathOf(store, 'a'))).toHaveLength(100)
  await copies.close()
})

test('removes what a process that died has left', async () => {
  const cacheFolder = join(root, 'left')
  await mkdir(join(cacheFolder, 'voicepress-blobs-999999999-abc'), { recursive: true })
  await mkdir(join(cacheFolder, `voicepress-blobs-${process.pid}-abc`))
  const copies = await openLocalCopies({ cacheFolder })
  await copies.close()
  expect(await readdir(cacheFolder)).toEqual([`voicepress-blobs-${process.pid}-abc`])
})
