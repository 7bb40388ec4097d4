import { Problem } from '../../kit/errors.ts'
import { composeSections, hasText } from './compose-sections.ts'
import { decodeText } from './decode-text.ts'
import { detectLanguage } from './detect-language.ts'
import { WordReader } from './docx-paragraphs.ts'
import { countHeadings, readStyles, value, wordPrefixes } from './docx-styles.ts'
import { readIsbn } from './epub-package.ts'
import { Omissions, type FlowBlock } from './flow.ts'
import { guessTitle } from './guess-title.ts'
import type { BookMetadata, Manuscript, ReadOptions } from './manuscript.ts'
import { markBoilerplate } from './mark-boilerplate.ts'
import { descend, find, findAll, parseXml, plainText, textOf, type Markup } from './markup-tree.ts'
import type { Archive } from './open-archive.ts'

/** WordprocessingML, transitional and strict (ISO/IEC 29500). */
export async function readDocx(archive: Archive, options: ReadOptions): Promise<Manuscript> {
  const main = await findMainPart(archive)
  const document = await readPart(archive, main)
  const body = document && find(document, 'w:body')
  if (!document || !body) throw new Problem(422, 'damaged_docx', `This DOCX has no document body in ${main}.`)
  options.signal?.throwIfAborted()
  const folder = main.split('/').slice(0, -1).join('/')
  const part = (name: string): Promise<Markup | undefined> => readPart(archive, folder ? `${folder}/${name}` : name)
  const styles = readStyles(await part('styles.xml'))
  const omissions = new Omissions()
  omissions.add(
    'footnote',
    countNotes(await part('footnotes.xml'), 'w:footnote') + countNotes(await part('endnotes.xml'), 'w:endnote'),
  )
  const reader = new WordReader({
    styles,
    omissions,
    label: countHeadings(await part('numbering.xml')),
    language: mainLanguage(body, styles.language),
  })
  reader.readBody(body)
  const { blocks } = markBoilerplate(markBlankLines(reader.blocks, reader.empties))
  if (!hasText(blocks)) throw new Problem(422, 'no_text', 'This DOCX holds no text: its pages may be pictures.')
  const stored = await readProperties(archive)
  const guessed = guessTitle(blocks)
  const detected = await detectLanguage(blocks)
  const said = stored.language || styles.language
  const metadata: BookMetadata = {
    ...stored,
    title: stored.title || guessed.title,
    authors: stored.authors?.length ? stored.authors : guessed.authors,
    translators: [],
    narrators: [],
    // Word stamps its own language on text of any other; what the words say decides, what the file says refines.
    language: options.language ?? (said?.split('-')[0] === detected || blocks.length < 8 ? said || detected : detected),
  }
  const sections = composeSections(blocks, {
    bookTitle: metadata.title,
    language: metadata.language,
    chapterPattern: options.chapterPattern,
  })
  return { format: 'docx', metadata, sections, lexicons: [], warnings: omissions.warnings() }
}

async function findMainPart(archive: Archive): Promise<string> {
  const relations = await readPart(archive, '_rels/.rels')
  const target =
    relations &&
    findAll(relations, 'Relationship').find(({ attributes }) => (attributes['Type'] ?? '').endsWith('/officeDocument'))
      ?.attributes['Target']
  const path = (target ?? 'word/document.xml').replace(/^\/+/, '')
  if (archive.has(path)) return path
  const found = archive.names.find((name) => /(^|\/)document\d*\.xml$/.test(name))
  if (found) return found
  const kind = archive.names.some((name) => name.startsWith('xl/'))
    ? 'This is a spreadsheet; save the text as DOCX.'
    : archive.names.some((name) => name.startsWith('ppt/'))
      ? 'This is a presentation; save the text as DOCX.'
      : undefined
  throw kind
    ? new Problem(415, 'unsupported_format', kind)
    : new Problem(422, 'damaged_docx', 'This DOCX has no main document part.')
}

async function readPart(archive: Archive, path: string): Promise<Markup | undefined> {
  if (!archive.has(path)) return undefined
  const { text } = decodeText(await archive.read(path))
  try {
    return parseXml(text, wordPrefixes)
  } catch (error) {
    throw new Problem(
      422,
      'damaged_docx',
      `The part ${path} of this DOCX is not well-formed XML: ${(error as Error).message.split('\n')[0]}`,
      {},
      { cause: error },
    )
  }
}

/** Separators are stored as notes too, with a type. */
const countNotes = (document: Markup | undefined, name: string): number =>
  document
    ? findAll(document, name).filter(
        ({ attributes }) => attributes['w:type'] === undefined || attributes['w:type'] === 'normal',
      ).length
    : 0

function mainLanguage(body: Markup, byDefault: string | undefined): string {
  const counts = new Map<string, number>()
  for (const run of descend(body)) {
    if (run.name !== 'w:r') continue
    const language = (value(find(run, 'w:lang')) ?? byDefault ?? '').split('-')[0] ?? ''
    counts.set(language, (counts.get(language) ?? 0) + textOf(run).length)
  }
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? ''
}

/** Where blank paragraphs are rare, one between two paragraphs parts scenes; where each paragraph has one, it is layout. */
function markBlankLines(blocks: FlowBlock[], empties: number): FlowBlock[] {
  if (empties > blocks.length * 0.15) return blocks
  const running = new Set(['paragraph', 'quotation'])
  return blocks.flatMap((current, index) => {
    const previous = blocks[index - 1]
    const parts =
      (current.gap ?? 0) > 0 &&
      index > 3 &&
      running.has(current.kind) &&
      previous !== undefined &&
      running.has(previous.kind) &&
      !current.style &&
      !previous.style
    return parts ? [{ kind: 'scene_break' as const, text: '', marks: [] }, current] : [current]
  })
}

async function readProperties(archive: Archive): Promise<Partial<BookMetadata>> {
  const core = await readPart(archive, 'docProps/core.xml')
  const custom = await readPart(archive, 'docProps/custom.xml')
  const stored = (name: string): string | undefined => plainText(core && find(core, name)) || undefined
  const added = (name: string): string | undefined =>
    plainText(
      custom && findAll(custom, 'property').find(({ attributes }) => attributes['name']?.toLowerCase() === name),
    ) || undefined
  return {
    title: stored('dc:title'),
    subtitle: added('subtitle'),
    authors: (stored('dc:creator') ?? '').split(/\s*;\s*/).filter(Boolean),
    language: stored('dc:language'),
    description: stored('dc:description') ?? added('abstract'),
    publisher: added('publisher') ?? stored('dc:publisher'),
    isbn: readIsbn(added('isbn') ?? stored('dc:identifier') ?? ''),
    published: /^\d{4}(-\d\d){0,2}/.exec(added('published') ?? added('date') ?? '')?.[0],
  }
}
