import type { Book } from './book.ts'
import { bookTitle } from './book.ts'
import { escapeXml } from './escape-xml.ts'
import { identifyBook } from './identify-book.ts'
import { writeClock } from './write-smil.ts'
import { isRightToLeft } from './write-xhtml.ts'

export interface OpfItem {
  id: string
  href: string
  mediaType: string
  properties?: string
  /** The id of its overlay. */
  overlay?: string
}

export const activeClass = '-epub-media-overlay-active'
const playingClass = '-epub-media-overlay-playing'

/** The package document, EPUB 3.3 section 5. `durations` are milliseconds by overlay id; `spine` holds ids in reading order. */
export function writeOpf(
  book: Book,
  language: string,
  items: OpfItem[],
  spine: string[],
  durations: Map<string, number>,
): string {
  const manifest = items.map(
    (item) =>
      `<item id="${item.id}" href="${escapeXml(item.href)}" media-type="${escapeXml(item.mediaType)}"` +
      `${item.properties ? ` properties="${item.properties}"` : ''}${item.overlay ? ` media-overlay="${item.overlay}"` : ''}/>`,
  )
  const direction = isRightToLeft(language) ? ' page-progression-direction="rtl"' : ''
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n` +
    `<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="identifier" xml:lang="${language}">\n` +
    `<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">\n${metadata(book, language, durations).join('\n')}\n</metadata>\n` +
    `<manifest>\n${manifest.join('\n')}\n</manifest>\n` +
    `<spine${direction}>\n${spine.map((id) => `<itemref idref="${id}"/>`).join('\n')}\n</spine>\n</package>\n`
  )
}

function metadata(book: Book, language: string, durations: Map<string, number>): string[] {
  const { subtitle, authors, translators, narrators, publisher, published, description } = book.metadata
  const total = [...durations.values()].reduce((sum, duration) => sum + duration, 0)
  return [
    `<dc:identifier id="identifier">${escapeXml(identifyBook(book))}</dc:identifier>`,
    `<dc:title id="title">${escapeXml(bookTitle(book)) || '–'}</dc:title>`,
    meta('title-type', 'main', 'title'),
    ...(subtitle?.trim()
      ? [`<dc:title id="subtitle">${escapeXml(subtitle)}</dc:title>`, meta('title-type', 'subtitle', 'subtitle')]
      : []),
    `<dc:language>${language}</dc:language>`,
    ...people('creator', 'aut', authors),
    ...people('contributor', 'trl', translators),
    ...people('contributor', 'nrt', narrators),
    ...element('publisher', publisher),
    ...element('date', isDate(published) ? published : undefined),
    ...element('description', description),
    meta('dcterms:modified', modifiedAt(book)),
    ...[...durations].map(([id, duration]) => meta('media:duration', writeClock(duration), id)),
    meta('media:duration', writeClock(total)),
    ...narrators.filter((name) => name.trim()).map((name) => meta('media:narrator', name)),
    meta('media:active-class', activeClass),
    meta('media:playback-active-class', playingClass),
    meta('schema:accessMode', 'textual'),
    meta('schema:accessMode', 'auditory'),
    meta('schema:accessModeSufficient', 'textual'),
    meta('schema:accessModeSufficient', 'auditory'),
    ...[
      'synchronizedAudioText',
      'tableOfContents',
      'structuralNavigation',
      'readingOrder',
      'displayTransformability',
    ].map((feature) => meta('schema:accessibilityFeature', feature)),
    meta('schema:accessibilityHazard', 'none'),
    meta(
      'schema:accessibilitySummary',
      'The whole text is read aloud, and each passage is highlighted while it is heard.',
    ),
  ]
}

const meta = (property: string, value: string, refines?: string): string =>
  `<meta property="${property}"${refines ? ` refines="#${refines}"` : ''}>${escapeXml(value)}</meta>`

const element = (name: string, value: string | undefined): string[] =>
  value && escapeXml(value).trim() ? [`<dc:${name}>${escapeXml(value)}</dc:${name}>`] : []

/** Roles are MARC relator codes. */
function people(name: 'creator' | 'contributor', role: string, names: string[]): string[] {
  return names
    .filter((person) => escapeXml(person).trim())
    .flatMap((person, index) => {
      const id = `${role}${index + 1}`
      const scheme = `<meta property="role" refines="#${id}" scheme="marc:relators">${role}</meta>`
      return [`<dc:${name} id="${id}">${escapeXml(person)}</dc:${name}>`, scheme]
    })
}

const isDate = (text: string | undefined): boolean =>
  /^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$/.test(text ?? '')

/** Of the form that EPUB 3.3 section 5.5.4 asks for; the book's own date, and a fixed one where it has none. */
function modifiedAt(book: Book): string {
  const own = [book.modified, book.metadata.published].map((text) => Date.parse(text ?? '')).find((time) => time >= 0)
  return new Date(own ?? Date.UTC(2000, 0)).toISOString().replace(/\.\d+Z$/, 'Z')
}
