import { access, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openStorage } from './open-storage.ts'
import { describeStorage } from './storage-contract.ts'

const root = await mkdtemp(join(tmpdir(), 'file-storage-test-'))
afterAll(() => rm(root, { recursive: true, force: true }))

describeStorage('files', () => openStorage({ kind: 'file', folder: join(root, 'contract') }))

const files = async (folder: string): Promise<string[]> => (await readdir(folder, { recursive: true })).sort()

test('leaves no empty folders and no drafts', async () => {
  const folder = join(root, 'tidy')
  const store = await openStorage({ kind: 'file', folder })
  await store.put('a/b/c/d', Buffer.from('x'))
  await store.put('a/e', Buffer.from('x'))
  await store.remove('a/b/c/d')
  expect(await files(folder)).toEqual(['a', 'a/e', '~incoming'])
  await store.removeAll('a')
  expect(await files(folder)).toEqual(['~incoming'])
})

test('a name that would be a file and a folder at once is refused', async () => {
  const store = await openStorage({ kind: 'file', folder: join(root, 'both') })
  await store.put('a/b', Buffer.from('x'))
  const taken = { status: 409, type: 'blob_name_taken' }
  await expect(store.put('a', Buffer.from('x'))).rejects.toMatchObject(taken)
  await expect(store.put('a/b/c', Buffer.from('x'))).rejects.toMatchObject(taken)
  await expect(store.put('a/b/c/d', Buffer.from('x'))).rejects.toMatchObject(taken)
})

test('follows no link out of the folder, to a file or to a folder', async () => {
  const folder = join(root, 'linked')
  const outside = join(root, 'outside')
  await mkdir(outside)
  await writeFile(join(outside, 'secret'), 'secret')
  const store = await openStorage({ kind: 'file', folder })
  await symlink(outside, join(folder, 'way'))
  await symlink(join(outside, 'secret'), join(folder, 'file'))
  for (const name of ['way/secret', 'file']) {
    await expect(store.read(name)).rejects.toMatchObject({ status: 404 })
    await expect(store.get(name)).rejects.toMatchObject({ status: 404 })
    await expect(store.localPath(name)).rejects.toMatchObject({ status: 404 })
    expect(await store.stat(name)).toBeNull()
    await store.remove(name)
  }
  await expect(store.put('way/planted', Buffer.from('x'))).rejects.toMatchObject({ status: 409 })
  await expect(store.put('way/new/planted', Buffer.from('x'))).rejects.toMatchObject({ status: 409 })
  await store.removeAll('way')
  const found = []
  for await (const { name } of store.list('')) found.push(name)
  expect(found).toEqual([])
  expect(await files(outside)).toEqual(['secret'])
  await store.put('file', Buffer.from('ours'))
  expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('secret')
})

test('drafts of a process that died are swept once they are old', async () => {
  const folder = join(root, 'swept')
  await mkdir(join(folder, '~incoming'), { recursive: true })
  for (const name of ['old', 'young']) await writeFile(join(folder, '~incoming', name), 'half')
  const yesterday = new Date(Date.now() - 25 * 3_600_000)
  await utimes(join(folder, '~incoming', 'old'), yesterday, yesterday)
  const store = await openStorage({ kind: 'file', folder })
  expect(await readdir(join(folder, '~incoming'))).toEqual(['young'])
  const found = []
  for await (const { name } of store.list('')) found.push(name)
  expect(found).toEqual([])
})

test('puts and removals in one folder at once do not disturb each other', async () => {
  const store = await openStorage({ kind: 'file', folder: join(root, 'busy') })
  await Promise.all(
    Array.from({ length: 8 }, async (_, worker) => {
      for (let round = 0; round < 25; round++) {
        const name = `deep/er/folder/${worker}`
        await store.put(name, Buffer.from(name))
        expect(String(await store.read(name))).toBe(name)
        await store.remove(name)
      }
    }),
  )
  await expect(access(join(root, 'busy', 'deep'))).rejects.toThrow()
})
