import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adtsFrames, adtsHeader } from './adts.ts'
import { assembleM4b, type M4bRequest } from './assemble-m4b.ts'
import { box, cutUtf8 } from './mp4-boxes.ts'
import { boxesIn } from './read-boxes.ts'
import { readM4b } from './read-m4b.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'm4b-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Frames that hold their own number: enough to see where each ends up. */
const writeChapter = (name: string, frames: number) => {
  const file = join(folder, name)
  writeFileSync(
    file,
    Buffer.concat(
      Array.from({ length: frames }, (_, i) => [adtsHeader(5 + (i % 3)), Buffer.alloc(5 + (i % 3), i)]).flat(),
    ),
  )
  return file
}

const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3])
const book = (change: Partial<M4bRequest> = {}): M4bRequest => ({
  chapters: [
    { file: writeChapter('1.aac', 11), title: 'One', duration: 10 * (1024 / 44_100) },
    { file: writeChapter('2.aac', 21), title: 'Two – ¿dónde?', duration: 20 * (1024 / 44_100) },
    { file: writeChapter('3.aac', 6), title: 'Three', duration: (5 * 1024 - 300) / 44_100 },
  ],
  metadata: {
    title: 'A Book',
    subtitle: 'And More',
    authors: ['A. Author', 'B. Writer'],
    narrators: ['A Voice'],
    publisher: 'Nobody',
    published: '1813',
    description: 'ñ'.repeat(400),
    language: 'es-PE',
    isbn: '9780000000002',
    series: { name: 'Books', position: '2' },
  },
  cover: { bytes: JPEG },
  file: join(folder, 'book.m4b'),
  ...change,
})

test('chapters, tags and cover come back as they went in', () => {
  const result = assembleM4b(book())
  const read = readM4b(result.duration ? join(folder, 'book.m4b') : '')!
  expect(result.duration).toBeCloseTo((35 * 1024 - 300) / 44_100, 6)
  expect(result.chapters.map(({ start }) => Math.round((start * 44_100) / 1024))).toEqual([0, 10, 30])
  expect(read.chapters.map(({ title }) => title)).toEqual(['One', 'Two – ¿dónde?', 'Three'])
  for (const [i, { start }] of read.chapters.entries()) expect(start).toBeCloseTo(result.chapters[i]!.start, 3)
  expect(read).toMatchObject({
    quickTimeChapters: 3,
    neroChapters: 3,
    cover: { mediaType: 'image/jpeg', bytes: JPEG.length },
    isFastStart: true,
  })
  expect(read.tags).toMatchObject({
    '©nam': 'A Book',
    '©ART': 'A. Author, B. Writer',
    '©wrt': 'A Voice',
    '©day': '1813',
    '©gen': 'Audiobook',
    stik: '2',
    ISBN: '9780000000002',
    LANGUAGE: 'es-PE',
  })
  expect(read.tags.desc).toBe('ñ'.repeat(127))
  expect(read.tags.ldes).toBe('ñ'.repeat(400))
})

test('the same book gives the same bytes', () => {
  assembleM4b(book())
  const first = readFileSync(join(folder, 'book.m4b'))
  assembleM4b(book())
  expect(readFileSync(join(folder, 'book.m4b')).equals(first)).toBe(true)
})

test('offsets of 64 bits lead to the same audio', () => {
  assembleM4b(book())
  const small = readFileSync(join(folder, 'book.m4b'))
  assembleM4b(book({ largeFrom: 1 }))
  const large = readFileSync(join(folder, 'book.m4b'))
  expect(small.includes('stco')).toBe(true)
  expect(large.includes('stco')).toBe(false)
  expect(large.includes('co64')).toBe(true)
  expect(readM4b(join(folder, 'book.m4b'))!.chapters).toHaveLength(3)
  const audio = (bytes: Buffer) => bytes.subarray(bytes.indexOf('mdat') + 4)
  expect(audio(large).subarray(8).equals(audio(small))).toBe(true)
})

