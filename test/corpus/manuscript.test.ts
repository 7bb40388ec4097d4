import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { countSection } from '../../src/engines/manuscript/count-section.ts'
import type { Manuscript, Section } from '../../src/engines/manuscript/manuscript.ts'
import { readManuscript } from '../../src/engines/manuscript/read-manuscript.ts'

const corpus = process.env['VOICEPRESS_CORPUS'] ?? fileURLToPath(new URL('../../../shared/data', import.meta.url))
const read = (path: string): Promise<Manuscript> =>
  readManuscript(join(corpus, path), { filename: path.split('/').at(-1) ?? '' })
const bodyOf = ({ sections }: Manuscript): Section[] => sections.filter(({ role }) => role === 'body')
const outline = ({ sections }: Manuscript): string[] =>
  sections.map(({ role, kind, title }) => `${role} ${kind}: ${title}`)
const textOf = (sections: Section[]): string =>
  sections.flatMap(({ blocks }) => blocks.map(({ text }) => text)).join('\n')

/** What formats change and editions do not: the shape of quotes and dashes, case, accents, hyphens within words. */
const wordsOf = ({ blocks }: Section): string[] =>
  blocks
    .filter(({ kind }) => kind !== 'heading')
    .flatMap(
      ({ text }) =>
        text
          .normalize('NFKD')
          .replace(/\p{M}/gu, '')
          .toLowerCase()
          .replace(/[’‘]/g, "'")
          .replace(/--+|[—–]/g, ' ')
          .replace(/[-‐‑]/g, '')
          .match(/[\p{L}\p{N}]+(?:'\p{L}+)*/gu) ?? [],
    )

/** Words taken out and put in, by a search that goes on as soon as three words agree again. */
function differences(a: string[], b: string[]): { out: string[]; into: string[] }[] {
  const found: { out: string[]; into: string[] }[] = []
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    if (a[i] === b[j]) {
      i += 1
      j += 1
      continue
    }
    let [skipA, skipB] = [a.length - i, b.length - j]
    search: for (let reach = 1; reach < 300; reach += 1)
      for (let x = 0; x <= reach; x += 1) {
        const y = reach - x
        const agree =
          [0, 1, 2].every((next) => a[i + x + next] === b[j + y + next]) && i + x < a.length && j + y < b.length
        if (agree) {
          skipA = x
          skipB = y
          break search
        }
      }
    found.push({ out: a.slice(i, i + skipA), into: b.slice(j, j + skipB) })
    i += skipA
    j += skipB
  }
  return found
}

describe('one novel in four formats', () => {
  const books: Record<string, Manuscript> = {}
  beforeAll(async () => {
    for (const format of ['epub', 'txt', 'html', 'pdf'])
      books[format] = await read(`books/pride-and-prejudice.${format}`)
  })

  it.each(['epub', 'txt', 'html', 'pdf'])('has its 61 chapters, title, author and language in %s', (format) => {
    const book = books[format]!
    expect(bodyOf(book).map(({ title }) => title)).toEqual(
      Array.from({ length: 61 }, (_, index) => `Chapter ${index + 1}`),
    )
    expect(book.metadata).toMatchObject({
      title: 'Pride and Prejudice',
      authors: ['Jane Austen'],
      language: expect.stringMatching(/^en/),
    })
    expect(textOf(bodyOf(book))).not.toMatch(/Gutenberg|Standard Ebooks/)
    expect(bodyOf(book)[0]!.blocks[1]!.text).toMatch(
      /^It is a truth universally acknowledged, that a single man in possession/,
    )
    const words = bodyOf(book).reduce((sum, section) => sum + countSection(section).words, 0)
    expect(words).toBeGreaterThan(119_000)
    expect(words).toBeLessThan(124_000)
  })

  // The files of one edition: the 13 places where they differ are corrections between its revisions ("neices", "affect").
  it.each([
    ['txt', 'html', 3],
    ['txt', 'pdf', 15],
    ['html', 'pdf', 15],
  ] as const)('has the same words in %s and %s but for single corrected ones', (one, other, most) => {
    const found = bodyOf(books[one]!).flatMap((section, index) =>
      differences(wordsOf(section), wordsOf(bodyOf(books[other]!)[index]!)),
    )
    expect(found.length).toBeLessThanOrEqual(most)
    for (const { out, into } of found) expect(Math.max(out.length, into.length)).toBeLessThanOrEqual(1)
  })

  // Another edition: spellings ("any body", "shewed"), and four places with words that only one of the two has.
  it('has the words of another edition in EPUB, to one per cent and a few sentences', () => {
    let all = 0
    const found = bodyOf(books['txt']!).flatMap((section, index) => {
      const words = wordsOf(section)
      all += words.length
      return differences(words, wordsOf(bodyOf(books['epub']!)[index]!))
    })
    const changed = found.reduce((sum, { out, into }) => sum + Math.max(out.length, into.length), 0)
    expect(changed / all).toBeLessThan(0.015)
    expect(found.filter(({ out, into }) => Math.max(out.length, into.length) > 6)).toHaveLength(4)
  })

  it('has its emphasis in all, and letters where the file says so', () => {
    for (const format of ['epub', 'txt', 'html', 'pdf']) {
      const marks = bodyOf(books[format]!).flatMap(({ blocks }) =>
        blocks.flatMap(({ text, marks }) => marks.map(({ start, end }) => text.slice(start, end))),
      )
      expect(marks.length).toBeGreaterThan(350)
      expect(marks[0]).toBe('You')
    }
    expect(
      bodyOf(books['epub']!)
        .flatMap(({ blocks }) => blocks)
        .filter(({ kind }) => kind === 'letter').length,
    ).toBeGreaterThan(40)
  })

  it('has a cover, a publisher and matter around it in EPUB', () => {
    expect(books['epub']!.cover).toMatchObject({ mediaType: 'image/svg+xml' })
    expect(books['epub']!.metadata).toMatchObject({
      publisher: 'Standard Ebooks',
      published: '2014-05-25',
      language: 'en-GB',
    })
    expect(outline(books['epub']!).filter((line) => !line.startsWith('body'))).toEqual([
      'front titlepage: Pride and Prejudice',
      'front imprint: Imprint',
      'back colophon: Colophon',
      'front copyright-page: Uncopyright',
    ])
  })
})

describe('other books', () => {
  it('a poem: verse, no line numbers, notes behind it', async () => {
    const book = await read('books/wasteland.epub')
    expect(outline(book)).toEqual([
      'front titlepage: The Waste Land',
      ...[
        'THE BURIAL OF THE DEAD',
        'A GAME OF CHESS',
        'THE FIRE SERMON',
        'DEATH BY WATER',
        'WHAT THE THUNDER SAID',
      ].map((title, index) => `body chapter: Chapter ${index + 1}. ${title}`),
      'back endnotes: NOTES ON "THE WASTE LAND"',
    ])
    const [first] = bodyOf(book)
    expect(first!.blocks[1]).toMatchObject({
      kind: 'verse',
      text: expect.stringMatching(/^April is the cruellest month, breeding\nLilacs out of the dead land, mixing\n/),
    })
    expect(textOf(bodyOf(book))).not.toMatch(/\d\d|\*/)
    expect(book.warnings).toEqual(expect.arrayContaining(['Left out: 50 note references.']))
    expect(
      first!.blocks.flatMap(({ marks }) =>
        marks.filter(({ kind }) => kind === 'foreign').map(({ language }) => language),
      ),
    ).toContain('de')
  })

  it('an encyclopaedia article with pronunciations', async () => {
    const book = await read('books/georgia-pls-ssml.epub')
    expect(bodyOf(book).map(({ title }) => title)).toEqual([
      'GEORGIA',
      'Climate and Soils',
      'Minerals',
      'Agriculture',
      'Manufactures',
      'Population',
      'Government',
      'Education',
      'Finance',
      'History',
    ])
    expect(book.lexicons).toHaveLength(1)
    const block = bodyOf(book)[0]!.blocks[1]!
    expect(block.marks[0]).toEqual({
      start: block.text.indexOf('30°'),
      end: block.text.indexOf('30°') + 3,
      kind: 'phoneme',
      phoneme: { alphabet: 'ipa', ph: 'ˈθɜrti dɪˈgriz' },
    })
  })

  it('a nested table of contents', async () => {
    const book = await read('books/childrens-literature.epub')
    expect(book.metadata).toMatchObject({
      title: "Children's Literature",
      authors: ['Charles Madison Curry', 'Erle Elsworth Clippinger'],
      published: '2008-05-20',
    })
    const body = bodyOf(book)
    expect(body.map(({ title }) => title).slice(0, 3)).toEqual([
      'INTRODUCTORY',
      'Chapter 190. A FOUR-LEAVED CLOVER',
      'Chapter 191. THE LORD HELPETH MAN AND BEAST',
    ])
    expect(body.at(-1)!.parents).toEqual(['Section IV. FAIRY STORIES—MODERN FANTASTIC TALES', 'John Ruskin'])
    expect(book.warnings).toEqual([
      'Left out: 84 page numbers.',
      'Left out: 3 note references.',
      'Left out: 3 footnotes.',
    ])
  })

  const novels: Record<string, number> = {
    AlicesAdventuresInWonderland: 12,
    AnneOfGreenGables: 38,
    DaisyMiller: 2,
    Emma: 55,
    HardTimes: 37,
    MansfieldPark: 48,
    NorthangerAbbey: 31,
    OliverTwist: 53,
    Persuasion: 24,
    PrideAndPrejudice: 61,
    SenseAndSensibility: 50,
    TheInvisibleMan: 29,
    TheMysteriousAffairAtStyles: 13,
    TheSignOfTheFour: 12,
    TheSunAlsoRises: 19,
    WinnieThePooh: 10,
  }
  it.each(Object.entries(novels))('%s has %i chapters', async (name, chapters) => {
    const book = await read(`pdnc/${name}/novel_text.txt`)
    expect(bodyOf(book)).toHaveLength(chapters)
    expect(book.metadata.language).toBe('en')
    for (const section of bodyOf(book)) expect(countSection(section).words).toBeGreaterThan(100)
  })
})

describe('word processor files', () => {
  const expected: Record<string, string[]> = {
    'headers.docx': ['A Test of Headers', 'Some plain text.', 'Seventh level'],
    'image.docx': ['An image:'],
    'inline_formatting.docx': [
      'Regular text italics bold bold italics.',
      'This is Small Caps, and this is strikethrough.',
    ],
    'lists.docx': ['one', 'two'],
    'metadata.docx': ['This Is the Title', 'Mary Ann Evans'],
    'nested_smart_tags.docx': ['And It Came to Pass in the Course of Those Many Days'],
    'notes.docx': ['Test footnote. Test endnote.'],
    'sdt_in_footnote.docx': ['Lorem ipsum dolor sit amet.'],
    'special_punctuation.docx': ['Non-breaking hyphen: [-]'],
    'tables.docx': ['Name Game Fame Blame', 'Lebron James Basketball Very High Leaving Cleveland'],
    'text_in_shape_format.docx': ['Using Microsoft Word 2007/2010 for Writing Technical Documents', 'Valter Kiisk'],
    'track_changes_move.docx': ['Here is some text.\nHere is the text to be moved.\nHere is some more text.'],
    'unicode.docx': ['Hello, 世界. This costs €10.'],
  }
  it('are all covered', () => {
    expect(Object.keys(expected)).toEqual(
      expect.arrayContaining(readdirSync(join(corpus, 'docx')).filter((name) => name.endsWith('.docx'))),
    )
  })
  it.each(Object.entries(expected))('%s reads as what it holds', async (name, texts) => {
    const book = await read(`docx/${name}`)
    for (const text of texts) expect(textOf(book.sections)).toContain(text)
    expect(bodyOf(book)).toHaveLength(1)
  })
  it('say what was left out', async () => {
    expect((await read('docx/notes.docx')).warnings).toEqual(['Left out: 2 footnotes.', 'Left out: 2 note references.'])
    expect((await read('docx/track_changes_move.docx')).warnings).toEqual([
      'Left out: 1 deleted passage (tracked changes).',
    ])
    expect(textOf((await read('docx/notes.docx')).sections)).not.toContain('My note')
  })
})
