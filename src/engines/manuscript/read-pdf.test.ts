import { describe, expect, it } from 'vitest'
import { bodyOf, makePdf, textsOf, titlesOf, type PdfText } from './manuscript-fixtures.ts'
import { readManuscript } from './read-manuscript.ts'

const read = (pages: PdfText[][], trailer = '') => readManuscript(makePdf(pages, trailer), { filename: 'book.pdf' })

/** Courier 12 is 7.2 points wide: 60 characters fill a line from 72 to 504. */
const column = (lines: string[], top = 700, x = 72): PdfText[] =>
  lines.map((text, index) => ({ x, y: top - index * 14, text }))
const line = (seed: string): string => `${seed} went down to the harbour that morning as on every day`.slice(0, 60)

describe('lines of a PDF', () => {
  it('become paragraphs across pages, without page numbers and running heads', async () => {
    const pages = Array.from({ length: 6 }, (_, page): PdfText[] => [
      { x: 200, y: 770, text: page % 2 ? 'THE HARBOUR' : 'Anna Example' },
      { x: 290, y: 30, text: String(page + 11) },
      ...(page === 0
        ? [{ x: 72, y: 740, text: 'Chapter 1', size: 18 }]
        : page === 3
          ? [{ x: 72, y: 740, text: 'Chapter 2', size: 18 }]
          : []),
      ...column(
        [`Anna${page} ${line('and Ben')}`.slice(0, 60), line('Then the whole of the town'), 'and came home.'],
        700,
      ).map((text, index) => (index === 0 ? { ...text, x: 90 } : text)),
      ...column(
        [
          `Cid${page} ${line('and Dan')}`.slice(0, 57),
          line('Then all the other people of'),
          line('No one of all these people ever'),
        ],
        650,
      ).map((text, index) => (index === 0 ? { ...text, x: 90 } : text)),
    ])
    const manuscript = await read(pages)
    expect(titlesOf(manuscript)).toEqual(['Chapter 1', 'Chapter 2'])
    const text = bodyOf(manuscript).flatMap(textsOf).join('\n')
    expect(text).not.toMatch(/HARBOUR|Example|\b1[1-6]\b/)
    expect(manuscript.warnings).toEqual(['Left out: 6 running heads.', 'Left out: 6 page numbers.'])
    expect(bodyOf(manuscript)[0]!.blocks).toHaveLength(7)
  })

  it('are joined where a word was cut, but not at a hyphen of the author’s', async () => {
    const manuscript = await read([
      [
        ...column([
          `${line('A well-known man of the town').slice(0, 56)} har-`,
          'bour and he came to the old quay of this town as a well-',
          'known man of the harbour, and then he went home again.',
        ]),
      ],
    ])
    expect(bodyOf(manuscript)[0]!.blocks[0]!.text).toContain(' harbour and he')
    expect(bodyOf(manuscript)[0]!.blocks[0]!.text).toContain('a well-known man')
  })

  it('are read column by column', async () => {
    const short = (side: string, index: number): string => `${side}${index} some words of a text here`.slice(0, 32)
    const left = Array.from({ length: 20 }, (_, index) => short('left', index))
    const right = Array.from({ length: 20 }, (_, index) => short('right', index))
    const manuscript = await read([
      left.flatMap((text, index) => [
        { x: 50, y: 700 - index * 14, text },
        { x: 320, y: 700 - index * 14, text: right[index]! },
      ]),
    ])
    const text = bodyOf(manuscript)[0]!
      .blocks.map((block) => block.text)
      .join(' ')
    expect(text.indexOf('left19')).toBeLessThan(text.indexOf('right0'))
  })

  it('leave out notes at the foot and their raised signs', async () => {
    const page: PdfText[] = [
      ...Array.from({ length: 30 }, (_, index) => ({ x: 72, y: 700 - index * 14, text: line('Anna') })),
      { x: 72, y: 270, text: 'He read the letter' },
      { x: 202, y: 275, text: '1', size: 7 },
      { x: 210, y: 270, text: 'and left.' },
      { x: 72, y: 60, text: '1 The letter has not been kept by anyone.', size: 8 },
    ]
    const manuscript = await read([page])
    expect(manuscript.warnings).toEqual(['Left out: 1 note reference.', 'Left out: 1 footnote.'])
    expect(bodyOf(manuscript)[0]!.blocks.at(-1)!.text).toMatch(/He read the letter and left\.$/)
  })
})

describe('a PDF that cannot be read', () => {
  it('is refused as a scan when its pages hold no text', async () => {
    await expect(read([[], [], []])).rejects.toMatchObject({
      type: 'scanned_pdf',
      message: expect.stringContaining('OCR'),
    })
  })
  it('is refused as protected when it wants a password', async () => {
    const key = 'A'.repeat(32)
    await expect(
      read(
        [column([line('Anna')])],
        `/Encrypt << /Filter /Standard /V 1 /R 2 /O (${key}) /U (${key}) /P -4 >> /ID [(a) (a)]`,
      ),
    ).rejects.toMatchObject({ type: 'encrypted' })
  })
  it('is refused as damaged when it is cut short or only called a PDF', async () => {
    await expect(
      readManuscript(makePdf([column([line('Anna')])]).slice(0, 60), { filename: 'x.pdf' }),
    ).rejects.toMatchObject({ name: 'Problem', status: 422 })
    await expect(readManuscript(Buffer.from('no pdf at all'), { filename: 'x.pdf' })).rejects.toMatchObject({
      type: 'damaged_file',
    })
  })
})
