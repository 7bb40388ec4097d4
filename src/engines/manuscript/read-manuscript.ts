import { open } from 'node:fs/promises'
import { Problem } from '../../kit/errors.ts'
import { detectFormat } from './detect-format.ts'
import type { Manuscript, ReadOptions } from './manuscript.ts'
import { openArchive } from './open-archive.ts'

const mebibyte = 1024 * 1024
const defaultMaxBytes = 100 * mebibyte
/** Text without pictures: a million words are 6 MB. */
const maxTextBytes = 64 * mebibyte

/**
 * Reads a book: txt in any common encoding, Markdown, HTML, EPUB 2 and 3, DOCX, PDF with text.
 * A path is refused by its size before anything is read, and of an archive only the parts needed are unpacked.
 * @param source bytes of the file, or its path.
 * @throws Problem with a detail for the person who uploaded the file; nothing else, but for `options.signal`'s own reason.
 */
export async function readManuscript(source: Uint8Array | string, options: ReadOptions): Promise<Manuscript> {
  options.signal?.throwIfAborted()
  try {
    const size = typeof source === 'string' ? await sizeOf(source) : source.length
    refuseSize(size, options.maxBytes ?? defaultMaxBytes)
    const head = typeof source === 'string' ? await readHead(source, Math.min(size, 4096)) : source.subarray(0, 4096)
    const format = detectFormat(head, options.filename)
    if (format === 'zip') return await readArchive(source, options)
    if (format !== 'pdf') refuseSize(size, Math.min(maxTextBytes, options.maxBytes ?? defaultMaxBytes))
    const bytes = typeof source === 'string' ? await readHead(source, size) : source
    if (format === 'pdf') return await (await import('./read-pdf.ts')).readPdf(bytes, options)
    return await (await import('./read-plain-formats.ts')).readPlainFormat(bytes, format, options)
  } catch (error) {
    if (error instanceof Problem || options.signal?.aborted) throw error
    throw new Problem(
      422,
      'unreadable_manuscript',
      `This file cannot be read: ${(error as Error).message}.`,
      {},
      { cause: error },
    )
  }
}

function refuseSize(size: number, limit: number): void {
  if (size === 0) throw new Problem(422, 'empty_file', 'This file is empty.')
  if (size > limit)
    throw new Problem(
      413,
      'file_too_large',
      `This file has ${Math.ceil(size / mebibyte)} MiB; at most ${Math.floor(limit / mebibyte)} MiB are read.`,
      { limit, size, unit: 'bytes' },
    )
}

async function sizeOf(path: string): Promise<number> {
  const file = await openFile(path)
  try {
    const status = await file.stat()
    if (!status.isFile()) throw new Problem(422, 'not_a_file', 'A manuscript is read from a file, and this is none.')
    return status.size
  } finally {
    await file.close()
  }
}

async function openFile(path: string): ReturnType<typeof open> {
  try {
    return await open(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    throw new Problem(
      code === 'ENOENT' ? 404 : 422,
      'unreadable_file',
      code === 'ENOENT' ? `There is no file ${path}.` : `The file ${path} cannot be opened (${code}).`,
      {},
      { cause: error },
    )
  }
}

async function readHead(path: string, length: number): Promise<Uint8Array> {
  const file = await openFile(path)
  try {
    const bytes = Buffer.alloc(length)
    let filled = 0
    while (filled < length) {
      const { bytesRead } = await file.read(bytes, filled, length - filled, filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return bytes.subarray(0, filled)
  } finally {
    await file.close()
  }
}

async function readArchive(source: Uint8Array | string, options: ReadOptions): Promise<Manuscript> {
  const archive = await openArchive(source)
  try {
    if (archive.has('META-INF/container.xml') || archive.names.some((name) => name.toLowerCase().endsWith('.opf')))
      return await (await import('./read-epub.ts')).readEpub(archive, options)
    if (archive.has('[Content_Types].xml') || archive.names.some((name) => name.startsWith('word/')))
      return await (await import('./read-docx.ts')).readDocx(archive, options)
    if (archive.has('content.xml'))
      throw new Problem(415, 'unsupported_format', 'This is an OpenDocument file; save it as DOCX.')
    throw new Problem(
      415,
      'unsupported_format',
      'This ZIP archive is neither an EPUB nor a DOCX. Upload the book itself, unpacked.',
    )
  } finally {
    archive.close()
  }
}
