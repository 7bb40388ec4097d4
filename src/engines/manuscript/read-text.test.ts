import { describe, expect, it } from 'vitest'
import { bodyOf, readTxt, textsOf, titlesOf } from './manuscript-fixtures.ts'

const prose = (seed: string, lines = 6): string =>
  Array.from(
    { length: lines },
    (_, index) => `${seed} went down to the harbour that morning, as on every other one (${index}).`,
  ).join('\n')

describe('paragraphs of plain text', () => {
  it('joins lines wrapped at a width and keeps paragraphs parted by blank lines', async () => {
    const text =
      'Chapter 1\n\nIt was a bright cold day in the month of April, and all the clocks\nof the town were striking one after the other.\n\n"Are you there?" said Anna.\n\nNobody answered her for quite a while, and so she went on down the\nstairs.\n'
    const [chapter] = bodyOf(await readTxt(text))
    expect(textsOf(chapter!)).toEqual([
      'heading: Chapter 1',
      'paragraph: It was a bright cold day in the month of April, and all the clocks of the town were striking one after the other.',
      'paragraph: "Are you there?" said Anna.',
      'paragraph: Nobody answered her for quite a while, and so she went on down the stairs.',
    ])
  })

  it('takes each long line for a paragraph where nothing is wrapped', async () => {
    const long =
      'A line that no editor has wrapped goes on and on, for it ends only where its paragraph ends, which may be far to the right of any margin that there was.'
    const [chapter] = bodyOf(await readTxt(`Chapter 1\n${long}\n${long}\n“Yes,” he said.\n${long}\n`))
    expect(chapter!.blocks.map(({ kind }) => kind)).toEqual([
      'heading',
      'paragraph',
      'paragraph',
      'paragraph',
      'paragraph',
    ])
  })

  it('finds paragraphs by their indents where there are no blank lines', async () => {
    const paragraph =
      '    The morning was grey and the harbour lay still under it, so that\nnobody thought of leaving before the tide had turned and the boats\nhad come up to the wall again.\n'
    const [chapter] = bodyOf(await readTxt(paragraph.repeat(12)))
    expect(chapter!.blocks).toHaveLength(12)
  })

  it('keeps the lines of verse, set in or not', async () => {
    const text = `${prose('Anna')}\n\n    How doth the little crocodile\n      Improve his shining tail,\n    And pour the waters of the Nile\n      On every golden scale!\n\n${prose('Ben')}`
    const [section] = bodyOf(await readTxt(text))
    expect(section!.blocks.find(({ kind }) => kind === 'verse')?.text).toBe(
      'How doth the little crocodile\nImprove his shining tail,\nAnd pour the waters of the Nile\nOn every golden scale!',
    )
  })

  it.each(['* * *', '***', '      *      *      *', '⁂', '---', '#', '~~~', '• • •'])(
    'reads %s as a scene break',
    async (sign) => {
      const [section] = bodyOf(await readTxt(`${prose('Anna')}\n\n${sign}\n\n${prose('Ben')}`))
      expect(section!.blocks.map(({ kind }) => kind)).toContain('scene_break')
    },
  )

  it('turns underscores into emphasis and leaves blanks in names', async () => {
    const [section] = bodyOf(
      await readTxt(
        `“_You_ want to tell me, and I have _no objection_ to it,” said Mr. ____ of snake_case.\n\n${prose('Anna')}`,
      ),
    )
    const [first] = section!.blocks
    expect(first!.text).toBe('“You want to tell me, and I have no objection to it,” said Mr. ____ of snake_case.')
    expect(first!.marks.map(({ start, end, kind }) => [first!.text.slice(start, end), kind])).toEqual([
      ['You', 'emphasis'],
      ['no objection', 'emphasis'],
    ])
  })

  it('leaves notes and their references out and says how many', async () => {
    const manuscript = await readTxt(
      `${prose('Anna')}\n\nHe read the letter.[1] It was short.[A]\n\n[Footnote 1: It has not been\nkept.]\n\n${prose('Ben')}`,
    )
    const text = bodyOf(manuscript)[0]!
      .blocks.map((block) => block.text)
      .join(' ')
    expect(text).toContain('He read the letter. It was short.[A]')
    expect(text).not.toContain('kept')
    expect(manuscript.warnings).toEqual(['Left out: 1 footnote.', 'Left out: 1 note reference.'])
  })

  it('makes captions of illustrations and drops those without words', async () => {
    const manuscript = await readTxt(
      `Chapter 1\n\n${prose('Anna')}\n\n[Illustration: The harbour\nin the morning]\n\n[Illustration]\n\n${prose('Ben')}`,
    )
    expect(
      bodyOf(manuscript)[0]!
        .blocks.filter(({ kind }) => kind === 'caption')
        .map(({ text }) => text),
    ).toEqual(['The harbour in the morning'])
    expect(manuscript.warnings).toEqual(['Left out: 1 picture without words.'])
  })
})

