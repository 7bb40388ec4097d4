import type { Mark, PlacedBlock } from '../manuscript/manuscript.ts'
import type { BookChapter } from './book.ts'
import { canonicalLanguage } from './book.ts'
import { escapeXml } from './escape-xml.ts'
import { nestRanges, type Wrapped } from './nest-ranges.ts'

export interface TextRange {
  start: number
  end: number
}

/** Attributes of a root element that say the language and, where it runs right to left, the direction. */
function languageAttributes(language: string): string {
  const tag = escapeXml(language)
  return `lang="${tag}" xml:lang="${tag}"${isRightToLeft(language) ? ' dir="rtl"' : ''}`
}

const rightToLeft = new Set(['Adlm', 'Arab', 'Hebr', 'Mand', 'Nkoo', 'Rohg', 'Samr', 'Syrc', 'Thaa'])

export const isRightToLeft = (language: string): boolean =>
  rightToLeft.has(new Intl.Locale(language).maximize().script ?? '')

/** A whole XHTML document, EPUB 3.3 section 6.1. */
export const writePage = (title: string, language: string, style: string, body: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n` +
  `<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" ${languageAttributes(language)}>\n` +
  `<head>\n<meta charset="UTF-8"/>\n<title>${escapeXml(title) || '–'}</title>\n` +
  `<link rel="stylesheet" type="text/css" href="${style}"/>\n</head>\n${body}\n</html>\n`

// Values of the EPUB 3 Structural Semantics Vocabulary 1.1 that a section may carry.
const semantics = new Set(
  (
    'abstract acknowledgments afterword appendix chapter colophon conclusion contributors copyright-page dedication epigraph epilogue errata ' +
    'foreword imprint introduction other-credits part preamble preface prologue volume'
  ).split(' '),
)

export const matterOf = { front: 'frontmatter', body: 'bodymatter', back: 'backmatter' } as const

export const semanticsOf = (chapter: BookChapter): string =>
  [matterOf[chapter.role], ...(semantics.has(chapter.kind) ? [chapter.kind] : [])].join(' ')

/** A chapter as a page; each of `cues` is a span with the id that `cueId` gives it. */
export function writeChapter(chapter: BookChapter, language: string, style: string, cues: TextRange[]): string {
  const spans = cues.map((cue, index) => ({
    ...cue,
    firmness: 1,
    open: `<span id="${cueId(index)}">`,
    close: '</span>',
  }))
  const hasHeading = chapter.blocks.some((block) => block.kind === 'heading' && block.text)
  const heading = hasHeading ? '' : `<h1>${escapeXml(chapter.title) || '–'}</h1>\n`
  const body = groupBlocks(chapter.blocks)
    .map((group) => writeGroup(group, spans))
    .join('\n')
  return writePage(
    chapter.title,
    language,
    style,
    `<body epub:type="${matterOf[chapter.role]}">\n<section id="${sectionId}" epub:type="${semanticsOf(chapter)}">\n${heading}${body}\n</section>\n</body>`,
  )
}

export const cueId = (index: number): string => `c${index + 1}`
export const sectionId = 'text'

const containers: Partial<Record<PlacedBlock['kind'], [string, string]>> = {
  quotation: ['<blockquote>', '</blockquote>'],
  letter: ['<div class="letter">', '</div>'],
  list_item: ['<ul>', '</ul>'],
}

function groupBlocks(blocks: PlacedBlock[]): PlacedBlock[][] {
  const groups: PlacedBlock[][] = []
  for (const block of blocks) {
    const before = groups.at(-1)
    if (containers[block.kind] && before?.[0]?.kind === block.kind) before.push(block)
    else groups.push([block])
  }
  return groups
}

function writeGroup(group: PlacedBlock[], spans: Wrapped[]): string {
  const [open, close] = containers[group[0]?.kind ?? 'paragraph'] ?? ['', '']
  return open + group.map((block) => writeBlock(block, spans)).join('\n') + close
}

function writeBlock(block: PlacedBlock, spans: Wrapped[]): string {
  if (block.kind === 'scene_break' && !block.text) return '<hr/>'
  const text = writeText(block, spans)
  if (block.kind === 'heading') {
    const level = Math.min(6, Math.max(1, block.level ?? 1))
    return `<h${level}>${text}</h${level}>`
  }
  if (block.kind === 'list_item') return `<li>${text}</li>`
  if (block.kind === 'verse' || block.kind === 'caption') return `<p class="${block.kind}">${text}</p>`
  return `<p>${text}</p>`
}

function writeText(block: PlacedBlock, spans: Wrapped[]): string {
  const inside = spans.slice(lowerBound(spans, block.start), lowerBound(spans, block.end))
  const marks = block.marks.flatMap((mark) => {
    const element = elementOf(mark)
    return element ? [{ start: block.start + mark.start, end: block.start + mark.end, firmness: 0, ...element }] : []
  })
  const ranges = [...inside, ...marks].map((range) => ({
    ...range,
    start: wholeAt(block, range.start),
    end: wholeAt(block, range.end),
  }))
  return nestRanges(block.start, block.end, ranges, (start, end) =>
    escapeXml(block.text.slice(start - block.start, end - block.start)).replaceAll('\n', '<br/>\n'),
  )
}

/** An offset that doesn't part a surrogate pair, whose halves would be dropped. */
const wholeAt = (block: PlacedBlock, offset: number): number =>
  (block.text.codePointAt(offset - block.start - 1) ?? 0) > 0xffff ? offset - 1 : offset

/** The first span that starts at or after a place: a chapter has thousands, and each block asks. */
function lowerBound(spans: Wrapped[], place: number): number {
  let low = 0
  let high = spans.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((spans[middle]?.start ?? Infinity) < place) low = middle + 1
    else high = middle
  }
  return low
}

function elementOf(mark: Mark): { open: string; close: string } | null {
  if (mark.kind === 'emphasis') return { open: '<em>', close: '</em>' }
  if (mark.kind === 'strong') return { open: '<strong>', close: '</strong>' }
  // Phonemes steer a voice; here the voice is recorded already.
  if (mark.kind === 'phoneme' || mark.kind === 'alias') return null
  const language = mark.language ? escapeXml(canonicalLanguage(mark.language)) : ''
  return { open: language ? `<i lang="${language}" xml:lang="${language}">` : '<i>', close: '</i>' }
}
