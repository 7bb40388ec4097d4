import { box, cutUtf8, fourCc, fullBox, u32, u8 } from './mp4-boxes.ts'

/** What an audiobook says of itself. */
export interface BookMetadata {
  title: string
  subtitle?: string
  authors: string[]
  narrators: string[]
  publisher?: string
  /** A year or an ISO 8601 date. */
  published?: string
  description?: string
  /** BCP 47. */
  language?: string
  isbn?: string
  copyright?: string
  series?: { name: string; position?: string }
}

export interface Cover {
  /** JPEG or PNG. */
  bytes: Uint8Array
}

/** Well-known types of the iTunes metadata format. */
const UTF8 = 1
const JPEG = 13
const PNG = 14
const INTEGER = 21
const AUDIOBOOK = 2
const SHORT_DESCRIPTION_BYTES = 255

export const coverKind = (bytes: Uint8Array): 'image/jpeg' | 'image/png' | null => {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'image/jpeg'
  return bytes[0] === 0x89 && bytes[1] === 0x50 && bytes[2] === 0x4e && bytes[3] === 0x47 ? 'image/png' : null
}

/** udta/meta in the layout that iTunes reads: the narrator where players look for it (©wrt) and in Audible's own tag (©nrt). */
export const metadataBox = (book: BookMetadata, cover: Cover | undefined): Buffer => {
  const authors = book.authors.join(', ')
  const narrators = book.narrators.join(', ')
  const texts: [string, string | undefined][] = [
    ['©nam', book.title],
    ['©alb', book.title],
    ['©ART', authors],
    ['aART', authors],
    ['©wrt', narrators],
    ['©nrt', narrators],
    ['©day', book.published],
    ['©gen', 'Audiobook'],
    ['©pub', book.publisher],
    ['cprt', book.copyright],
    ['desc', book.description && cutUtf8(book.description, SHORT_DESCRIPTION_BYTES).toString()],
    ['ldes', book.description],
  ]
  const freeform: [string, string | undefined][] = [
    ['SUBTITLE', book.subtitle],
    ['NARRATOR', narrators],
    ['PUBLISHER', book.publisher],
    ['LANGUAGE', book.language],
    ['ISBN', book.isbn],
    ['SERIES', book.series?.name],
    ['SERIES-PART', book.series?.position],
  ]
  const items = [
    ...texts
      .filter(([, text]) => text)
      .map(([type, text]) => box(type, dataBox(UTF8, Buffer.from(text!.toWellFormed())))),
    box('stik', dataBox(INTEGER, u8(AUDIOBOOK))),
    ...freeform.filter(([, text]) => text).map(([name, text]) => freeformBox(name, text!)),
  ]
  const kind = cover && coverKind(cover.bytes)
  if (kind) items.push(box('covr', dataBox(kind === 'image/png' ? PNG : JPEG, cover!.bytes)))
  const handler = fullBox('hdlr', 0, 0, u32(0), fourCc('mdirappl'), u32(0, 0), u8(0))
  return fullBox('meta', 0, 0, handler, box('ilst', ...items))
}

const dataBox = (type: number, bytes: Uint8Array): Buffer => box('data', u32(type, 0), bytes)

const freeformBox = (name: string, text: string): Buffer =>
  box(
    '----',
    fullBox('mean', 0, 0, fourCc('com.apple.iTunes')),
    fullBox('name', 0, 0, fourCc(name)),
    dataBox(UTF8, Buffer.from(text.toWellFormed())),
  )
