import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { BlobStore } from './storage.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const notThere = { status: 404, type: 'not_found' }

/** Megabytes of a pattern that differs from one to the next, made as they are asked for. */
function* megabytes(count: number, seed = 0): Generator<Uint8Array> {
  for (let index = 0; index < count; index++) {
    const chunk = Buffer.alloc(1024 * 1024, (index * 31 + seed) % 251)
    chunk.writeUInt32BE(index)
    yield chunk
  }
}

async function digest(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of source) hash.update(chunk)
  return hash.digest('hex')
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes in buffers that something still holds. */
function held(): number {
  collectGarbage()
  return process.memoryUsage().arrayBuffers
}

/** What every backend of the port does alike. */
export function describeStorage(title: string, open: () => Promise<BlobStore>): void {
  describe(title, () => {
    let store: BlobStore
    beforeAll(async () => {
      store = await open()
    })
    afterEach(() => store.removeAll('t'))
    afterAll(() => store.close())

    const names = async (prefix: string): Promise<string[]> => {
      const found = []
      for await (const { name } of store.list(prefix)) found.push(name)
      return found
    }
    const part = async (name: string, start: number, end?: number) =>
      String(await buffer(await store.get(name, { start, end })))

    test('gives back what was put, and tells its size and time', async () => {
      const before = Date.now()
      expect(await store.put('t/a/hello.txt', bytes('hello'), { mediaType: 'text/plain' })).toEqual({ size: 5 })
      expect(String(Buffer.from(await store.read('t/a/hello.txt')))).toBe('hello')
      expect(String(await buffer(await store.get('t/a/hello.txt')))).toBe('hello')
      const found = await store.stat('t/a/hello.txt')
      expect(found?.size).toBe(5)
      expect(Math.abs((found?.modified.getTime() ?? 0) - before)).toBeLessThan(60_000)
    })

    test('takes a file over, also under a name that is taken', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'voicepress-taken-'))
      try {
        for (const text of ['first', 'second one']) {
          const file = join(folder, 'file')
          await writeFile(file, text)
          expect(await store.putFile('t/taken', file, { mediaType: 'text/plain' })).toEqual({ size: text.length })
          expect(String(Buffer.from(await store.read('t/taken')))).toBe(text)
        }
        await expect(store.putFile('../out', join(folder, 'file'))).rejects.toMatchObject({ type: 'invalid_blob_name' })
        await expect(store.putFile('t/none', join(folder, 'none'))).rejects.toThrow()
        expect(await store.stat('t/none')).toBeNull()
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    })

    test('takes streams of strings, of bytes and of nothing', async () => {
      expect(await store.put('t/strings', Readable.from(['hö', 'ren']))).toEqual({ size: 6 })
      expect(String(Buffer.from(await store.read('t/strings')))).toBe('hören')
      expect(await store.put('t/none', Readable.from([]))).toEqual({ size: 0 })
      expect(await store.put('t/empty', new Uint8Array())).toEqual({ size: 0 })
      for (const name of ['t/none', 't/empty']) {
        expect((await store.stat(name))?.size).toBe(0)
        expect(await store.read(name)).toHaveLength(0)
        expect(await buffer(await store.get(name))).toHaveLength(0)
        await expect(store.get(name, { start: 0 })).rejects.toMatchObject({
          status: 416,
          type: 'range_not_satisfiable',
        })
      }
    })

    test('knows what is not there', async () => {
      await store.put('t/folder/blob', bytes('x'))
      for (const name of ['t/missing', 't/folder', 't/folder/blob/below']) {
        expect(await store.stat(name)).toBeNull()
        await expect(store.get(name)).rejects.toMatchObject(notThere)
        await expect(store.read(name)).rejects.toMatchObject(notThere)
        await expect(store.localPath(name)).rejects.toMatchObject(notThere)
        await store.remove(name)
      }
      await store.removeAll('t/nothing/here')
      expect(await names('t/nothing')).toEqual([])
      expect(await names('t')).toEqual(['t/folder/blob'])
    })

    test('reads ranges as HTTP counts them', async () => {
      await store.put('t/digits', bytes('0123456789'))
      expect(await part('t/digits', 0, 0)).toBe('0')
      expect(await part('t/digits', 2, 4)).toBe('234')
      expect(await part('t/digits', 7)).toBe('789')
      expect(await part('t/digits', 9, 9)).toBe('9')
      expect(await part('t/digits', 5, 1_000)).toBe('56789')
      for (const start of [10, 11, 1_000_000])
        await expect(store.get('t/digits', { start })).rejects.toMatchObject({ status: 416 })
      for (const range of [{ start: -1 }, { start: 3, end: 2 }, { start: 0.5 }, { start: Number.NaN }])
        await expect(store.get('t/digits', range)).rejects.toMatchObject({ status: 416 })
      await expect(store.get('t/missing', { start: 0 })).rejects.toMatchObject(notThere)
    })

    test('replaces, with what is shorter as well, and a reader keeps what it began with', async () => {
      await store.put('t/replaced', Buffer.alloc(300_000, 'a'))
      const reading = await store.get('t/replaced')
      await store.put('t/replaced', bytes('short'))
      expect(String(Buffer.from(await store.read('t/replaced')))).toBe('short')
      const seen = await buffer(reading).catch(() => Buffer.alloc(0))
      expect(seen.every((byte) => byte === 'a'.charCodeAt(0))).toBe(true)
    })

    test('lists what lies below a prefix, in the order of whole names', async () => {
      const put = ['t/b', 't/a/2', 't/a/1', 't/a-b/1', 't/a.b', 't/a0', 't/ab/c/d', 't/A', 't/a/x/y']
      await Promise.all(put.map((name) => store.put(name, bytes(name))))
      expect(await names('t')).toEqual([...put].sort((a, b) => (a < b ? -1 : 1)))
      expect(await names('t/')).toEqual(await names('t'))
      expect(await names('t/a')).toEqual(['t/a/1', 't/a/2', 't/a/x/y'])
      expect((await names('')).filter((name) => name.startsWith('t/'))).toEqual(await names('t'))
      for await (const { name, size, modified } of store.list('t')) {
        expect(size).toBe(name.length)
        expect(modified.getTime()).toBeGreaterThan(0)
      }
    })

    test('removes a blob, and all below a prefix but nothing beside it', async () => {
      for (const name of ['t/1/a', 't/1/b/c', 't/10/a', 't/1x']) await store.put(name, bytes(name))
      await store.remove('t/1/a')
      expect(await names('t/1')).toEqual(['t/1/b/c'])
      await store.removeAll('t/1')
      expect(await names('t')).toEqual(['t/10/a', 't/1x'])
      await expect(store.removeAll('')).rejects.toMatchObject({ status: 400 })
    })

    test('lists and removes more than a page', async () => {
      const many = Array.from({ length: 250 }, (_, index) => `t/many/${String(index).padStart(5, '0')}`)
      for (let at = 0; at < many.length; at += 50)
        await Promise.all(many.slice(at, at + 50).map((name) => store.put(name, bytes('x'))))
      expect(await names('t/many')).toEqual(many)
      await store.removeAll('t/many')
      expect(await names('t')).toEqual([])
    })

    test('streams what is bigger than it holds in memory', async () => {
      const count = 96
      const before = held()
      let peak = 0
      const watch = async function* (source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
        let seen = 0
        for await (const chunk of source) {
          if (seen % (8 * 1024 ** 2) < chunk.byteLength) peak = Math.max(peak, held() - before)
          seen += chunk.byteLength
          yield chunk
        }
      }
      expect(await store.put('t/big', Readable.from(watch(megabytes(count)), { objectMode: false }))).toEqual({
        size: count * 1024 ** 2,
      })
      expect((await store.stat('t/big'))?.size).toBe(count * 1024 ** 2)
      expect(await digest(watch(await store.get('t/big')))).toBe(await digest(megabytes(count)))
      expect(peak).toBeLessThan(72 * 1024 ** 2)
      const middle = await buffer(await store.get('t/big', { start: 50 * 1024 ** 2, end: 50 * 1024 ** 2 + 3 }))
      expect(middle.readUInt32BE()).toBe(50)
    })

    test('of several puts of one name, one is there as a whole', async () => {
      const count = 12
      const variants = [1, 2, 3, 4]
      await Promise.all(
        variants.map((seed) => store.put('t/contested', Readable.from(megabytes(count, seed), { objectMode: false }))),
      )
      const whole = await Promise.all(variants.map((seed) => digest(megabytes(count, seed))))
      expect(whole).toContain(await digest(await store.get('t/contested')))
      await Promise.all(Array.from({ length: 20 }, (_, index) => store.put('t/contested', bytes(`small ${index}`))))
      expect(String(Buffer.from(await store.read('t/contested')))).toMatch(/^small \d+$/)
      expect(await names('t')).toEqual(['t/contested'])
    })

    test('a put that breaks off leaves what was there, or nothing', async () => {
      await store.put('t/kept', bytes('kept'))
      async function* breaking() {
        yield* megabytes(12)
        throw new Error('the source broke')
      }
      for (const name of ['t/kept', 't/never']) {
        await expect(store.put(name, Readable.from(breaking(), { objectMode: false }))).rejects.toThrow(
          'the source broke',
        )
        const cut = new PassThrough()
        cut.write('half')
        setTimeout(() => cut.destroy(), 20)
        await expect(store.put(name, cut)).rejects.toThrow()
      }
      expect(await names('t')).toEqual(['t/kept'])
      expect(String(Buffer.from(await store.read('t/kept')))).toBe('kept')
    })

    test('a reader that stops early frees the stream', async () => {
      await store.put('t/long', Readable.from(megabytes(12), { objectMode: false }))
      for await (const chunk of await store.get('t/long')) {
        expect(chunk.length).toBeGreaterThan(0)
        break
      }
    })

    test('gives a path with the bytes, anew when they change', async () => {
      await store.put('t/voice.wav', bytes('one'))
      const [path, again] = await Promise.all([store.localPath('t/voice.wav'), store.localPath('t/voice.wav')])
      expect(again).toBe(path)
      expect(path).toMatch(/\.wav$/)
      expect(await readFile(path, 'utf8')).toBe('one')
      await store.put('t/voice.wav', bytes('three'))
      expect(await readFile(await store.localPath('t/voice.wav'), 'utf8')).toBe('three')
    })

    test('one stream flows into another', async () => {
      await store.put('t/from', Readable.from(megabytes(3), { objectMode: false }))
      const through = new PassThrough()
      const [written] = await Promise.all([store.put('t/to', through), pipeline(await store.get('t/from'), through)])
      expect(written.size).toBe(3 * 1024 ** 2)
    })

    test('takes every valid name, and refuses every other before it does anything', async () => {
      const letter = fc.constantFrom(...'abcXYZ019._-')
      const valid = fc
        .array(fc.string({ unit: letter, minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 })
        .map((parts) => `t/v/${parts.map((part) => (/^\.\.?$/.test(part) ? `${part}x` : part)).join('/')}`)
      await fc.assert(
        fc.asyncProperty(valid, async (name) => {
          await store.put(name, bytes(name))
          expect(String(Buffer.from(await store.read(name)))).toBe(name)
          expect(await names('t/v')).toEqual([name])
          await store.remove(name)
        }),
        { numRuns: 30 },
      )
      const foreign = fc
        .string({ unit: fc.constantFrom(...'ab/.\\~%:*? \0\n"é😀') })
        .filter((name) => !/^[ab.]+(\/[ab.]+)*$/.test(name) || /(^|\/)\.\.?(\/|$)/.test(name))
      const evil = fc.constantFrom(
        '',
        '/',
        '/etc/passwd',
        't/../x',
        '..',
        '.',
        't//x',
        't/',
        './t',
        't/.',
        'C:\\x',
        'x'.repeat(256),
        `${'x/'.repeat(512)}x`,
        '~incoming/x',
      )
      await fc.assert(
        fc.asyncProperty(fc.oneof(foreign, evil), async (name) => {
          const refused = { status: 400, type: 'invalid_blob_name' }
          await expect(store.put(name, bytes('x'))).rejects.toMatchObject(refused)
          await expect(store.get(name)).rejects.toMatchObject(refused)
          await expect(store.read(name)).rejects.toMatchObject(refused)
          await expect(store.stat(name)).rejects.toMatchObject(refused)
          await expect(store.remove(name)).rejects.toMatchObject(refused)
          await expect(store.localPath(name)).rejects.toMatchObject(refused)
        }),
        { numRuns: 200 },
      )
    })
  })
}
