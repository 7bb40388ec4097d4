import { Worker } from 'node:worker_threads'
import { Problem } from '../../kit/errors.ts'
import { composeSections } from './compose-sections.ts'
import { detectLanguage } from './detect-language.ts'
import { readIsbn } from './epub-package.ts'
import { chooseEntries, type NavigationEntry } from './epub-navigation.ts'
import { Omissions, type FlowBlock } from './flow.ts'
import { guessTitle } from './guess-title.ts'
import type { BookMetadata, Manuscript, ReadOptions } from './manuscript.ts'
import { markBoilerplate, readHeaderFields } from './mark-boilerplate.ts'
import { dropFurniture } from './pdf-furniture.ts'
import { readLines } from './pdf-lines.ts'
import type { PdfContent, PdfOutlineEntry } from './pdf-pages.ts'
import { findBodyHeight, joinParagraphs, type PlacedFlow } from './pdf-paragraphs.ts'

const maxMilliseconds = 180_000
const maxHeapMebibytes = 1024

/** A PDF with text. Its parser runs in a thread of its own, whose time and memory are bounded. */
export async function readPdf(bytes: Uint8Array, options: ReadOptions): Promise<Manuscript> {
  const content = await extract(bytes, options.signal)
  const omissions = new Omissions()
  const read = content.pages.map((page, index) => readLines(page, index))
  const warnings = refuseScans(read.map(({ lines }) => lines.map(({ text }) => text).join(' ')))
  for (const { noteReferences } of read) omissions.add('noteReference', noteReferences)
  const pages = read.map(({ lines }) => lines)
  const bodyHeight = findBodyHeight(pages.flat())
  const placed = joinParagraphs(dropFurniture(pages, bodyHeight, omissions), bodyHeight)
  markOutline(placed, content.outline)
  const { blocks } = markBoilerplate(placed)
  const metadata = await readMetadata(
    content,
    blocks,
    pages
      .slice(0, 3)
      .flat()
      .map(({ text }) => text)
      .join('\n'),
    options,
  )
  const sections = composeSections(blocks, {
    bookTitle: metadata.title,
    language: metadata.language,
    chapterPattern: options.chapterPattern,
  })
  return { format: 'pdf', metadata, sections, lexicons: [], warnings: [...warnings, ...omissions.warnings()] }
}

interface Answer {
  content?: PdfContent
  error?: { name: string; message: string }
}

async function extract(bytes: Uint8Array, signal?: AbortSignal): Promise<PdfContent> {
  signal?.throwIfAborted()
  // pdf.js takes its bytes over, so it gets a copy; the suffix is the one this file itself was loaded with.
  const worker = new Worker(
    new URL(import.meta.url.endsWith('.ts') ? './pdf-worker.ts' : './pdf-worker.js', import.meta.url),
    {
      workerData: Uint8Array.from(bytes),
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMebibytes },
      stdout: true,
      stderr: true,
    },
  )
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const timer = setTimeout(
    () =>
      reject(
        new Problem(
          422,
          'damaged_pdf',
          `This PDF takes longer than ${maxMilliseconds / 1000} s to read; it is damaged or made to do so.`,
        ),
      ),
    maxMilliseconds,
  )
  const abort = (): void => reject(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  worker.once('message', resolve)
  worker.once('error', (error: NodeJS.ErrnoException) =>
    reject(
      error.code === 'ERR_WORKER_OUT_OF_MEMORY'
        ? new Problem(413, 'file_too_large', 'This PDF needs more memory than a book should.', {}, { cause: error })
        : error,
    ),
  )
  worker.once('exit', () => reject(new Problem(422, 'damaged_pdf', 'This PDF cannot be read.')))
  try {
    const { content, error } = await promise
    if (content) return content
    if (error?.name === 'PasswordException')
      throw new Problem(422, 'encrypted', 'This PDF is protected by a password; save it without one.')
    throw new Problem(422, 'damaged_pdf', `This PDF cannot be read: ${error?.message ?? 'unknown reason'}.`)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
    await worker.terminate()
  }
}

