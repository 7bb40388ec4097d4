import { Problem } from '../../kit/errors.ts'

export type PlainFormat = 'txt' | 'markdown' | 'html'

const byExtension: Record<string, PlainFormat> = {
  txt: 'txt',
  text: 'txt',
  asc: 'txt',
  md: 'markdown',
  markdown: 'markdown',
  mdown: 'markdown',
  mkd: 'markdown',
  html: 'html',
  htm: 'html',
  xhtml: 'html',
  xht: 'html',
}

/** Formats that people try, by their first bytes (as Latin-1), with what to do instead. */
const unsupported: { at?: number; signs: string[]; advice: string }[] = [
  { signs: ['{\\rtf'], advice: 'This is a Rich Text (RTF) file; save it as DOCX.' },
  {
    signs: ['\xd0\xcf\x11\xe0'],
    advice:
      'This is a Word file of the old kind (DOC), or one protected by a password; save it as DOCX without a password.',
  },
  { at: 60, signs: ['BOOKMOBI', 'TEXtREAd'], advice: 'This is a Kindle (MOBI) file; convert it to EPUB.' },
  { signs: ['CONT\x02', '\xeaDRMION'], advice: 'This is a Kindle (KFX) file; convert it to EPUB.' },
  { signs: ['ITSF'], advice: 'This is a compiled help (CHM) file; convert it to EPUB.' },
  { signs: ['%!PS'], advice: 'This is a PostScript file; convert it to PDF.' },
  { signs: ['AT&TFORM'], advice: 'This is a DjVu file, a scan; only files with text are read.' },
  {
    signs: ['\x89PNG', '\xff\xd8\xff', 'GIF8', 'II*\0', 'MM\0*', 'BM6'],
    advice: 'This is a picture; only files with text are read.',
  },
  {
    signs: ['\x1f\x8b', 'BZh9', '\xfd7zXZ', '7z\xbc\xaf', 'Rar!'],
    advice: 'This is a compressed archive; upload the book itself, unpacked.',
  },
  { signs: ['ID3\x02', 'ID3\x03', 'ID3\x04', 'OggS', 'fLaC', 'RIFF'], advice: 'This is an audio file, no manuscript.' },
  { at: 4, signs: ['ftyp'], advice: 'This is an audio or video file, no manuscript.' },
  { signs: ['\x7fELF', 'MZ\x90'], advice: 'This is a program, no manuscript.' },
]

/** What the bytes say comes before what the name says; the name tells Markdown from plain text. */
export function detectFormat(head: Uint8Array, filename: string): PlainFormat | 'pdf' | 'zip' {
  const start = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1')
  if (['PK\x03\x04', 'PK\x05\x06', 'PK\x07\x08'].some((sign) => start.startsWith(sign))) return 'zip'
  if (start.slice(0, 1024).includes('%PDF-')) return 'pdf'
  for (const { at = 0, signs, advice } of unsupported)
    if (signs.some((sign) => start.startsWith(sign, at))) throw new Problem(415, 'unsupported_format', advice)
  const extension = filename.toLowerCase().split('.').at(-1) ?? ''
  if (['epub', 'docx', 'pdf'].includes(extension))
    throw new Problem(
      422,
      'damaged_file',
      `This file is called .${extension} but does not begin as one: it is damaged, or something else.`,
    )
  const named = byExtension[extension]
  if (named === 'markdown' || named === 'html') return named
  const text = start
    .replaceAll('\0', '')
    .replace(/^[^\x20-\x7e\s]+/, '')
    .trimStart()
  return /^(<\?xml[^>]*\?>\s*)?(<!--.*?-->\s*)*(<!doctype html|<html[\s>])/is.test(text) ? 'html' : 'txt'
}
