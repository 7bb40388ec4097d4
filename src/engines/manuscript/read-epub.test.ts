import { describe, expect, it } from 'vitest'
import { bodyOf, makeEpub, readEpubFixture, textsOf, titlesOf } from './manuscript-fixtures.ts'
import { readManuscript } from './read-manuscript.ts'

const prose = (name: string): string =>
  `<p>${`${name} went down to the harbour that morning, as on every other one. `.repeat(6)}</p>`
const point = (title: string, src: string, inside = ''): string =>
  `<navPoint id="${src}"><navLabel><text>${title}</text></navLabel><content src="${src}"/>${inside}</navPoint>`

describe('chapters of an EPUB', () => {
  it('come from the navigation document, with parts as parents', async () => {
    const manuscript = await readEpubFixture({
      documents: {
        title: '<h1>A Book</h1><p>by Anna</p>',
        p1: '<h1>Volume II</h1>',
        c1: `<h2>I</h2>${prose('Anna')}`,
        c2: `<h2>II<br/>The Storm</h2>${prose('Ben')}`,
        end: `<h2>Afterword</h2>${prose('Cid')}`,
      },
      nav: '<li><a href="title.xhtml">Title</a></li><li><a href="p1.xhtml">Volume II</a><ol><li><a href="c1.xhtml">I</a></li><li><a href="c2.xhtml">II: The Storm</a></li></ol></li><li><a href="end.xhtml">Afterword</a></li>',
    })
    expect(manuscript.sections.map(({ role, kind, title, parents }) => [role, kind, title, parents])).toEqual([
      ['front', 'titlepage', 'A Book', []],
      ['body', 'chapter', 'Chapter 1', ['Volume II']],
      ['body', 'chapter', 'Chapter 2. The Storm', ['Volume II']],
      ['back', 'afterword', 'Afterword', []],
    ])
    expect(textsOf(bodyOf(manuscript)[0]!).slice(0, 2)).toEqual(['heading: Volume II', 'heading: I'])
  })

  it('come from an NCX with several chapters in one document', async () => {
    const manuscript = await readEpubFixture({
      documents: {
        all: `<h2 id="a">Chapter One</h2>${prose('Anna')}<h3>A subheading</h3>${prose('Ben')}<h2 id="b">Chapter Two</h2>${prose('Cid')}`,
      },
      ncx:
        point('Chapter One', 'all.xhtml#a', point('A subheading', 'all.xhtml#x')) + point('Chapter Two', 'all.xhtml#b'),
    })
    expect(titlesOf(manuscript)).toEqual(['Chapter One', 'Chapter Two'])
    expect(bodyOf(manuscript)[0]!.blocks.filter(({ kind }) => kind === 'heading')).toHaveLength(2)
  })

  it('come from headings where there is no table of contents, or one that names only a beginning', async () => {
    const documents = {
      a: `<h1>Chapter 1</h1>${prose('Anna')}<h1>Chapter 2</h1>${prose('Ben')}`,
      b: `<h1>Chapter 3</h1>${prose('Cid')}<h1>Chapter 4</h1>${prose('Dan')}`,
    }
    for (const ncx of [undefined, point('Start', 'a.xhtml')])
      expect(titlesOf(await readEpubFixture({ documents, ncx }))).toEqual([
        'Chapter 1',
        'Chapter 2',
        'Chapter 3',
        'Chapter 4',
      ])
  })

  it('keep the rest of a chapter that was split over documents', async () => {
    const manuscript = await readEpubFixture({
      documents: { a: `<h1>Chapter 1</h1>${prose('Anna')}`, a2: prose('Ben'), b: `<h1>Chapter 2</h1>${prose('Cid')}` },
      ncx: point('Chapter 1', 'a.xhtml') + point('Chapter 2', 'b.xhtml'),
    })
    expect(bodyOf(manuscript)).toHaveLength(2)
    expect(textsOf(bodyOf(manuscript)[0]!).join()).toContain('Ben went')
  })

  it('follow epub:type, landmarks and the guide for front and back matter', async () => {
    const types = [
      'titlepage',
      'imprint',
      'dedication',
      'epigraph',
      'foreword',
      'prologue',
      'chapter',
      'chapter',
      'epilogue',
      'appendix',
      'colophon',
      'copyright-page',
    ]
    const documents = Object.fromEntries(
      types.map((type, index) => [
        `d${index}`,
        `<section epub:type="${type}">${index > 4 && index < 9 ? `<h2>${index}</h2>` : ''}${prose('Anna')}</section>`,
      ]),
    )
    const manuscript = await readEpubFixture({
      documents,
      nav: Object.keys(documents)
        .map((name, index) => `<li><a href="${name}.xhtml">Item ${index}</a></li>`)
        .join(''),
    })
    expect(manuscript.sections.map(({ role, kind }) => `${role} ${kind}`)).toEqual([
      ...types.slice(0, 5).map((type) => `front ${type}`),
      ...types.slice(5, 9).map((type) => `body ${type}`),
      'back appendix',
      'back colophon',
      'front copyright-page',
    ])
    const guided = await readEpubFixture({
      documents: { a: prose('Anna'), b: `<h1>Chapter 1</h1>${prose('Ben')}` },
      ncx: point('Thanks', 'a.xhtml') + point('Chapter 1', 'b.xhtml'),
      guide: '<guide><reference type="dedication" href="a.xhtml"/></guide>',
    })
    expect(guided.sections[0]).toMatchObject({ role: 'front', kind: 'dedication' })
  })
})

