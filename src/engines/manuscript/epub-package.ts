import { Problem } from '../../kit/errors.ts'
import type { Archive } from './open-archive.ts'
import type { BookMetadata } from './manuscript.ts'
import { decodeText } from './decode-text.ts'
import { find, findAll, parseHtml, parseXml, plainText, elements, type Markup } from './markup-tree.ts'

interface ManifestItem {
  id: string
  path: string
  mediaType: string
  properties: string[]
}

export interface EpubPackage {
  path: string
  root: Markup
  items: Map<string, ManifestItem>
  spine: { item: ManifestItem; linear: boolean }[]
  ncx?: ManifestItem
  nav?: ManifestItem
  cover?: ManifestItem
  guide: { type: string; href: string }[]
}

const dc = { 'http://purl.org/dc/elements/1.1/': 'dc', 'http://purl.org/dc/terms/': 'dcterms' }

export async function readXmlPart(archive: Archive, path: string, what: string): Promise<Markup> {
  const { text } = decodeText(await archive.read(path))
  try {
    return parseXml(text, dc)
  } catch (error) {
    throw new Problem(
      422,
      'damaged_epub',
      `The ${what} of this EPUB (${path}) is not well-formed XML: ${(error as Error).message.split('\n')[0]}`,
      {},
      { cause: error },
    )
  }
}

/** Resolves a relative address within the archive; a fragment is left off. */
export function resolvePath(base: string, href: string): string {
  const clean = href.split('#')[0] ?? ''
  let decoded = clean
  try {
    decoded = decodeURIComponent(clean)
  } catch {
    // A bare percent sign in a file name.
  }
  const parts =
    clean === ''
      ? base.split('/')
      : [...(decoded.startsWith('/') ? [] : base.split('/').slice(0, -1)), ...decoded.split('/')]
  const result: string[] = []
  for (const part of parts) {
    if (part === '..') result.pop()
    else if (part && part !== '.') result.push(part)
  }
  return result.join('/')
}

export async function readPackage(archive: Archive): Promise<EpubPackage> {
  const path = await findPackage(archive)
  const document = await readXmlPart(archive, path, 'package document')
  const root = find(document, 'package') ?? document
  const items = new Map<string, ManifestItem>()
  for (const { attributes } of findAll(find(root, 'manifest') ?? root, 'item')) {
    const id = attributes['id'] ?? ''
    const found = matchName(archive, resolvePath(path, attributes['href'] ?? ''))
    items.set(id, {
      id,
      path: found,
      mediaType: (attributes['media-type'] ?? '').toLowerCase(),
      properties: (attributes['properties'] ?? '').split(/\s+/),
    })
  }
  const spineElement = find(root, 'spine')
  const spine = findAll(spineElement ?? root, 'itemref').flatMap(({ attributes }) => {
    const item = items.get(attributes['idref'] ?? '')
    return item ? [{ item, linear: attributes['linear'] !== 'no' }] : []
  })
  if (spine.length === 0)
    throw new Problem(422, 'damaged_epub', 'This EPUB has no spine: it names no document to read.')
  const all = [...items.values()]
  return {
    path,
    root,
    items,
    spine,
    ncx:
      items.get(spineElement?.attributes['toc'] ?? '') ??
      all.find(({ mediaType }) => mediaType === 'application/x-dtbncx+xml'),
    nav: all.find(({ properties }) => properties.includes('nav')),
    cover: findCover(root, all),
    guide: findAll(find(root, 'guide') ?? { name: '', attributes: {}, children: [] }, 'reference').map(
      ({ attributes }) => ({ type: attributes['type'] ?? '', href: attributes['href'] ?? '' }),
    ),
  }
}

async function findPackage(archive: Archive): Promise<string> {
  const container = 'META-INF/container.xml'
  if (archive.has(container)) {
    const document = await readXmlPart(archive, container, 'container')
    const rootfiles = findAll(document, 'rootfile')
    const chosen =
      rootfiles.find(({ attributes }) => attributes['media-type'] === 'application/oebps-package+xml') ?? rootfiles[0]
    const path = matchName(archive, resolvePath('', chosen?.attributes['full-path'] ?? ''))
    if (archive.has(path)) return path
  }
  const lone = archive.names.find((name) => name.toLowerCase().endsWith('.opf'))
  if (lone) return lone
  throw new Problem(
    422,
    'damaged_epub',
    'This EPUB has no package document: META-INF/container.xml names none that is in the archive.',
  )
}