test('more than 255 chapters: the text track has all, the other list the first 255', () => {
  const file = writeChapter('many.aac', 3)
  const long = `${'x'.repeat(254)}é and more`
  const chapters = Array.from({ length: 300 }, (_, i) => ({
    file,
    title: i === 0 ? long : `Chapter ${i + 1}`,
    duration: 2 * (1024 / 44_100),
  }))
  assembleM4b(book({ chapters }))
  const read = readM4b(join(folder, 'book.m4b'))!
  expect(read.quickTimeChapters).toBe(300)
  expect(read.neroChapters).toBe(255)
  expect(read.chapters[0]!.title).toBe(long)
  expect(read.chapters.at(-1)!.start).toBeCloseTo((299 * 2 * 1024) / 44_100, 2)
})

test('what cannot be a book is refused', () => {
  const notAdts = join(folder, 'not.aac')
  writeFileSync(notAdts, 'no audio at all')
  const truncated = join(folder, 'cut.aac')
  writeFileSync(truncated, readFileSync(writeChapter('whole.aac', 9)).subarray(0, -2))
  expect(() => assembleM4b(book({ chapters: [] }))).toThrow('at least one chapter')
  for (const file of [notAdts, truncated, writeChapter('empty.aac', 0)]) {
    expect(() => assembleM4b(book({ chapters: [{ file, title: 'x', duration: 1 }] }))).toThrow(file)
  }
  expect(() => assembleM4b(book({ cover: { bytes: Buffer.from('GIF89a') } }))).toThrow('neither a JPEG nor a PNG')
})

test('ADTS frames come back whole', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 4000 }), { minLength: 1, maxLength: 200 }),
      (frames) => {
        const file = join(folder, 'frames.aac')
        writeFileSync(file, Buffer.concat(frames.flatMap((frame) => [adtsHeader(frame.length), frame])))
        let i = 0
        for (const { bytes, config } of adtsFrames(file)) {
          expect(Buffer.compare(bytes, frames[i++]!)).toBe(0)
          expect(config).toBe(0x1208)
        }
        expect(i).toBe(frames.length)
      },
    ),
    { numRuns: 40 },
  )
})

test('boxes within boxes come back as they were written', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.stringMatching(/^[a-z0-9 ]{4}$/), fc.uint8Array({ maxLength: 300 })), { maxLength: 20 }),
      (boxes) => {
        const whole = box('outr', ...boxes.map(([type, payload]) => box(type, payload)))
        const [outer] = boxesIn(whole, 0, whole.length)
        const inner = [...boxesIn(whole, outer!.from, outer!.to)].map(({ type, from, to }) => [
          type,
          Buffer.from(whole.subarray(from, to)).toString('hex'),
        ])
        expect(inner).toEqual(boxes.map(([type, payload]) => [type, Buffer.from(payload).toString('hex')]))
      },
    ),
  )
})

test('a broken index is read as far as it goes', () => {
  assembleM4b(book())
  const whole = readFileSync(join(folder, 'book.m4b'))
  const file = join(folder, 'mutated.m4b')
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      fc.nat(whole.length),
      (changes, length) => {
        const mutated = Buffer.from(whole)
        for (const [at, value] of changes) mutated[at] = value
        writeFileSync(file, mutated.subarray(0, length))
        try {
          readM4b(file)
        } catch (error) {
          // An index that claims to be larger than any is refused.
          expect(error).toMatchObject({ type: 'unreadable_audio' })
        }
      },
    ),
    { numRuns: 150 },
  )
})

test('titles are cut between characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(300), (text, limit) => {
      const cut = cutUtf8(text, limit)
      expect(cut.length).toBeLessThanOrEqual(limit)
      expect(text.toWellFormed().startsWith(cut.toString('utf8'))).toBe(true)
    }),
  )
})
