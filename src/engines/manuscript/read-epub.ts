import { Problem } from '../../kit/errors.ts'
import { readGuideType, readSemantics } from './classify-role.ts'
import { composeSections } from './compose-sections.ts'
import { decodeText } from './decode-text.ts'
import { detectLanguage } from './detect-language.ts'
import {
  chooseEntries,
  readLandmarks,
  readNav,
  readNcx,
  type Landmark,
  type NavigationEntry,
  type NavigationStart,
} from './epub-navigation.ts'
import { readPackage, readPackageMetadata, readXmlPart, resolvePath, type EpubPackage } from './epub-package.ts'
import { estimateWords, Omissions, type FlowBlock, type SectionStart } from './flow.ts'
import type { Manuscript, ReadOptions } from './manuscript.ts'
import { find, parseXhtml, type Markup } from './markup-tree.ts'
import type { Archive } from './open-archive.ts'
import { readMarkup } from './read-markup.ts'
import { refuseRights } from './refuse-rights.ts'

interface SpineDocument {
  path: string
  blocks: FlowBlock[]
}

/** EPUB 2 and 3. */
export async function readEpub(archive: Archive, options: ReadOptions): Promise<Manuscript> {
  await refuseRights(archive)
  const epub = await readPackage(archive)
  const metadata = readPackageMetadata(epub.root)
  const warnings: string[] = []
  const omissions = new Omissions()
  const language = options.language ?? (metadata.language || '')
  const documents = await readSpine(archive, epub, { omissions, language }, warnings, options.signal)
  const navigation = await readNavigation(archive, epub, warnings)
  markNavigation(documents, navigation.entries)
  markLandmarks(documents, navigation.landmarks)
  const blocks = documents.flatMap((document) => document.blocks)
  if (!blocks.some(({ text }) => /[\p{L}\p{N}]/u.test(text)))
    throw new Problem(422, 'no_text', 'This EPUB holds no text: its pages may be pictures.')
  metadata.language = language || (await detectLanguage(blocks))
  const sections = composeSections(blocks, {
    bookTitle: metadata.title,
    language: metadata.language,
    chapterPattern: options.chapterPattern,
  })
  const cover = await readCover(archive, epub, warnings)
  return {
    format: 'epub',
    metadata,
    cover,
    sections,
    lexicons: await readLexicons(archive, epub),
    warnings: [...warnings, ...omissions.warnings()],
  }
}

async function readSpine(
  archive: Archive,
  epub: EpubPackage,
  options: { omissions: Omissions; language: string },
  warnings: string[],
  signal?: AbortSignal,
): Promise<SpineDocument[]> {
  const documents: SpineDocument[] = []
  let missing = 0
  for (const { item, linear } of epub.spine) {
    signal?.throwIfAborted()
    if (!archive.has(item.path)) {
      missing += 1
      continue
    }
    if (item.mediaType && !/xhtml|html|xml/.test(item.mediaType)) continue
    const { tree, wellFormed } = parseXhtml(decodeText(await archive.read(item.path)).text)
    if (!wellFormed) warnings.push(`Repaired: ${item.path} is not well-formed.`)
    const body = find(tree, 'body') ?? tree
    const html = find(tree, 'html')
    const blocks = readMarkup({ ...body, attributes: { ...html?.attributes, ...body.attributes } }, options)
    // Documents outside the reading order are notes, answers, pop-ups; a cover page holds no text worth a section.
    if (!linear && !blocks.some(({ start }) => start)) {
      if (blocks.length) warnings.push(`Left out: ${item.path} lies outside the reading order.`)
      continue
    }
    markDocument(blocks, tree, item.properties.includes('nav'))
    documents.push({ path: item.path, blocks })
  }
  if (documents.length === 0)
    throw new Problem(422, 'damaged_epub', 'None of the documents that this EPUB names is in the archive.')
  if (missing)
    warnings.push(
      `${missing} of the documents in the reading order ${missing === 1 ? 'is' : 'are'} missing from the file.`,
    )
  return documents
}

/** `frontmatter` on a body element speaks for the whole document; the contents page is no chapter. */
function markDocument(blocks: FlowBlock[], tree: Markup, isNav: boolean): void {
  const first = blocks[0]
  if (!first) return
  const body = find(tree, 'body')
  const { kind, role, division } = readSemantics(
    `${body?.attributes['epub:type'] ?? ''} ${body?.attributes['role'] ?? ''}`,
  )
  if (isNav) first.start = { source: 'semantics', depth: 1, kind: 'toc', role: 'front' }
  else if (kind && !first.start) first.start = { source: 'semantics', depth: 1, kind, role: role ?? division }
  else if (division && division !== 'body' && !first.start)
    first.start = { source: 'semantics', depth: 1, role: division }
}

