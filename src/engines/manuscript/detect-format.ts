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

/** Formats that people try, with what to do instead. */
const unsupported: [RegExp, string][] = [
  [/^\{\\rtf/, 'This is a Rich Text (RTF) file; save it as DOCX.'],
  [
    /^\xd0\xcf\x11\xe0/,
    'This is a Word file of the old kind (DOC), or one protected by a password; save it as DOCX without a password.',
  ],
  [/^.{60}(BOOKMOBI|TEXtREAd)/s, 'This is a Kindle (MOBI) file; convert it to EPUB.'],
  [/^(CONT|\xeaDRMION)/, 'This is a Kindle (KFX) file; convert it to EPUB.'],
  [/^ITSF/, 'This is a compiled help (CHM) file; convert it to EPUB.'],
  [/^%!PS/, 'This is a PostScript file; convert it to PDF.'],
  [/^AT&TFORM/, 'This is a DjVu file, a scan; only files with text are read.'],
  [/^(\x89PNG|\xff\xd8\xff|GIF8|II\*\0|MM\0\*|RIFF....WEBP)/s, 'This is a picture; only files with text are read.'],
  [/^(\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!)/, 'This is a compressed archive; upload the book itself, unpacked.'],
  [/^(ID3|OggS|fLaC|RIFF....WAVE|....ftyp)/s, 'This is an audio or video file, no manuscript.'],
  [/^(\x7fELF|MZ\x90)/, 'This is a program, no manuscript.'],
]

/** What the bytes say comes before what the name says; the name tells Markdown from plain text. */
export function detectFormat(head: Uint8Array, filename: string): PlainFormat | 'pdf' | 'zip' {
  const start = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1')
  if (/^PK(\x03\x04|\x05\x06|\x07\x08)/.test(start)) return 'zip'
  if (start.slice(0, 1024).includes('%PDF-')) return 'pdf'
  for (const [magic, advice] of unsupported) if (magic.test(start)) throw new Problem(415, 'unsupported_format', advice)
  const extension = filename.toLowerCase().split('.').at(-1) ?? ''
  if (['epub', 'docx', 'pdf'].includes(extension))
    throw new Problem(
      422,
      'damaged_file',
      `This file is called .${extension} but does not begin as one: it is damaged, or something else.`,
    )
  const named = byExtension[extension]
  if (named === 'markdown' || named === 'html') return named
  const text = start.replace(/^\xef\xbb\xbf|\0/g, '').trimStart()
  return /^(<\?xml[^>]*\?>\s*)?(<!--.*?-->\s*)*(<!doctype html|<html[\s>])/is.test(text) ? 'html' : 'txt'
}
