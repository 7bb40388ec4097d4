import { Problem } from '../../kit/errors.ts'
import type { Book, BookChapter } from './book.ts'
import { bookTitle, canonicalLanguage } from './book.ts'
import { escapeXml } from './escape-xml.ts'
import { findCues, type CueLevel } from './find-cues.ts'
import { chooseLength, type Highlight, joinSentences, mostHighlights } from './join-sentences.ts'
import { describePackage, textFile, type PackageResult } from './manifest.ts'
import { readImageKind } from './read-image-kind.ts'
import { writeNav } from './write-nav.ts'
import { activeClass, type OpfItem, writeOpf } from './write-opf.ts'
import { type PackageFile, writeZip } from './write-package.ts'
import { layClips, writeSmil } from './write-smil.ts'
import { cueId, sectionId, semanticsOf, writeChapter, writePage } from './write-xhtml.ts'

// EPUB 3.3 section 3.2, core media types for audio that all reading systems had since 3.0.
const audioKinds: Record<string, { mediaType: string; extension: string }> = {
  'audio/mpeg': { mediaType: 'audio/mpeg', extension: 'mp3' },
  'audio/mp3': { mediaType: 'audio/mpeg', extension: 'mp3' },
  'audio/mp4': { mediaType: 'audio/mp4', extension: 'm4a' },
  'audio/m4a': { mediaType: 'audio/mp4', extension: 'm4a' },
  'audio/x-m4a': { mediaType: 'audio/mp4', extension: 'm4a' },
}

interface Page {
  id: string
  page: PackageFile
  overlay: PackageFile
  audio: PackageFile
}

/**
 * An EPUB 3.3 that reads itself aloud: media overlays that highlight each word, or each sentence where a voice gave no word timings.
 * At sentence level, short neighbours share a highlight in a book of more than `mostHighlights` sentences; the manifest says so.
 * Chapter audio must be MP3 or AAC in MP4 (`Problem` 422 audio_not_supported).
 */
export async function packEpub3(
  book: Book,
  out: string,
  options: { level: CueLevel; signal?: AbortSignal },
): Promise<PackageResult> {
  if (!book.chapters.length) throw new Problem(422, 'nothing_to_pack', 'The book has no chapters.')
  const language = canonicalLanguage(book.metadata.language)
  const { highlightsOf, notes } = planHighlights(book, options.level)
  const pages = book.chapters.map((chapter, index) => layPage(chapter, index, language, highlightsOf))
  const cover = layCover(book, language)
  const durations = new Map(
    book.chapters.map((chapter, index) => [`overlay-${pages[index]?.id}`, Math.round(chapter.audio.duration * 1000)]),
  )
  const nav = writeNav(
    book,
    pages.map(({ page }) => `../${inside(page)}`),
    language,
    '../style.css',
  )
  const items: OpfItem[] = [
    { id: 'nav', href: 'text/nav.xhtml', mediaType: 'application/xhtml+xml', properties: 'nav' },
    { id: 'style', href: 'style.css', mediaType: 'text/css' },
    ...cover.items,
    ...pages.flatMap(({ id, page, overlay, audio }) => [
      { id, href: inside(page), mediaType: page.mediaType, overlay: `overlay-${id}` },
      { id: `overlay-${id}`, href: inside(overlay), mediaType: overlay.mediaType },
      { id: `audio-${id}`, href: inside(audio), mediaType: audio.mediaType },
    ]),
  ]
  const spine = [...cover.spine, ...pages.map(({ id }) => id)]
  const files = [
    textFile('mimetype', 'application/epub+zip', 'application/epub+zip'),
    textFile('META-INF/container.xml', 'application/xml', container),
    textFile('EPUB/package.opf', 'application/oebps-package+xml', writeOpf(book, language, items, spine, durations)),
    textFile('EPUB/text/nav.xhtml', 'application/xhtml+xml', nav),
    textFile('EPUB/style.css', 'text/css', style),
    ...cover.files,
    ...pages.flatMap(({ page, overlay }) => [page, overlay]),
    ...pages.map(({ audio }) => audio),
  ]
  const written = await writeZip(out, files, undefined, options.signal)
  return { ...written, manifest: describePackage('epub3', book, written.files, notes) }
}

type HighlightsOf = (chapter: BookChapter) => Highlight[]