async function readNavigation(
  archive: Archive,
  epub: EpubPackage,
  warnings: string[],
): Promise<{ entries: NavigationEntry[]; landmarks: Landmark[] }> {
  let entries: NavigationEntry[] = []
  const landmarks: Landmark[] = epub.guide.map(({ type, href }) => ({
    type,
    path: resolvePath(epub.path, href),
    fragment: href.split('#')[1],
  }))
  if (epub.nav && archive.has(epub.nav.path)) {
    const { tree } = parseXhtml(decodeText(await archive.read(epub.nav.path)).text)
    entries = readNav(tree, epub.nav.path)
    landmarks.unshift(...readLandmarks(tree, epub.nav.path))
  }
  if (entries.length === 0 && epub.ncx && archive.has(epub.ncx.path)) {
    try {
      entries = readNcx(await readXmlPart(archive, epub.ncx.path, 'table of contents'), epub.ncx.path)
    } catch (error) {
      warnings.push(
        `The table of contents could not be read, so chapters come from headings. ${(error as Error).message}`,
      )
    }
  }
  return { entries, landmarks }
}

const indexAnchors = (documents: SpineDocument[]): ((path: string, fragment?: string) => FlowBlock | undefined) => {
  const anchors = new Map<string, FlowBlock>()
  for (const { path, blocks } of documents) {
    if (blocks[0]) anchors.set(path, blocks[0])
    for (const inside of blocks)
      for (const anchor of inside.anchors ?? [])
        if (!anchors.has(`${path}#${anchor}`)) anchors.set(`${path}#${anchor}`, inside)
  }
  return (path, fragment) => anchors.get(fragment ? `${path}#${fragment}` : path) ?? anchors.get(path)
}

/** Puts the starts that navigation names on the blocks they point to. What the text's own markup says of kind and role stays. */
function markNavigation(documents: SpineDocument[], entries: NavigationEntry[]): void {
  const locate = indexAnchors(documents)
  const places = new Map(documents.flatMap(({ blocks }) => blocks).map((current, index) => [current, index]))
  const flat = documents.flatMap(({ blocks }) => blocks)
  const sizes = (entry: NavigationEntry): number => {
    const from = places.get(locate(entry.path ?? '', entry.fragment)!) ?? 0
    const first = entry.children.find(({ path }) => path)
    const to = first ? (places.get(locate(first.path ?? '', first.fragment)!) ?? from) : from
    return flat.slice(from, to).reduce((sum, { kind, text }) => sum + (kind === 'heading' ? 0 : estimateWords(text)), 0)
  }
  const starts = chooseEntries(entries, sizes)
  for (const { path, fragment, start } of starts) {
    const place = locate(path, fragment)
    if (place) place.start = merge(place.start, start)
  }
  markUnlisted(documents, starts)
}

const merge = (own: SectionStart | undefined, listed: SectionStart): SectionStart =>
  own?.source === 'navigation'
    ? {
        ...own,
        title: own.holds ? listed.title : own.title,
        parents: listed.parents ?? own.parents,
        holds: own.holds && listed.holds,
      }
    : { ...listed, kind: own?.kind ?? listed.kind, role: own?.role ?? listed.role, holds: listed.holds || own?.holds }

/** A document that navigation passes over belongs to the section before it, unless it opens with a heading of chapter rank. */
function markUnlisted(documents: SpineDocument[], starts: NavigationStart[]): void {
  const listed = new Set(starts.map(({ path }) => path))
  const levels = documents
    .filter(({ path }) => listed.has(path))
    .map(({ blocks }) => blocks.find(({ kind }) => kind === 'heading')?.level ?? 9)
  const level = Math.min(...levels, 2)
  documents.forEach(({ path, blocks }, index) => {
    const first = blocks[0]
    if (!first || first.start || listed.has(path)) return
    const heading = blocks.slice(0, 3).find(({ kind }) => kind === 'heading')
    if (index === 0 || starts.length === 0 ? heading : (heading?.level ?? 9) <= level)
      first.start = { source: 'semantics', depth: 1 }
  })
}

function markLandmarks(documents: SpineDocument[], landmarks: Landmark[]): void {
  const locate = indexAnchors(documents)
  for (const { path, fragment, type } of landmarks) {
    const place = locate(path, fragment)
    const { kind, role, division } = { ...readGuideType(type), ...readSemantics(type) }
    if (!place || (fragment && !place.anchors?.includes(fragment))) continue
    // "Begin reading" may point at a page in the middle of a section; a section that starts there is the book.
    if (division === 'body' && place.start) place.start.role ??= 'body'
    else if (kind && kind !== 'cover' && place.start && !place.start.kind)
      Object.assign(place.start, { kind, role: place.start.role ?? role })
    else if (kind && kind !== 'cover' && !place.start) place.start = { source: 'semantics', depth: 1, kind, role }
  }
}

async function readCover(archive: Archive, epub: EpubPackage, warnings: string[]): Promise<Manuscript['cover']> {
  if (!epub.cover || !archive.has(epub.cover.path)) return undefined
  try {
    return { mediaType: epub.cover.mediaType, bytes: await archive.read(epub.cover.path) }
  } catch (error) {
    warnings.push(`The cover could not be read. ${(error as Error).message}`)
    return undefined
  }
}

async function readLexicons(archive: Archive, epub: EpubPackage): Promise<string[]> {
  const lexicons: string[] = []
  for (const { mediaType, path } of epub.items.values())
    if ((mediaType === 'application/pls+xml' || path.toLowerCase().endsWith('.pls')) && archive.has(path))
      lexicons.push(decodeText(await archive.read(path)).text)
  return lexicons
}