describe('chapters of plain text', () => {
  it('names chapters as they are read aloud, below their parts', async () => {
    const text = [
      'THE HARBOUR',
      'by Anna Example',
      'PART ONE',
      'CHAPTER I.\nThe Storm',
      prose('Anna'),
      'CHAPTER II.\nThe Calm',
      prose('Ben'),
      'PART TWO',
      'CHAPTER I.\nWho Came?',
      prose('Cid'),
      'CHAPTER II.\nThe End of It',
      prose('Dan'),
      'THE END',
    ].join('\n\n\n')
    const manuscript = await readTxt(text)
    expect(bodyOf(manuscript).map(({ title, parents }) => [title, parents])).toEqual([
      ['Chapter 1. The Storm', ['Part One']],
      ['Chapter 2. The Calm', ['Part One']],
      ['Chapter 1. Who Came?', ['Part Two']],
      ['Chapter 2. The End of It', ['Part Two']],
    ])
    expect(manuscript.metadata).toMatchObject({ title: 'THE HARBOUR', authors: ['Anna Example'] })
    expect(manuscript.sections[0]).toMatchObject({ role: 'front', kind: 'titlepage' })
  })

  it('tells front and back matter from prologue and epilogue', async () => {
    const text = [
      'CONTENTS',
      'Prologue\nChapter 1\nChapter 2\nEpilogue',
      'DEDICATION',
      'To my mother.',
      'PREFACE',
      prose('Anna', 12),
      'Prologue',
      prose('Ben'),
      'Chapter 1',
      prose('Cid'),
      'Chapter 2',
      prose('Dan'),
      'Epilogue',
      prose('Eva'),
      'Acknowledgments',
      prose('Fay'),
      'About the Author',
      prose('Gus'),
    ].join('\n\n\n')
    const manuscript = await readTxt(text)
    expect(manuscript.sections.map(({ role, kind }) => `${role} ${kind}`)).toEqual([
      'front toc',
      'front dedication',
      'front preface',
      'body prologue',
      'body chapter',
      'body chapter',
      'body epilogue',
      'back acknowledgments',
      'back contributors',
    ])
  })

  it('reads Spanish', async () => {
    const prosa = (nombre: string): string =>
      `—¿Adónde vas? —preguntó ${nombre}, que llevaba toda la mañana esperando en la puerta de la casa.\n`.repeat(5)
    const text = [
      'EL PUERTO',
      'por Ana Ejemplo',
      'Prólogo',
      prosa('Ana'),
      'Capítulo I',
      prosa('Blas'),
      'CAPÍTULO II: La tormenta',
      prosa('Carlos'),
      'Capítulo tercero',
      prosa('Diego'),
      'Epílogo',
      prosa('Eva'),
      'Agradecimientos',
      prosa('Fina'),
    ].join('\n\n\n')
    const manuscript = await readTxt(text)
    expect(manuscript.metadata).toMatchObject({ language: 'es', title: 'EL PUERTO', authors: ['Ana Ejemplo'] })
    expect(titlesOf(manuscript)).toEqual([
      'Prólogo',
      'Capítulo 1',
      'Capítulo 2. La tormenta',
      'Capítulo tercero',
      'Epílogo',
    ])
  })

  it('counts bare numbers as chapters when they count up, and only then', async () => {
    expect(
      titlesOf(await readTxt(['I', prose('Anna'), 'II', prose('Ben'), 'III', prose('Cid')].join('\n\n\n'))),
    ).toEqual(['Chapter 1', 'Chapter 2', 'Chapter 3'])
    expect(
      bodyOf(await readTxt(['I', prose('Anna'), '1812', prose('Ben'), '7', prose('Cid')].join('\n\n'))),
    ).toHaveLength(1)
  })

  it('takes a sentence about a chapter for text', async () => {
    expect(
      bodyOf(
        await readTxt(
          `Chapter 1\n\n${prose('Anna')}\n\nChapter 3 was dull.\n\n${prose('Ben')}\n\nChapter 2\n\n${prose('Cid')}`,
        ),
      ),
    ).toHaveLength(2)
  })

  it('passes over a table of contents of the same headings', async () => {
    const chapters = ['Chapter 1: The Quay', 'Chapter 2: The Boat', 'Chapter 3: The Sea']
    for (const glue of ['\n', '\n\n'])
      expect(
        titlesOf(
          await readTxt(
            `Contents\n\n${chapters.join(glue)}\n\n\n${chapters.map((chapter) => `${chapter}\n\n${prose('Anna')}`).join('\n\n\n')}`,
          ),
        ),
      ).toEqual(['Chapter 1. The Quay', 'Chapter 2. The Boat', 'Chapter 3. The Sea'])
  })

  it('sets the header and licence of Project Gutenberg apart', async () => {
    const manuscript = await readTxt(
      `The Project Gutenberg eBook of The Harbour\n\nTitle: The Harbour\n\nAuthor: Anna Example\n\nLanguage: English\n\n*** START OF THE PROJECT GUTENBERG EBOOK THE HARBOUR ***\n\nCHAPTER I\n\n${prose('Anna')}\n\nCHAPTER II\n\n${prose('Ben')}\n\n*** END OF THE PROJECT GUTENBERG EBOOK THE HARBOUR ***\n\n${prose('The licence')}`,
    )
    expect(manuscript.metadata).toMatchObject({ title: 'The Harbour', authors: ['Anna Example'], language: 'en' })
    expect(manuscript.sections.map(({ role, title }) => [role, title])).toEqual([
      ['front', 'Licence'],
      ['body', 'Chapter 1'],
      ['body', 'Chapter 2'],
      ['back', 'Licence'],
    ])
  })
})