/** Names that differ from the reference only in case or encoding are common in archives made on other systems. */
function matchName(archive: Archive, path: string): string {
  if (archive.has(path)) return path
  const folded = path.normalize('NFC').toLowerCase()
  return archive.names.find((name) => name.normalize('NFC').toLowerCase() === folded) ?? path
}

function findCover(root: Markup, items: ManifestItem[]): ManifestItem | undefined {
  const image = ({ mediaType }: ManifestItem): boolean => mediaType.startsWith('image/')
  const named = findAll(root, 'meta').find(({ attributes }) => attributes['name'] === 'cover')?.attributes['content']
  return (
    items.find(({ properties }) => properties.includes('cover-image')) ??
    items.find((item) => image(item) && (item.id === named || item.path.endsWith(`/${named ?? '\n'}`))) ??
    items.find((item) => image(item) && /cover|portada|couverture/i.test(`${item.id} ${item.path.split('/').at(-1)}`))
  )
}

/** Dublin Core with the refinements of EPUB 3 (3.3, 5.5) and the `opf:` attributes of EPUB 2. */
export function readPackageMetadata(root: Markup): BookMetadata {
  const metadata = find(root, 'metadata') ?? root
  const children = [
    ...elements(metadata),
    ...elements(metadata).flatMap((child) => (child.name.endsWith('metadata') ? elements(child) : [])),
  ]
  const named = (name: string): Markup[] =>
    children.filter((child) => child.name === `dc:${name}` || child.name === name)
  const refine = (node: Markup, property: string): string | undefined => {
    const id = node.attributes['id']
    return id === undefined
      ? undefined
      : plainText(
          children.find(
            ({ name, attributes }) =>
              name === 'meta' && attributes['refines'] === `#${id}` && attributes['property'] === property,
          ),
        ) || undefined
  }
  const roleOf = (node: Markup): string =>
    refine(node, 'role') ?? node.attributes['role'] ?? node.attributes['opf:role'] ?? ''
  const titles = named('title')
    .map((node) => ({ text: plainText(node), type: refine(node, 'title-type') }))
    .filter(({ text }) => text)
  const creators = named('creator').map((node) => ({ name: plainText(node), role: roleOf(node) }))
  const people = [
    ...creators,
    ...named('contributor').map((node) => ({ name: plainText(node), role: roleOf(node) || 'ctb' })),
  ].filter(({ name }) => name)
  const withRole = (...roles: string[]): string[] => [
    ...new Set(people.filter(({ role }) => roles.includes(role)).map(({ name }) => name)),
  ]
  const isbn = named('identifier')
    .map((node) => readIsbn(plainText(node)))
    .find((found) => found !== undefined)
  const published = named('date').filter(
    ({ attributes }) => !/modification|creation|conversion/i.test(attributes['event'] ?? attributes['opf:event'] ?? ''),
  )[0]
  const description = plainText(named('description')[0])
  const authors = withRole('aut')
  return {
    title: (titles.find(({ type }) => type === 'main') ?? titles.find(({ type }) => !type) ?? titles[0])?.text,
    subtitle: titles.find(({ type }) => type === 'subtitle')?.text,
    authors: authors.length
      ? authors
      : [
          ...new Set(
            creators.filter(({ name, role }) => name && !/^(trl|nrt|ill|edt)$/.test(role)).map(({ name }) => name),
          ),
        ],
    translators: withRole('trl'),
    narrators: withRole('nrt'),
    language: plainText(named('language')[0]),
    isbn,
    publisher: plainText(named('publisher')[0]) || undefined,
    published: /^\d{4}(-\d\d(-\d\d)?)?/.exec(plainText(published))?.[0],
    description: description ? plainText(parseHtml(description)) : undefined,
  }
}

/** ISBN-13 or ISBN-10 with a right check digit, without hyphens. */
export function readIsbn(text: string): string | undefined {
  const digits = /(?:^|[^\dX])((?:97[89][\s-]?)?(?:\d[\s-]?){9}[\dX])(?![\dX])/i
    .exec(text)?.[1]
    ?.replace(/[\s-]/g, '')
    .toUpperCase()
  if (!digits) return undefined
  const value = (digit: string): number => (digit === 'X' ? 10 : Number(digit))
  const sum = [...digits].reduce(
    (total, digit, index) => total + value(digit) * (digits.length === 13 ? (index % 2 ? 3 : 1) : 10 - index),
    0,
  )
  return sum % (digits.length === 13 ? 10 : 11) === 0 ? digits : undefined
}