describe('the text of an EPUB', () => {
  it('leaves out notes, their references and page numbers, and counts them', async () => {
    const manuscript = await readEpubFixture({
      documents: {
        a: `<h1>Chapter 1</h1><p>One<a epub:type="noteref" href="#n1">1</a> two<span epub:type="pagebreak" title="12">12</span> three<sup><a href="#n2">[2]</a></sup>, x<sup>2</sup>.</p>${prose('Anna')}<aside epub:type="footnote" id="n1"><p>The note.</p></aside>`,
      },
    })
    expect(bodyOf(manuscript)[0]!.blocks[1]!.text).toBe('One two three, x2.')
    expect(manuscript.warnings).toEqual([
      'Left out: 2 note references.',
      'Left out: 1 page number.',
      'Left out: 1 footnote.',
    ])
  })

  it('keeps verse, letters, quotations, scene breaks, captions and lists as what they are', async () => {
    const manuscript = await readEpubFixture({
      documents: {
        a: `<h1>Chapter 1</h1><blockquote epub:type="z3998:verse"><p><span>One line</span><br/><span>and another</span></p></blockquote><blockquote epub:type="z3998:letter"><p>Dear Anna,</p></blockquote><blockquote><p>A saying.</p></blockquote><hr/><p>* * *</p><figure><img src="x.png" alt="no text"/><figcaption>The quay</figcaption></figure><ul><li>one</li><li><p>two</p></li></ul>${prose('Anna')}`,
      },
    })
    expect(textsOf(bodyOf(manuscript)[0]!).slice(0, -1)).toEqual([
      'heading: Chapter 1',
      'verse: One line\nand another',
      'letter: Dear Anna,',
      'quotation: A saying.',
      'scene_break: ',
      'scene_break: ',
      'caption: The quay',
      'list_item: one',
      'list_item: two',
    ])
  })

  it('marks emphasis, other languages and pronunciations at their places', async () => {
    const manuscript = await readEpubFixture({
      documents: {
        a: `<h1>Chapter 1</h1><p>He <em>did</em> say <i xml:lang="fr">bon\n  mot</i> and <span ssml:ph="təˈmɑːtəʊ">tomato</span>, <b>loud</b>.</p>${prose('Anna')}`,
      },
    })
    const block = bodyOf(manuscript)[0]!.blocks[1]!
    expect(block.text).toBe('He did say bon mot and tomato, loud.')
    expect(
      block.marks.map(({ start, end, kind, language, phoneme }) => [
        block.text.slice(start, end),
        kind,
        language ?? phoneme?.ph,
      ]),
    ).toEqual([
      ['did', 'emphasis', undefined],
      ['bon mot', 'emphasis', undefined],
      ['bon mot', 'foreign', 'fr'],
      ['tomato', 'phoneme', 'təˈmɑːtəʊ'],
      ['loud', 'strong', undefined],
    ])
  })

  it('knows named characters, keeps text after empty anchors, and repairs what is not well-formed', async () => {
    const manuscript = await readEpubFixture({
      documents: {
        a: `<h1>Chapter 1</h1><p>A&nbsp;caf&eacute;&mdash;here<a id="x"/> and there &amp; on.</p><p>Broken <b>bold</p>${prose('Anna')}`,
        b: `<h1>Chapter 2</h1><p>Fine<a id="y"/> text.</p>${prose('Ben')}`,
      },
    })
    expect(bodyOf(manuscript)[0]!.blocks[1]!.text).toBe('A café—here and there & on.')
    expect(bodyOf(manuscript)[1]!.blocks[1]!.text).toBe('Fine text.')
    expect(manuscript.warnings.join()).toContain('not well-formed')
  })
})

