import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exampleBook } from '../../../test/example-book.ts'
import { packAcx, type AcxContent } from './acx.ts'
import type { Book } from './book.ts'
import { chooseSample } from './choose-sample.ts'
import { closingCredits, openingCredits } from './credits.ts'
import { splitSections } from './split-sections.ts'

let folder: string
let book: Book
let content: AcxContent
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voicepress-acx-'))
  book = await exampleBook(folder)
  const audio = book.chapters[1]?.audio ?? { file: '', mediaType: '', duration: 0 }
  const measured = { rms: -20.04, peak: -3.5, truePeak: -3.4, loudness: -19, noiseFloor: -66 }
  content = {
    opening: { title: 'Opening credits', audio, measured },
    closing: { title: 'Closing credits', audio },
    sample: { title: 'Sample', audio },
  }
})
afterAll(() => rm(folder, { recursive: true }))

describe('packAcx', () => {
  it('puts a file a section between the credits, beside sample, cover, notes and checksums', async () => {
    const out = join(folder, 'delivery')
    const result = await packAcx(book, content, out, { format: 'acx', container: 'folder' })
    const names = [
      '01-opening-credits.mp3',
      '02-chapter-one-only.mp3',
      '03-chapter-2.mp3',
      '04-closing-credits.mp3',
      'retail-sample.mp3',
      'cover.png',
      'README.txt',
    ]
    expect(result.manifest.files.map((file) => file.name)).toEqual(names)
    expect((await readdir(out)).sort()).toEqual([...names, 'manifest.json', 'CHECKSUMS.sha256'].sort())
    const notes = await readFile(join(out, 'README.txt'), 'utf8')
    expect(notes).toContain('RMS -20.0 dB  peak -3.5 dB  noise floor -66.0 dB  01-opening-credits.mp3')
    expect(notes).toMatch(/synthetic.* ACX accepts .* only where it has agreed/)
    expect(notes).toContain('The cover is 1 × 1 pixels (png)')
    const again = await packAcx(book, content, out, { format: 'acx', container: 'folder' })
    expect(again).toEqual(result)
    const zip = await packAcx(book, content, join(folder, 'delivery.zip'), { format: 'audible', container: 'zip' })
    expect(zip.manifest).toEqual({ ...result.manifest, format: 'audible' })
  })

  it('refuses what would be sent back', async () => {
    const options = { format: 'acx', container: 'zip' } as const
    const lasting = (duration: number) => ({ title: 'Long', audio: { ...content.sample.audio, duration } })
    const pack = (part: Partial<AcxContent>) => packAcx(book, { ...content, ...part }, join(folder, 'no.zip'), options)
    await expect(pack({ sections: [lasting(7201)] })).rejects.toMatchObject({ type: 'section_too_long' })
    await expect(pack({ sample: lasting(301) })).rejects.toMatchObject({ type: 'sample_too_long' })
    await expect(pack({ sections: [] })).rejects.toMatchObject({ type: 'nothing_to_pack' })
  })
})

describe('splitSections', () => {
  it('keeps every segment in order, within the limit, in as few and even sections as can be', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 200 }), (durations) => {
        const sections = splitSections(durations, 3600)
        expect(sections.flatMap(({ start, end }) => durations.slice(start, end))).toEqual(durations)
        const lengths = sections.map(({ start, end }) =>
          durations.slice(start, end).reduce((sum, duration) => sum + duration, 0),
        )
        expect(Math.max(...lengths)).toBeLessThanOrEqual(3600)
        const total = lengths.reduce((sum, length) => sum + length, 0)
        // Two neighbours that one file would hold are never apart, so twice the bound and one is the most.
        expect(sections.length).toBeLessThanOrEqual(Math.ceil((2 * total) / 3600) + 1)
      }),
    )
  })

  it('cuts evenly rather than leaving a short rest', () =>
    expect(splitSections(Array(130).fill(60), 7200)).toEqual([
      { start: 0, end: 65 },
      { start: 65, end: 130 },
    ]))

  it('refuses a segment that alone is too long', () => expect(() => splitSections([10, 7201])).toThrow('7200'))
})

it('chooses a sample that ends with a segment, in the first chapter of the body that is one', () => {
  const chapter = (role: 'front' | 'body', duration: number) => ({
    ...(book.chapters[0] as Book['chapters'][0]),
    role,
    segments: Array.from({ length: duration / 10 }, (_, index) => ({
      start: index,
      end: index + 1,
      from: 1 + index * 10,
      to: 10 + index * 10,
      speaker: null,
      words: [],
    })),
    audio: { file: '', mediaType: 'audio/mpeg', duration },
  })
  expect(chooseSample([chapter('front', 600), chapter('body', 10), chapter('body', 900)])).toEqual({
    chapter: 2,
    segments: { start: 0, end: 29 },
    from: 1,
    to: 290,
  })
  expect(chooseSample([chapter('body', 10)])).toMatchObject({ chapter: 0, segments: { start: 0, end: 1 } })
  expect(chooseSample([chapter('body', 0)])).toBeNull()
})

describe('credits', () => {
  const metadata = {
    title: 'The Sea.',
    authors: ['Ann Lee', 'Bo Ek'],
    translators: [],
    narrators: ['Cy'],
    language: 'en',
  }

  it.each([
    [
      'en-GB',
      'The Sea, written by Ann Lee and Bo Ek, narrated by Cy.',
      'This has been The Sea, written by Ann Lee and Bo Ek, narrated by Cy. The End.',
    ],
    [
      'es-PE',
      'The Sea, escrito por Ann Lee y Bo Ek, narrado por Cy.',
      'Esto ha sido The Sea, escrito por Ann Lee y Bo Ek, narrado por Cy. Fin.',
    ],
    [
      'xx',
      'The Sea, written by Ann Lee and Bo Ek, narrated by Cy.',
      'This has been The Sea, written by Ann Lee and Bo Ek, narrated by Cy. The End.',
    ],
  ])('in %s', (language, opening, closing) => {
    expect(openingCredits(metadata, language)).toBe(opening)
    expect(closingCredits(metadata, language)).toBe(closing)
  })

  it('leave out whom nobody named', () =>
    expect(openingCredits({ ...metadata, authors: [' '], narrators: [], subtitle: 'A tale' }, 'en')).toBe(
      'The Sea: A tale.',
    ))
})