/** A scan has pages and next to no letters; one with a few bare pages is a book with pictures. */
function refuseScans(pages: string[]): string[] {
  const letters = pages.map((text) => text.match(/\p{L}/gu)?.length ?? 0)
  const total = letters.reduce((sum, count) => sum + count, 0)
  const bare = letters.filter((count) => count < 10).length
  if (total < Math.min(20, pages.length * 10) || (pages.length > 2 && bare > pages.length * 0.8))
    throw new Problem(
      422,
      'scanned_pdf',
      `This PDF holds pictures of its ${pages.length} pages and no text. Run text recognition (OCR) over it first, or upload another format.`,
      { pages: pages.length, pagesWithText: pages.length - bare },
    )
  const odd = pages.reduce((sum, text) => sum + (text.match(/[\p{Co}\uFFFD]|(?![\t-\r])\p{Cc}/gu)?.length ?? 0), 0)
  if (odd > total * 0.2)
    throw new Problem(
      422,
      'undecodable_text',
      'The fonts of this PDF do not say which characters they draw, so its text cannot be read. Upload another format.',
    )
  return bare > 3 && bare > pages.length * 0.1 ? [`${bare} of ${pages.length} pages hold no text.`] : []
}

/** Bookmarks point to a page and a height; the block at or right below it starts the section. */
function markOutline(blocks: PlacedFlow[], outline: PdfOutlineEntry[]): void {
  const toEntry = ({ title, page, top, children }: PdfOutlineEntry): NavigationEntry => ({
    title,
    path: page === undefined ? undefined : String(page),
    fragment: top === undefined ? undefined : String(top),
    children: children.map(toEntry),
  })
  const starts = chooseEntries(outline.map(toEntry), () => 60)
  if (starts.length < 2) return
  for (const { path, fragment, start } of starts) {
    const page = Number(path)
    const top = fragment === undefined ? Infinity : Number(fragment) + 4
    const words =
      start.title
        ?.toLowerCase()
        .replace(/[^\p{L}\p{N}]+/gu, ' ')
        .trim() ?? ''
    const here = blocks.filter((each) => each.page === page && each.kind !== 'scene_break')
    const named = here.find(
      ({ text }) =>
        words &&
        text.length < 200 &&
        (text
          .toLowerCase()
          .replace(/[^\p{L}\p{N}]+/gu, ' ')
          .trim()
          .startsWith(words) ||
          (text.length > 3 &&
            words.startsWith(
              text
                .toLowerCase()
                .replace(/[^\p{L}\p{N}]+/gu, ' ')
                .trim(),
            ))),
    )
    const place = named ?? here.find((each) => each.top <= top) ?? blocks.find((each) => each.page > page)
    if (!place || place.start) continue
    place.start = start
    if (place === named && place.kind === 'paragraph')
      Object.assign(place, { kind: 'heading', level: Math.min(6, start.depth + 1) })
  }
}

async function readMetadata(
  { info, language }: PdfContent,
  blocks: FlowBlock[],
  firstPages: string,
  options: ReadOptions,
): Promise<BookMetadata> {
  const header = readHeaderFields(firstPages)
  const guessed = guessTitle(blocks)
  const named = /^(.{2,150}?),\s+by\s+(\p{Lu}.{2,80})$/u.exec(info['Title']?.trim() ?? '')
  const stored =
    info['Title'] && !/^(microsoft word|untitled|.*\.(docx?|pdf|indd|tex|rtf)$)/i.test(info['Title'].trim())
      ? info['Title'].trim()
      : undefined
  const authors = header.authors?.length
    ? header.authors
    : named?.[2]
      ? [named[2]]
      : guessed.authors.length
        ? guessed.authors
        : (info['Author'] ?? '').split(/\s*;\s*/).filter(Boolean)
  const detected = await detectLanguage(blocks)
  const said = header.language || language
  return {
    title: header.title ?? named?.[1] ?? stored ?? guessed.title,
    authors,
    translators: header.translators ?? [],
    narrators: [],
    language: options.language ?? (said?.split('-')[0] === detected ? said : detected),
    isbn: readIsbn(/ISBN(?:-1[03])?:?\s*([\dX -]{10,20})/i.exec(firstPages)?.[1] ?? ''),
    description: info['Subject'] || undefined,
  }
}
