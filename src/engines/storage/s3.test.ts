import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, expect, test } from 'vitest'
import { startS3, startS3rver } from '../../../test/storage-server.ts'
import { openStorage } from './open-storage.ts'
import { describeStorage } from './storage-contract.ts'

const server = await startS3('voicepress')
afterAll(() => server.stop())

const config = {
  kind: 's3',
  bucket: 'voicepress',
  endpoint: `http://127.0.0.1:${server.port}`,
  forcePathStyle: true,
  accessKeyId: 'S3RVER',
  secretAccessKey: 'S3RVER',
} as const

describeStorage('S3', () => openStorage(config))

test('says so when the bucket is not there', async () => {
  await expect(openStorage({ ...config, bucket: 'missing' })).rejects.toMatchObject({
    type: 'storage_unavailable',
    extra: { bucket: 'missing' },
  })
})

test('is understood by another S3 server, which checks signatures', async () => {
  const folder = await mkdtemp(join(tmpdir(), 's3-storage-test-'))
  const other = await startS3rver(folder, 'voicepress')
  const endpoint = `http://127.0.0.1:${other.port}`
  const store = await openStorage({ ...config, endpoint })
  const parts = Array.from({ length: 40 }, (_, index) => Buffer.alloc(1024 * 1024, index))
  expect(await store.put('a/big', Readable.from(parts, { objectMode: false }))).toEqual({ size: 40 * 1024 ** 2 })
  await store.put('a/small', Buffer.from('0123456789'), { mediaType: 'text/plain' })
  expect(Buffer.concat(parts).equals(await store.read('a/big'))).toBe(true)
  expect(await (await store.get('a/small', { start: 2, end: 4 })).toArray()).toEqual([Buffer.from('234')])
  expect((await store.stat('a/small'))?.size).toBe(10)
  expect(await store.stat('a/missing')).toBeNull()
  const names = []
  for await (const { name } of store.list('a')) names.push(name)
  expect(names).toEqual(['a/big', 'a/small'])
  await store.removeAll('a')
  expect(await store.stat('a/big')).toBeNull()
  await store.close()
  await expect(
    openStorage({ ...config, endpoint, secretAccessKey: 'wrong' }).then((wrong) => wrong.read('a/small')),
  ).rejects.toThrow()
  await other.stop()
  await rm(folder, { recursive: true, force: true })
})
