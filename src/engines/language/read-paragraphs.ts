import type { CastChapter } from './cast.ts'
import { markQuotations, type Quotation, type QuotationStyle, quotationStyle } from './mark-quotations.ts'

export interface Token {
  /** UTF-16 offsets in the chapter's text. */
  start: number
  end: number
  text: string
  lower: string
  /** A letter or digit starts it. */
  word: boolean
  capital: boolean
  /** The first word of a sentence, where a capital says nothing. */
  opens: boolean
  /** Index of the paragraph's quotation it lies in, or -1. */
  quotation: number
}

export interface Paragraph {
  chapter: number
  start: number
  end: number
  heading: boolean
  tokens: Token[]
  quotations: Quotation[]
}

export interface Book {
  chapters: CastChapter[]
  language: string
  style: QuotationStyle
  paragraphs: Paragraph[]
}

const TOKEN = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:[-’'][\p{L}\p{N}\p{M}]+)*|\S/gu
const TITLE_STOP = /^(?:mr|mrs|ms|dr|st|messrs|sr|sra|srta|prof|rev|capt|col|lt|gen|mme|mlle|hon)$/u

/** Every spoken or narrated block of the book with its words and its quotations, offsets in the chapter's text. */
export function readParagraphs(
  chapters: CastChapter[],
  language: string,
  given?: (chapter: number, start: number, end: number) => Quotation[],
): Book {
  const texts = chapters.flatMap((chapter) =>
    chapter.blocks.filter((block) => block.kind !== 'heading').map((block) => block.text),
  )
  const style = quotationStyle(texts, language)
  const paragraphs = chapters.flatMap((chapter, index) =>
    chapter.blocks
      .filter((block) => block.kind !== 'scene_break' && block.end > block.start)
      .map((block): Paragraph => {
        const heading = block.kind === 'heading'
        const text = chapter.text.slice(block.start, block.end)
        const own = heading ? [] : markQuotations(text, style).map((quotation) => shift(quotation, block.start))
        const quotations = given ? given(index, block.start, block.end) : own
        const tokens = tokenize(text, block.start, quotations)
        return { chapter: index, start: block.start, end: block.end, heading, tokens, quotations }
      }),
  )
  return { chapters, language, style, paragraphs }
}

const shift = (quotation: Quotation, by: number): Quotation => ({
  ...quotation,
  start: quotation.start + by,
  end: quotation.end + by,
})

export function tokenize(text: string, offset: number, quotations: Quotation[]): Token[] {
  const tokens: Token[] = []
  let opens = true
  let current = 0
  TOKEN.lastIndex = 0
  for (const found of text.matchAll(TOKEN)) {
    const raw = found[0]
    const start = offset + found.index
    while (current < quotations.length && (quotations[current] as Quotation).end <= start) current++
    const quotation = current < quotations.length && (quotations[current] as Quotation).start <= start ? current : -1
    const word = /^[\p{L}\p{N}]/u.test(raw)
    if (quotation !== (tokens.at(-1)?.quotation ?? -1) && quotation >= 0) opens = true
    const lower = raw.toLowerCase().replaceAll('’', "'")
    const capital = word && raw[0] !== (lower[0] as string)
    tokens.push({ start, end: start + raw.length, text: raw, lower, word, capital, opens: word && opens, quotation })
    if (word) opens = false
    else if (/[.!?…:]/u.test(raw)) opens = !(raw === '.' && TITLE_STOP.test(tokens.at(-2)?.lower ?? ''))
    else if (/["“«„‘¿¡—–]/u.test(raw) || raw === '_') opens ||= raw !== '_'
  }
  return tokens
}
