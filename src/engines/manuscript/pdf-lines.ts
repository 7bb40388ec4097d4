import type { PdfItem, PdfPage } from './pdf-pages.ts'

export interface Line {
  text: string
  /** Stretches of `text` in a font that differs from the line's main one. */
  spans: { start: number; end: number; font: string }[]
  x: number
  right: number
  y: number
  height: number
  font: string
  page: number
  pageWidth: number
  pageHeight: number
}

interface Segment {
  items: PdfItem[]
  x: number
  right: number
  y: number
  height: number
}

/** Lines of a page in reading order: columns one after the other where a gutter runs through the text, otherwise from top to foot. */
export function readLines(page: PdfPage, number: number): { lines: Line[]; noteReferences: number } {
  const segments = segment(page.items)
  const gutter = findGutter(segments, page.width)
  const ordered = gutter === undefined ? joinRows(segments) : orderColumns(segments, gutter)
  let noteReferences = 0
  const lines = ordered.flatMap((each) => {
    const written = writeLine(each)
    noteReferences += written.noteReferences
    return written.text.trim()
      ? [
          {
            ...written,
            x: each.x,
            right: each.right,
            y: each.y,
            height: each.height,
            page: number,
            pageWidth: page.width,
            pageHeight: page.height,
          },
        ]
      : []
  })
  return { lines, noteReferences }
}

function segment(items: PdfItem[]): Segment[] {
  const segments: Segment[] = []
  let current: Segment | undefined
  for (const item of items) {
    if (!item.text.trim()) {
      if (current && Math.abs(item.y - current.y) < current.height * 0.5 && item.x <= current.right + current.height)
        current.items.push(item)
      continue
    }
    const raised = current !== undefined && Math.abs(item.y - current.y) < Math.max(current.height, item.height) * 0.55
    const near =
      current !== undefined &&
      item.x >= current.right - Math.max(2, current.height * 0.5) &&
      item.x - current.right < Math.max(current.height, item.height) * 2
    if (current && raised && near) {
      current.items.push(item)
      current.right = Math.max(current.right, item.x + item.width)
      if (item.height > current.height) Object.assign(current, { height: item.height, y: item.y })
    } else {
      current = { items: [item], x: item.x, right: item.x + item.width, y: item.y, height: item.height }
      segments.push(current)
    }
  }
  return segments
}

/** Two columns: many rows begin right of one same gap that nearly no row crosses. */
function findGutter(segments: Segment[], width: number): number | undefined {
  if (segments.length < 20) return undefined
  for (let at = width * 0.35; at <= width * 0.65; at += 4) {
    const crossing = segments.filter(({ x, right }) => x < at - 2 && right > at + 2).length
    const left = segments.filter(
      ({ right, x }) => right <= at + 2 && right > at - width * 0.2 && right - x > width * 0.15,
    ).length
    const right = segments.filter(
      ({ x, right: end }) => x >= at - 2 && x < at + width * 0.2 && end - x > width * 0.15,
    ).length
    if (crossing <= segments.length * 0.15 && left >= segments.length * 0.25 && right >= segments.length * 0.25)
      return at
  }
  return undefined
}

const downwards = (a: Segment, b: Segment): number => b.y - a.y || a.x - b.x

/** Full-width rows part a page into bands; within a band the left column comes first. */
function orderColumns(segments: Segment[], gutter: number): Segment[] {
  const result: Segment[] = []
  let left: Segment[] = []
  let right: Segment[] = []
  const close = (): void => {
    result.push(...joinRows(left), ...joinRows(right))
    left = []
    right = []
  }
  for (const each of segments.toSorted(downwards)) {
    if (each.right <= gutter + 2) left.push(each)
    else if (each.x >= gutter - 2) right.push(each)
    else {
      close()
      result.push(each)
    }
  }
  close()
  return result
}

function joinRows(segments: Segment[]): Segment[] {
  const rows: Segment[] = []
  for (const each of segments.toSorted(downwards)) {
    const row = rows.at(-1)
    const same = row !== undefined && Math.abs(row.y - each.y) < Math.min(row.height, each.height) * 0.5
    if (!row || !same) {
      rows.push({ ...each, items: [...each.items] })
      continue
    }
    row.items = each.x < row.x ? [...each.items, ...row.items] : [...row.items, ...each.items]
    row.x = Math.min(row.x, each.x)
    row.right = Math.max(row.right, each.right)
    row.height = Math.max(row.height, each.height)
  }
  return rows
}

function writeLine({ items, height, y }: Segment): Pick<Line, 'text' | 'spans' | 'font'> & { noteReferences: number } {
  let text = ''
  let end: number | undefined
  let noteReferences = 0
  const fonts = new Map<string, number>()
  const pieces: Line['spans'] = []
  for (const item of items) {
    // A small raised number after a word points to a note.
    if (
      text.trim() &&
      item.height < height * 0.8 &&
      item.y > y + height * 0.15 &&
      /^[\d*†‡§]{1,3}$/.test(item.text.trim())
    ) {
      noteReferences += 1
      continue
    }
    const gap = end === undefined ? 0 : item.x - end
    if (text && !/\s$/.test(text) && !/^\s/.test(item.text) && gap > height * 0.15) text += ' '
    const start = text.length
    text += /\s$/.test(text) ? item.text.trimStart() : item.text
    if (item.text.trim()) {
      pieces.push({ start, end: text.trimEnd().length, font: item.font })
      fonts.set(item.font, (fonts.get(item.font) ?? 0) + item.text.length)
      end = item.x + item.width
    } else if (item.width > 0) end = item.x + item.width
  }
  const font = [...fonts].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? ''
  const lead = text.length - text.trimStart().length
  const spans = pieces
    .map((piece) => ({ ...piece, start: piece.start - lead, end: piece.end - lead }))
    .filter(({ start, end }) => end > start)
  return { text: text.trim().replace(/\s/g, ' '), spans, font, noteReferences }
}
