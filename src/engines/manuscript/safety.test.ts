import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeDocx, makeEpub, makeZip, wordParagraph } from './manuscript-fixtures.ts'
import type { Manuscript } from './manuscript.ts'
import { readManuscript } from './read-manuscript.ts'

const refused = (file: Uint8Array | string, filename: string, type: string, maxBytes?: number): Promise<void> =>
  expect(readManuscript(file, { filename, maxBytes })).rejects.toMatchObject({ name: 'Problem', type })

interface RawEntry {
  name: string
  data: Uint8Array
  size: number
  crc: number
  offset?: number
  flags?: number
}

/** Writes a ZIP by hand, so that its directory may lie. */
function rawZip(entries: RawEntry[]): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name, data, size, crc, offset: claimed, flags = 0 } of entries) {
    const local = Buffer.alloc(30 + name.length)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(20, 4)
    local.writeUInt16LE(flags, 6)
    local.writeUInt16LE(8, 8)
    local.writeUInt32LE(crc, 14)
    local.writeUInt32LE(data.length, 18)
    local.writeUInt32LE(size, 22)
    local.writeUInt16LE(name.length, 26)
    local.write(name, 30)
    const central = Buffer.alloc(46 + name.length)
    central.writeUInt32LE(0x02014b50, 0)
    central.writeUInt16LE(20, 4)
    central.writeUInt16LE(20, 6)
    central.writeUInt16LE(flags, 8)
    central.writeUInt16LE(8, 10)
    central.writeUInt32LE(crc, 16)
    central.writeUInt32LE(data.length, 20)
    central.writeUInt32LE(size, 24)
    central.writeUInt16LE(name.length, 28)
    central.writeUInt32LE(claimed ?? offset, 42)
    central.write(name, 46)
    directory.push(central)
    if (claimed === undefined) {
      parts.push(local, Buffer.from(data))
      offset += local.length + data.length
    }
  }
  const end = Buffer.alloc(22)
  const length = directory.reduce((sum, each) => sum + each.length, 0)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, ...directory, end])
}

const packed = (name: string, content: Uint8Array): RawEntry => ({
  name,
  data: deflateRawSync(content),
  size: content.length,
  crc: crc32(content),
})

describe('archives made to do harm', () => {
  it('are refused by their ratio', async () => {
    await refused(rawZip([packed('word/document.xml', Buffer.alloc(40_000_000, 32))]), 'x.docx', 'archive_too_large')
  })
  it('are refused when they unpack to more than they say', async () => {
    const content = Buffer.alloc(5_000_000, 'abc ')
    await refused(rawZip([{ ...packed('word/document.xml', content), size: 1_000 }]), 'x.docx', 'damaged_archive')
  })
  it('are refused when their parts overlap', async () => {
    const first = packed('word/document.xml', Buffer.from('<x/>'.repeat(500)))
    await refused(
      rawZip([first, { ...first, name: 'b', offset: 4 }, { ...first, name: 'c', offset: 8 }]),
      'x.docx',
      'damaged_archive',
    )
  })
  it('are refused for too many entries', async () => {
    const empty = { name: '', data: new Uint8Array([3, 0]), size: 0, crc: 0 }
    await refused(
      rawZip(Array.from({ length: 20_001 }, (_, index) => ({ ...empty, name: `f${index}` }))),
      'x.epub',
      'archive_too_large',
    )
  })
  it.each(['../../etc/passwd', '/etc/passwd', 'C:/x', 'a\\..\\b'])('are refused for the path %s', async (name) => {
    await refused(
      rawZip([packed('word/document.xml', Buffer.from('<x/>')), packed(name, Buffer.from('x'))]),
      'x.docx',
      'damaged_archive',
    )
  })
  it('are refused when a part has a password', async () => {
    await refused(rawZip([{ ...packed('word/document.xml', Buffer.from('<x/>')), flags: 1 }]), 'x.docx', 'encrypted')
  })
  it('are refused when they are cut short, nested or something else', async () => {
    const epub = await makeEpub({ documents: { a: '<p>Text.</p>' } })
    await refused(epub.subarray(0, epub.length - 40), 'x.epub', 'damaged_archive')
    await refused(await makeZip({ 'book.epub': epub }), 'x.epub', 'unsupported_format')
    await refused(
      await makeZip({ 'xl/workbook.xml': '<x/>', '[Content_Types].xml': '<x/>' }),
      'x.docx',
      'unsupported_format',
    )
  })
})