function planHighlights(book: Book, level: CueLevel): { highlightsOf: HighlightsOf; notes: string[] } {
  const highlightsOf: HighlightsOf = (chapter) => findCues(chapter, level)
  const count = book.chapters.reduce((sum, chapter) => sum + highlightsOf(chapter).length, 0)
  if (count <= mostHighlights) return { highlightsOf, notes: [] }
  const length = level === 'sentence' ? chooseLength(book.chapters, mostHighlights) : null
  if (length === null)
    return {
      highlightsOf,
      notes: [
        `The book has ${count} highlights. EPUBCheck before version 5 needs more stack for it: java -Xss512m -jar epubcheck.jar BOOK.epub`,
      ],
    }
  const joined: HighlightsOf = (chapter) => joinSentences(chapter, length)
  return {
    highlightsOf: joined,
    notes: [
      `The book has ${count} passages to highlight. EPUBCheck before version 5 takes ${mostHighlights}, so neighbouring sentences of a paragraph share a highlight of up to ${length} characters.`,
    ],
  }
}

const inside = (file: PackageFile): string => file.name.replace(/^EPUB\//, '')

function layPage(chapter: BookChapter, index: number, language: string, highlightsOf: HighlightsOf): Page {
  const kind = audioKinds[chapter.audio.mediaType]
  if (!kind)
    throw new Problem(
      422,
      'audio_not_supported',
      `An EPUB takes MP3 or AAC, and chapter ${chapter.number} is ${chapter.audio.mediaType}.`,
    )
  if (!(chapter.audio.duration >= 0.001))
    throw new Problem(422, 'audio_empty', `The audio of chapter ${chapter.number} is empty.`)
  const id = `chapter-${String(index + 1).padStart(3, '0')}`
  const page = `${id}.xhtml`
  const sound = `${id}.${kind.extension}`
  const cues = () => highlightsOf(chapter)
  const smil = () => {
    const pairs = layClips(cues(), chapter.audio.duration).flatMap((clip, cue) =>
      clip ? [{ id: cueId(cue), clip }] : [],
    )
    const whole = { id: sectionId, clip: { from: 0, to: Math.round(chapter.audio.duration * 1000) } }
    return writeSmil(
      `../text/${page}`,
      sectionId,
      `../audio/${sound}`,
      semanticsOf(chapter),
      pairs.length ? pairs : [whole],
    )
  }
  const { duration, file } = chapter.audio
  return {
    id,
    page: {
      name: `EPUB/text/${page}`,
      mediaType: 'application/xhtml+xml',
      content: { text: () => writeChapter(chapter, language, '../style.css', cues()) },
    },
    overlay: { name: `EPUB/overlays/${id}.smil`, mediaType: 'application/smil+xml', content: { text: smil } },
    audio: { name: `EPUB/audio/${sound}`, mediaType: kind.mediaType, duration, content: { file } },
  }
}

function layCover(book: Book, language: string): { files: PackageFile[]; items: OpfItem[]; spine: string[] } {
  const kind = book.cover && readImageKind(book.cover.bytes)
  if (!book.cover || !kind) return { files: [], items: [], spine: [] }
  const image = `cover.${kind.extension}`
  const title = bookTitle(book)
  const body = `<body epub:type="cover">\n<section epub:type="cover" class="cover"><img src="../${image}" alt="${escapeXml(title)}"/></section>\n</body>`
  return {
    files: [
      { name: `EPUB/${image}`, mediaType: kind.mediaType, content: { bytes: book.cover.bytes } },
      textFile('EPUB/text/cover.xhtml', 'application/xhtml+xml', writePage(title, language, '../style.css', body)),
    ],
    items: [
      { id: 'cover-image', href: image, mediaType: kind.mediaType, properties: 'cover-image' },
      { id: 'cover', href: 'text/cover.xhtml', mediaType: 'application/xhtml+xml' },
    ],
    spine: ['cover'],
  }
}

const container =
  '<?xml version="1.0" encoding="UTF-8"?>\n<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">\n' +
  '<rootfiles>\n<rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/>\n</rootfiles>\n</container>\n'

const style = `body { margin: 5%; line-height: 1.5; }
h1, h2, h3, h4, h5, h6 { line-height: 1.2; text-align: center; }
p { margin: 0; text-indent: 1.5em; }
h1 + p, h2 + p, h3 + p, hr + p, blockquote p, .letter p { text-indent: 0; }
blockquote, .letter { margin: 1em 2em; }
.verse { margin: 1em 2em; text-indent: 0; }
.caption { margin: 1em 0; text-indent: 0; text-align: center; font-size: smaller; }
hr { width: 30%; margin: 1.5em auto; border: 0; border-top: 1px solid currentColor; }
.cover { margin: 0; text-align: center; }
.cover img { max-width: 100%; max-height: 100%; }
.${activeClass} { background-color: #ffe38a; color: #000; }
`