describe('what an EPUB says of itself', () => {
  it('gives people by role, ISBN, date, publisher, description, cover and lexicons', async () => {
    const manuscript = await readEpubFixture({
      documents: { a: `<h1>Chapter 1</h1>${prose('Anna')}` },
      metadata:
        '<dc:creator id="c1">Anna Author</dc:creator><meta refines="#c1" property="role" scheme="marc:relators">aut</meta><dc:creator opf:role="trl">Tom Translator</dc:creator><dc:contributor id="n">Nora Narrator</dc:contributor><meta refines="#n" property="role">nrt</meta><dc:identifier>urn:isbn:978-0-306-40615-7</dc:identifier><dc:publisher>House</dc:publisher><dc:date>1813-01-28</dc:date><dc:description>&lt;p&gt;A &lt;i&gt;tale&lt;/i&gt;.&lt;/p&gt;</dc:description><meta name="cover" content="cov"/>',
      manifest:
        '<item id="cov" href="i/cover.jpg" media-type="image/jpeg"/><item id="pls" href="en.pls" media-type="application/pls+xml"/>',
      parts: { 'OEBPS/i/cover.jpg': Buffer.from([255, 216, 255, 1]), 'OEBPS/en.pls': '<lexicon/>' },
    })
    expect(manuscript.metadata).toEqual({
      title: 'A Book',
      subtitle: undefined,
      authors: ['Anna Author'],
      translators: ['Tom Translator'],
      narrators: ['Nora Narrator'],
      language: 'en',
      isbn: '9780306406157',
      publisher: 'House',
      published: '1813-01-28',
      description: 'A tale.',
    })
    expect(manuscript.cover).toEqual({ mediaType: 'image/jpeg', bytes: Buffer.from([255, 216, 255, 1]) })
    expect(manuscript.lexicons).toEqual(['<lexicon/>'])
  })
})

describe('protection', () => {
  const encryption = (algorithm: string, uri: string): string =>
    `<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container" xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData><enc:EncryptionMethod Algorithm="${algorithm}"/><enc:CipherData><enc:CipherReference URI="${uri}"/></enc:CipherData></enc:EncryptedData></encryption>`
  const documents = { a: `<h1>Chapter 1</h1>${prose('Anna')}` }
  it('of the text is refused', async () => {
    const file = await makeEpub({
      documents,
      parts: { 'META-INF/encryption.xml': encryption('http://www.w3.org/2001/04/xmlenc#aes128-cbc', 'OEBPS/a.xhtml') },
    })
    await expect(readManuscript(file, { filename: 'book.epub' })).rejects.toMatchObject({
      type: 'protected',
      message: expect.stringContaining('OEBPS/a.xhtml'),
    })
  })
  it.each(['http://www.idpf.org/2008/embedding', 'http://ns.adobe.com/pdf/enc#RC'])(
    'of fonts by %s is not',
    async (algorithm) => {
      const file = await makeEpub({
        documents,
        parts: { 'META-INF/encryption.xml': encryption(algorithm, 'OEBPS/f.otf') },
      })
      expect(titlesOf(await readManuscript(file, { filename: 'book.epub' }))).toEqual(['Chapter 1'])
    },
  )
})
