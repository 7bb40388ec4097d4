import type { Line } from './pdf-lines.ts'
import type { Omissions } from './flow.ts'
import { readRoman } from './classify-heading.ts'

/** Lines of the head and foot looked at on each page. */
const depth = 4

/** Drops page numbers, running heads and notes at the foot: what stands outside the text's own frame on page after page. */
export function dropFurniture(pages: Line[][], bodyHeight: number, omissions: Omissions): Line[][] {
  const dropped = new Set<Line>()
  const edges = pages.map((lines) => {
    const sorted = lines.toSorted((a, b) => b.y - a.y)
    return { head: sorted.slice(0, depth), foot: sorted.slice(-depth).toReversed() }
  })
  const steps = pages
    .flatMap((lines) => lines.slice(1).map((line, index) => (lines[index]?.y ?? 0) - line.y))
    .filter((step) => step > 0)
    .toSorted((a, b) => a - b)
  const leading = steps[Math.floor(steps.length / 2)] ?? bodyHeight
  for (const side of ['head', 'foot'] as const) {
    dropNumbers(
      edges.map((edge) => edge[side]),
      dropped,
      omissions,
    )
    dropRunning(
      edges.map((edge) => edge[side]),
      leading,
      dropped,
      omissions,
    )
  }
  for (const lines of pages) dropNotes(lines, bodyHeight, dropped, omissions)
  return pages.map((lines) => lines.filter((line) => !dropped.has(line)))
}

function pageNumber(text: string): number | undefined {
  const bare = text
    .trim()
    .replace(/^(?:page|p\.|pág\.?|página|seite|[-–—[(|•])\s*/i, '')
    .replace(/\s*(?:of\s+\d+|\/\s*\d+|[-–—\])|•])$/i, '')
  if (/^\d{1,4}$/.test(bare)) return Number(bare)
  return /^[ivxlc]{1,7}$/i.test(bare) ? readRoman(bare) : undefined
}

/** A number is a page's when it counts up with the pages: most such lines keep one distance to the page's place in the file. */
function dropNumbers(edges: Line[][], dropped: Set<Line>, omissions: Omissions): void {
  const found = edges.flatMap((lines, page) =>
    lines.slice(0, 2).flatMap((line) => {
      const value = pageNumber(line.text)
      return value === undefined ? [] : [{ line, offset: value - page }]
    }),
  )
  const counts = new Map<number, number>()
  for (const { offset } of found) counts.set(offset, (counts.get(offset) ?? 0) + 1)
  for (const { line, offset } of found) {
    if ((counts.get(offset) ?? 0) < Math.min(3, edges.length)) continue
    if (edges.length < 3 && found.length < 2) continue
    dropped.add(line)
    omissions.add('pageNumber')
  }
}

const fold = (text: string): string =>
  text
    .toLowerCase()
    .replace(/\d+|\b[ivxlc]+\b/g, '#')
    .replace(/[^\p{L}#]+/gu, ' ')
    .trim()

/** Furniture is set off from the text by more than its leading. */
const standsApart = (line: Line, inner: Line | undefined, leading: number): boolean =>
  inner !== undefined && Math.abs(line.y - inner.y) > leading * 1.15

/** The same words at the same height on several pages; the chapter's name on its pages, the book's on every other one. */
function dropRunning(edges: Line[][], leading: number, dropped: Set<Line>, omissions: Omissions): void {
  const groups = new Map<string, { line: Line; page: number; rank: number }[]>()
  edges.forEach((lines, page) => {
    const candidates = lines.filter((line) => !dropped.has(line))
    candidates.slice(0, 2).forEach((line, rank) => {
      const key = fold(line.text)
      if (!key || line.text.length > 120 || !standsApart(line, candidates[rank + 1], leading)) return
      groups.set(key, [...(groups.get(key) ?? []), { line, page, rank }])
    })
  })
  for (const group of groups.values()) {
    const places = new Map<number, { line: Line; page: number; rank: number }[]>()
    for (const each of group) {
      const place = Math.round(each.line.y / 6)
      const near = [place, place - 1, place + 1].find((candidate) => places.has(candidate)) ?? place
      places.set(near, [...(places.get(near) ?? []), each])
    }
    for (const same of places.values()) {
      const apart = new Set(same.map(({ page }) => page)).size
      const span = Math.max(...same.map(({ page }) => page)) - Math.min(...same.map(({ page }) => page)) + 1
      // Chapter heads differ in number and lie far apart; a running head comes on most pages of its stretch.
      const numbered =
        same.some(({ line }) => /\d|\b[IVXLC]+\b/.test(line.text)) &&
        new Set(same.map(({ line }) => line.text)).size === same.length
      const dense = apart / span >= 0.3
      if (
        apart < 3 ||
        !dense ||
        (numbered && !same.every(({ line }) => /(^\s*\d+\s+\D)|(\D\s+\d+\s*$)/.test(line.text)))
      )
        continue
      for (const { line } of same) {
        dropped.add(line)
        omissions.add('runningHead')
      }
    }
  }
}

/** A digit, a bracketed digit or one or two asterisks before the note's first word. */
const noteSign = /^(?:\d{1,3}|\[\d{1,3}\]|\*{1,2}|[†‡§]{1,2})[.)]?\s*[\p{L}"“‘«(¿¡]/u

/** Smaller lines below the text that begin with a note's sign. */
function dropNotes(lines: Line[], bodyHeight: number, dropped: Set<Line>, omissions: Omissions): void {
  const kept = lines.filter((line) => !dropped.has(line)).toSorted((a, b) => b.y - a.y)
  let from = kept.length
  while (from > 0 && (kept[from - 1]?.height ?? 0) < bodyHeight * 0.9) from -= 1
  const first = kept.findIndex(({ text }, index) => index >= from && noteSign.test(text))
  const top = kept[first]
  // A page all in small type is a page of small type, and a note stands in the lower part.
  if (!top || from === 0 || top.y > top.pageHeight * 0.6) return
  const notes = kept.slice(first)
  for (const line of notes) dropped.add(line)
  omissions.add('footnote', notes.filter(({ text }) => noteSign.test(text)).length)
}
