import type { Book } from './book.ts'
import { bookTitle } from './book.ts'
import { escapeXml } from './escape-xml.ts'
import { matterOf, writePage } from './write-xhtml.ts'

interface Entry {
  title: string
  /** Of a chapter; a part has none of its own. */
  page?: string
  inside: Entry[]
}

// Words of the navigation page that a reading system may show.
const contents: Record<string, string> = {
  en: 'Contents',
  es: 'Índice',
  fr: 'Table des matières',
  de: 'Inhalt',
  it: 'Indice',
  pt: 'Sumário',
  ca: 'Índex',
  nl: 'Inhoud',
}

/** The navigation document (EPUB 3.3 section 7): table of contents with the parts that chapters lie in, and landmarks. */
export function writeNav(book: Book, pages: string[], language: string, style: string): string {
  const heading = contents[new Intl.Locale(language).language] ?? contents.en
  const firstBody = book.chapters.findIndex((chapter) => chapter.role === 'body')
  const start = pages[firstBody < 0 ? 0 : firstBody]
  return writePage(
    bookTitle(book),
    language,
    style,
    `<body>\n<nav epub:type="toc" id="toc" role="doc-toc">\n<h1>${heading}</h1>\n${writeList(nest(book, pages))}\n</nav>\n` +
      `<nav epub:type="landmarks" id="landmarks" hidden="hidden">\n<ol>\n` +
      `<li><a epub:type="${matterOf.body}" href="${start}">${escapeXml(bookTitle(book)) || '–'}</a></li>\n</ol>\n</nav>\n</body>`,
  )
}

function nest(book: Book, pages: string[]): Entry[] {
  const top: Entry[] = []
  book.chapters.forEach((chapter, index) => {
    let level = top
    for (const parent of chapter.parents) {
      let part = level.at(-1)
      if (part?.title !== parent) {
        part = { title: parent, inside: [] }
        level.push(part)
      }
      level = part.inside
    }
    level.push({ title: chapter.title, page: pages[index] as string, inside: [] })
  })
  return top
}

function writeList(entries: Entry[]): string {
  const items = entries.map((entry) => {
    const label = escapeXml(entry.title).trim() || '–'
    const line = entry.page ? `<a href="${entry.page}">${label}</a>` : `<span>${label}</span>`
    return `<li>${line}${entry.inside.length ? `\n${writeList(entry.inside)}\n` : ''}</li>`
  })
  return `<ol>\n${items.join('\n')}\n</ol>`
}