describe('XML made to do harm', () => {
  const bomb =
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
  it('expands no entity of its own and loads nothing from outside', async () => {
    const document = `<?xml version="1.0"?>${bomb}<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body><h1>Chapter 1</h1><p>One &b; two &c; three.</p></body></html>`
    const { sections } = await readManuscript(
      await makeEpub({ documents: { a: 'x' }, parts: { 'OEBPS/a.xhtml': document } }),
      { filename: 'x.epub' },
    )
    expect(sections[0]!.blocks[1]!.text).toBe('One &b; two &c; three.')
  })
  it('may nest deep, but not without end', async () => {
    const nested = (depth: number): string => `${'<div>'.repeat(depth)}The text.${'</div>'.repeat(depth)}`
    const html = (markup: string): Promise<Manuscript> =>
      readManuscript(Buffer.from(`<html>${markup}`), { filename: 'x.html' })
    const epub = async (markup: string): Promise<Manuscript> =>
      readManuscript(await makeEpub({ documents: { a: markup } }), { filename: 'x.epub' })
    for (const read of [html, epub]) {
      expect((await read(nested(1_500))).sections[0]!.blocks.map(({ text }) => text)).toEqual(['The text.'])
      await expect(read(nested(60_000))).rejects.toMatchObject({ type: 'unreadable_markup' })
    }
    const control = `${'<w:sdt><w:sdtContent>'.repeat(20_000)}${wordParagraph('The text.')}${'</w:sdtContent></w:sdt>'.repeat(20_000)}`
    await refused(await makeDocx(control), 'x.docx', 'damaged_docx')
  })

  it('may not multiply elements by leaving them open', async () => {
    const open = Array.from({ length: 1_500 }, (_, index) => `<b id="${index}">`).join('')
    await refused(Buffer.from(`<html><p>${open}</p>${'<p>x</p>'.repeat(20_000)}`), 'x.html', 'unreadable_markup')
  })
})

describe('files that are no book', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'manuscript-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('of 500 MB are refused by size before they are read', async () => {
    const path = join(folder, 'large.txt')
    const file = await open(path, 'w')
    await file.truncate(500 * 1024 * 1024)
    await file.close()
    const before = process.memoryUsage().rss
    await refused(path, 'large.txt', 'file_too_large')
    expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000)
    await refused(Buffer.from('Some text.'), 'x.txt', 'file_too_large', 5)
    await refused(join(folder, 'missing.txt'), 'missing.txt', 'unreadable_file')
    await refused(folder, 'x.txt', 'not_a_file')
  })

  it.each([
    ['nothing', Buffer.alloc(0), 'empty_file'],
    ['blank', Buffer.from('\n \n\t'), 'no_text'],
    ['zeros', Buffer.alloc(5000), 'not_text'],
    [
      'random',
      Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919 + ((index * index) >> 3)) & 255)),
      'not_text',
    ],
    ['RTF', Buffer.from('{\\rtf1 Text}'), 'unsupported_format'],
    ['old Word', Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]), 'unsupported_format'],
    ['a picture', Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), 'unsupported_format'],
    ['an empty EPUB', Buffer.from('not a zip'), 'damaged_file'],
  ])('such as %s are refused', async (what, bytes, type) => {
    await refused(bytes, what === 'an empty EPUB' ? 'x.epub' : 'x.txt', type)
  })

  it('hold no text: an EPUB of pictures, a DOCX without words', async () => {
    await refused(await makeEpub({ documents: { a: '<img src="a.png" alt="x"/>' } }), 'x.epub', 'no_text')
    await refused(await makeDocx('<w:p/>'), 'x.docx', 'no_text')
  })
})
