import { describe, expect, it } from 'vitest'
import { bodyOf, makeDocx, textsOf, titlesOf, wordParagraph as p, wordPart } from './manuscript-fixtures.ts'
import type { Manuscript } from './manuscript.ts'
import { readManuscript } from './read-manuscript.ts'

const read = async (body: string, parts: Record<string, string> = {}): Promise<Manuscript> =>
  readManuscript(await makeDocx(body, parts), { filename: 'book.docx' })
const prose = (name: string): string =>
  p(`${name} went down to the harbour that morning, as on every other one. `.repeat(5))
const styled = (style: string): string => `<w:pStyle w:val="${style}"/>`

const styles = wordPart(
  'styles',
  '<w:style w:type="paragraph" w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style><w:style w:type="paragraph" w:styleId="Kap"><w:name w:val="My Chapter"/><w:basedOn w:val="berschrift1"/></w:style><w:style w:type="paragraph" w:styleId="Ou"><w:name w:val="Opening"/><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style><w:style w:type="paragraph" w:styleId="T"><w:name w:val="Title"/></w:style><w:style w:type="paragraph" w:styleId="Q"><w:name w:val="Quote"/></w:style><w:style w:type="paragraph" w:styleId="V"><w:name w:val="Verse"/></w:style><w:style w:type="paragraph" w:styleId="N"><w:name w:val="heading 1"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>',
)

describe('headings of a DOCX', () => {
  it('come from styles of any name, their parents, and outline levels', async () => {
    const manuscript = await read(
      `${p('The Harbour', styled('T'))}${p('Chapter 1', styled('berschrift1'))}${prose('Anna')}${p('CHAPTER TWO', styled('Kap'))}${prose('Ben')}${p('Chapter 3: Storm', styled('Ou'))}${prose('Cid')}${p('Chapter 4', '<w:outlineLvl w:val="0"/>')}${prose('Dan')}`,
      { 'word/styles.xml': styles },
    )
    expect(titlesOf(manuscript)).toEqual(['Chapter 1', 'Chapter Two', 'Chapter 3. Storm', 'Chapter 4'])
    expect(manuscript.metadata.title).toBe('The Harbour')
  })

  it('are found by their words where no style was used', async () => {
    expect(
      titlesOf(
        await read(`${p('Chapter 1')}${prose('Anna')}${p('Chapter 2')}${prose('Ben')}${p('Epilogue')}${prose('Cid')}`),
      ),
    ).toEqual(['Chapter 1', 'Chapter 2', 'Epilogue'])
  })

  it('take the number that Word counts', async () => {
    const numbering = wordPart(
      'numbering',
      '<w:abstractNum w:abstractNumId="7"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="upperRoman"/><w:lvlText w:val="Chapter %1"/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>',
    )
    expect(
      titlesOf(
        await read(`${p('The Quay', styled('N'))}${prose('Anna')}${p('The Sea', styled('N'))}${prose('Ben')}`, {
          'word/styles.xml': styles,
          'word/numbering.xml': numbering,
        }),
      ),
    ).toEqual(['Chapter 1. The Quay', 'Chapter 2. The Sea'])
  })
})

describe('the text of a DOCX', () => {
  it('keeps insertions and drops deletions, moves and hidden text', async () => {
    const run = (text: string, properties = ''): string =>
      `<w:r><w:rPr>${properties}</w:rPr><w:t xml:space="preserve">${text}</w:t></w:r>`
    const manuscript = await read(
      `<w:p>${run('One ')}<w:ins>${run('two ')}</w:ins><w:del><w:r><w:delText>gone </w:delText></w:r></w:del><w:moveFrom>${run('moved ')}</w:moveFrom>${run('secret ', '<w:vanish/>')}${run('three.')}</w:p><w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr>${run('First half')}</w:p><w:p>${run(' second half.')}</w:p>`,
    )
    expect(textsOf(bodyOf(manuscript)[0]!)).toEqual(['paragraph: One two three.', 'paragraph: First half second half.'])
    expect(manuscript.warnings).toEqual([
      'Left out: 2 deleted passages (tracked changes).',
      'Left out: 1 passage of hidden text.',
    ])
  })

  it('leaves footnotes out and reads text boxes once', async () => {
    const box = '<w:txbxContent><w:p><w:r><w:t>In the box.</w:t></w:r></w:p></w:txbxContent>'
    const manuscript = await read(
      `<w:p><w:r><w:t>A sentence</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:t>.</w:t></w:r><w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wps:txbx>${box}</wps:txbx></w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox>${box}</v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>`,
      {
        'word/footnotes.xml': wordPart(
          'footnotes',
          '<w:footnote w:type="separator" w:id="0"/><w:footnote w:id="2"><w:p><w:r><w:t>The note.</w:t></w:r></w:p></w:footnote>',
        ),
      },
    )
    expect(textsOf(bodyOf(manuscript)[0]!)).toEqual(['paragraph: A sentence.', 'paragraph: In the box.'])
    expect(manuscript.warnings).toEqual(['Left out: 1 footnote.', 'Left out: 1 note reference.'])
  })

  it('knows emphasis, quotations, verse, lists, tables and scene breaks', async () => {
    const run = (text: string, properties: string): string =>
      `<w:r><w:rPr>${properties}</w:rPr><w:t xml:space="preserve">${text}</w:t></w:r>`
    const cell = (text: string): string => `<w:tc>${p(text)}</w:tc>`
    const manuscript = await read(
      `<w:p>${run('Not ', '')}${run('this', '<w:i/>')}${run(' but ', '<w:i w:val="0"/>')}${run('that', '<w:b/>')}</w:p>${p('A saying.', styled('Q'))}${p('One line', styled('V'))}${p('and another', styled('V'))}${p('an item', '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="3"/></w:numPr>')}<w:tbl><w:tr>${cell('Name')}${cell('Age')}</w:tr></w:tbl>${p('* * *')}${p('End.')}`,
      { 'word/styles.xml': styles },
    )
    const [section] = bodyOf(manuscript)
    expect(textsOf(section!)).toEqual([
      'paragraph: Not this but that',
      'quotation: A saying.',
      'verse: One line\nand another',
      'list_item: an item',
      'paragraph: Name Age',
      'scene_break: ',
      'paragraph: End.',
    ])
    expect(section!.blocks[0]!.marks).toEqual([
      { start: 4, end: 8, kind: 'emphasis' },
      { start: 13, end: 17, kind: 'strong' },
    ])
  })

  it('takes title and authors from its properties', async () => {
    const core =
      '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The Harbour</dc:title><dc:creator>Anna One; Ben Two</dc:creator><dc:description>A tale.</dc:description></cp:coreProperties>'
    expect((await read(prose('Anna'), { 'docProps/core.xml': core })).metadata).toMatchObject({
      title: 'The Harbour',
      authors: ['Anna One', 'Ben Two'],
      description: 'A tale.',
      language: 'en',
    })
  })
})
