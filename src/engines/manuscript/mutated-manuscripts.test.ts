import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Problem } from '../../kit/errors.ts'
import { bodyOf, makeDocx, makeEpub, readTxt, wordParagraph } from './manuscript-fixtures.ts'
import { readManuscript } from './read-manuscript.ts'

const words = (text: string): string[] => text.match(/[\p{L}\p{N}]+/gu) ?? []

/** Reads, and lets nothing but a Problem through. */
async function readOrProblem(bytes: Uint8Array, filename: string): Promise<void> {
  try {
    const { sections } = await readManuscript(bytes, { filename })
    for (const { blocks } of sections)
      for (const { text, marks, kind } of blocks) {
        if (kind !== 'verse') expect(text).not.toMatch(/\n| {2}/)
        for (const { start, end } of marks) expect(start >= 0 && end > start && end <= text.length).toBe(true)
      }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    expect(error.message).not.toMatch(/undefined|\[object/)
  }
}

const mutation = fc.array(
  fc.record({ at: fc.nat(), byte: fc.nat(255), kind: fc.constantFrom('set', 'cut', 'repeat', 'drop') }),
  { minLength: 1, maxLength: 12 },
)

function mutate(file: Uint8Array, changes: { at: number; byte: number; kind: string }[]): Uint8Array {
  let bytes = Buffer.from(file)
  for (const { at, byte, kind } of changes) {
    if (bytes.length === 0) break
    const place = at % bytes.length
    if (kind === 'set') bytes[place] = byte
    else if (kind === 'cut') bytes = bytes.subarray(0, place)
    else if (kind === 'drop') bytes = Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + 1 + (byte % 40))])
    else bytes = Buffer.concat([bytes.subarray(0, place), bytes.subarray(place, place + byte), bytes.subarray(place)])
  }
  return bytes
}

const prose = '<p>She <em>went</em> down to the harbour<a epub:type="noteref" href="#n">1</a>.</p>'

describe('mutated files', () => {
  const cases: [string, () => Promise<Uint8Array>][] = [
    [
      'x.epub',
      () =>
        makeEpub({
          documents: { a: `<h1>Chapter 1</h1>${prose}`, b: `<h1>Chapter 2</h1>${prose}` },
          nav: '<li><a href="a.xhtml">1</a></li><li><a href="b.xhtml#z">2</a></li>',
        }),
    ],
    [
      'x.docx',
      () =>
        makeDocx(
          `${wordParagraph('Chapter 1')}${wordParagraph('She went down.')}<w:tbl><w:tr><w:tc>${wordParagraph('cell')}</w:tc></w:tr></w:tbl>`,
        ),
    ],
    [
      'x.html',
      async () =>
        Buffer.from(`<html><body><h1>Chapter 1</h1>${prose}<blockquote class="poem">a<br>b</blockquote></body></html>`),
    ],
    [
      'x.md',
      async () =>
        Buffer.from(
          '---\ntitle: A\n---\n# Chapter 1\n\n*She* went[^1] **down**.\n\n[^1]: A note.\n\n> quoted\n\n***\n\n- one\n- two\n',
        ),
    ],
    [
      'x.txt',
      async () =>
        Buffer.from(
          'Chapter 1\n\nShe _went_ down.[1]\n\n    * * *\n\n[Footnote 1: note]\n\nChapter 2\n\n   Verse one\n   Verse two\n',
          'utf8',
        ),
    ],
  ]
  it.each(cases)('%s is read or refused', async (filename, make) => {
    const file = await make()
    await fc.assert(
      fc.asyncProperty(mutation, async (changes) => readOrProblem(mutate(file, changes), filename)),
      {
        numRuns: 120,
        examples: [
          [
            [
              { at: 2020581720, byte: 80, kind: 'repeat' },
              { at: 86889342, byte: 0, kind: 'set' },
            ],
          ],
        ],
      },
    )
  })

  it('EPUB and DOCX with mutated parts inside a sound archive are read or refused', async () => {
    const content = Buffer.from(
      `<html xmlns="http://www.w3.org/1999/xhtml"><body><h1>Chapter 1</h1>${prose}</body></html>`,
    )
    await fc.assert(
      fc.asyncProperty(mutation, async (changes) =>
        readOrProblem(
          await makeEpub({ documents: { a: '' }, parts: { 'OEBPS/a.xhtml': mutate(content, changes) } }),
          'x.epub',
        ),
      ),
      { numRuns: 100 },
    )
    await fc.assert(
      fc.asyncProperty(mutation, async (changes) =>
        readOrProblem(
          await makeDocx('', {
            'word/document.xml': mutate(
              Buffer.from(
                `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${wordParagraph('She went.')}</w:body></w:document>`,
              ),
              changes,
            ),
          }),
          'x.docx',
        ),
      ),
      { numRuns: 60 },
    )
  })

  it('any bytes and any text are read or refused', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 400 }),
        fc.constantFrom('x.txt', 'x.md', 'x.html', 'x.epub', 'x'),
        readOrProblem,
      ),
      { numRuns: 150 },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.constantFrom('x.txt', 'x.md', 'x.html'),
        (text, name) => readOrProblem(Buffer.from(text), name),
      ),
      { numRuns: 150 },
    )
  })
})

describe('nothing of the text is lost', () => {
  const word = fc.stringMatching(/^[a-z]{2,9}$/)
  const paragraph = fc.array(word, { minLength: 12, maxLength: 60 }).map((all) => `Then ${all.join(' ')}.`)
  const paragraphs = fc.array(paragraph, { minLength: 1, maxLength: 12 })

  it('of paragraphs wrapped at any width in plain text', async () => {
    await fc.assert(
      fc.asyncProperty(paragraphs, fc.integer({ min: 40, max: 90 }), async (all, width) => {
        const wrap = (text: string): string => text.replace(new RegExp(`(.{1,${width}})(?: |$)`, 'g'), '$1\n')
        const manuscript = await readTxt(`Chapter 1\n\n${all.map(wrap).join('\n')}`)
        expect(bodyOf(manuscript).flatMap(({ blocks }) => blocks.slice(1).map(({ text }) => text))).toEqual(all)
      }),
      { numRuns: 60 },
    )
  })

  it('of paragraphs in HTML', async () => {
    await fc.assert(
      fc.asyncProperty(paragraphs, async (all) => {
        const manuscript = await readManuscript(
          Buffer.from(`<h1>Chapter 1</h1>${all.map((text) => `<p>${text}</p>`).join('\n')}`),
          { filename: 'x.html' },
        )
        expect(bodyOf(manuscript).flatMap(({ blocks }) => blocks.slice(1).map(({ text }) => text))).toEqual(all)
      }),
      { numRuns: 60 },
    )
  })

  it('of any lines of plain text, whatever they look like', async () => {
    const line = fc.oneof(
      paragraph,
      word,
      fc.constantFrom(
        '',
        '',
        'Chapter 1',
        'CONTENTS',
        'PART TWO',
        'IV',
        'Preface',
        '  indented line',
        'THE END',
        'Notes',
        '12',
        '—Yes.',
        '“No.”',
      ),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 40 }), async (lines) => {
        const text = lines.join('\n')
        if (words(text).length === 0) return
        const { sections } = await readTxt(text)
        expect(sections.flatMap(({ blocks }) => blocks.flatMap((block) => words(block.text)))).toEqual(words(text))
      }),
      { numRuns: 200 },
    )
  })
})