describe('a given chapter pattern', () => {
  const text = `Contents\n\nDay 1\n\nDay 2\n\n${['Day 1', 'Day 2'].map((day) => `${day}\n${prose('Anna')}`).join('\n')}\n`
  it('starts a chapter at each line it matches, wherever it stands', async () => {
    const manuscript = await readTxt(text, { chapterPattern: '^Day \\d+$' })
    expect(titlesOf(manuscript)).toEqual(['Day 1', 'Day 2'])
    expect(bodyOf(manuscript)[1]!.blocks[1]!.text).toMatch(/^Anna went down/)
  })

  it.each(['^(', '', '(', '[z-a]', 'x*', '(a+)+'.padEnd(600, 'b')])('refuses %j by name', async (chapterPattern) => {
    await expect(readTxt(text, { chapterPattern })).rejects.toMatchObject({
      name: 'Problem',
      type: 'invalid_chapter_pattern',
      extra: { field: 'chapterPattern' },
    })
  })

  it('takes a pattern that would never end elsewhere for what it says', async () => {
    const lines = `${'a'.repeat(60)}!\n`.repeat(50)
    const manuscript = await readTxt(`aaaa\n${prose('Anna')}\n${lines}`, { chapterPattern: '^(a+)+$' })
    expect(titlesOf(manuscript)).toEqual(['aaaa'])
  })
})
