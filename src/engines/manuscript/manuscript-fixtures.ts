import { ZipFile } from 'yazl'
import { readManuscript } from './read-manuscript.ts'
import type { Manuscript, ReadOptions, Section } from './manuscript.ts'

/** Small books made by the tests themselves. */

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8')

export const readTxt = (text: string, options: Partial<ReadOptions> = {}): Promise<Manuscript> =>
  readManuscript(bytesOf(text), { filename: 'book.txt', ...options })

export const bodyOf = ({ sections }: Manuscript): Section[] => sections.filter(({ role }) => role === 'body')
export const titlesOf = (manuscript: Manuscript): string[] => bodyOf(manuscript).map(({ title }) => title)
export const textsOf = ({ blocks }: Section): string[] => blocks.map(({ kind, text }) => `${kind}: ${text}`)

export async function makeZip(
  parts: Record<string, string | Uint8Array>,
  stored: string[] = ['mimetype'],
): Promise<Buffer> {
  const zip = new ZipFile()
  for (const [name, content] of Object.entries(parts))
    zip.addBuffer(Buffer.from(content), name, { compress: !stored.includes(name), mtime: new Date(0) })
  zip.end()
  const chunks: Buffer[] = []
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const container =
  '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'

export interface EpubFixture {
  /** File name without suffix, to the inside of its body. */
  documents: Record<string, string>
  metadata?: string
  nav?: string
  ncx?: string
  guide?: string
  manifest?: string
  parts?: Record<string, string | Uint8Array>
}

const xhtml = (body: string): string =>
  `<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" xmlns:ssml="http://www.w3.org/2001/10/synthesis" xml:lang="en"><head><title>x</title></head>${body.startsWith('<body') ? body : `<body>${body}</body>`}</html>`

export function makeEpub({
  documents,
  metadata = '',
  nav,
  ncx,
  guide = '',
  manifest = '',
  parts = {},
}: EpubFixture): Promise<Buffer> {
  const names = Object.keys(documents)
  const items = names
    .map((name) => `<item id="${name}" href="${name}.xhtml" media-type="application/xhtml+xml"/>`)
    .join('')
  const navItem =
    nav === undefined ? '' : '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
  const ncxItem = ncx === undefined ? '' : '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
  return makeZip({
    mimetype: 'application/epub+zip',
    'META-INF/container.xml': container,
    'OEBPS/content.opf': `<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:opf="http://www.idpf.org/2007/opf"><dc:identifier id="id">x</dc:identifier><dc:title>A Book</dc:title><dc:language>en</dc:language>${metadata}</metadata><manifest>${items}${navItem}${ncxItem}${manifest}</manifest><spine${ncx === undefined ? '' : ' toc="ncx"'}>${names.map((name) => `<itemref idref="${name}"/>`).join('')}</spine>${guide}</package>`,
    ...(nav === undefined ? {} : { 'OEBPS/nav.xhtml': xhtml(`<nav epub:type="toc"><ol>${nav}</ol></nav>`) }),
    ...(ncx === undefined
      ? {}
      : {
          'OEBPS/toc.ncx': `<?xml version="1.0"?><!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "http://www.daisy.org/z3986/2005/ncx-2005-1.dtd"><ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1"><navMap>${ncx}</navMap></ncx>`,
        }),
    ...Object.fromEntries(names.map((name) => [`OEBPS/${name}.xhtml`, xhtml(documents[name] ?? '')])),
    ...parts,
  })
}

export const readEpubFixture = async (fixture: EpubFixture): Promise<Manuscript> =>
  readManuscript(await makeEpub(fixture), { filename: 'book.epub' })

const wordNames =
  'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" xmlns:v="urn:schemas-microsoft-com:vml"'

export const wordPart = (root: string, inside: string): string =>
  `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:${root} ${wordNames}>${inside}</w:${root}>`

export function makeDocx(body: string, parts: Record<string, string | Uint8Array> = {}): Promise<Buffer> {
  return makeZip({
    '[Content_Types].xml':
      '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    '_rels/.rels':
      '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
    'word/document.xml': wordPart('document', `<w:body>${body}</w:body>`),
    ...parts,
  })
}

export const wordParagraph = (text: string, properties = ''): string =>
  `<w:p>${properties ? `<w:pPr>${properties}</w:pPr>` : ''}<w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`

export interface PdfText {
  x: number
  y: number
  text: string
  size?: number
}

/** A PDF 1.4 file with Helvetica and no compression; `trailer` adds entries such as /Encrypt. */
export function makePdf(pages: PdfText[][], trailer = ''): Uint8Array {
  const objects: string[] = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '',
    '<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>',
  ]
  const kids: number[] = []
  for (const texts of pages) {
    const content = texts
      .map(
        ({ x, y, text, size = 12 }) =>
          `BT /F1 ${size} Tf 1 0 0 1 ${x} ${y} Tm (${text.replace(/[\\()]/g, (sign) => `\\${sign}`)}) Tj ET`,
      )
      .join('\n')
    objects.push(`<< /Length ${Buffer.byteLength(content, 'latin1')} >>\nstream\n${content}\nendstream`)
    kids.push(objects.length + 1)
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Resources << /Font << /F1 3 0 R >> >> /Contents ${objects.length} 0 R >>`,
    )
  }
  objects[1] = `<< /Type /Pages /Count ${kids.length} /Kids [${kids.map((kid) => `${kid} 0 R`).join(' ')}] >>`
  let file = '%PDF-1.4\n'
  const offsets = objects.map((object, index) => {
    const offset = Buffer.byteLength(file, 'latin1')
    file += `${index + 1} 0 obj\n${object}\nendobj\n`
    return offset
  })
  const start = Buffer.byteLength(file, 'latin1')
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${trailer} >>\nstartxref\n${start}\n%%EOF\n`
  return Buffer.from(file, 'latin1')
}
