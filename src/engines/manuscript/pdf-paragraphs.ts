import { block, type FlowBlock } from './flow.ts'
import type { Mark } from './manuscript.ts'
import type { Line } from './pdf-lines.ts'
import { readIllustration } from './read-illustration.ts'
import { isSceneBreak } from './scene-break.ts'

interface Frame {
  left: number
  right: number
}

export interface PlacedFlow extends FlowBlock {
  page: number
  top: number
}

/** Joins lines into paragraphs by leading, indents, short last lines and type size; words cut at a line's end are joined. */
export function joinParagraphs(pages: Line[][], bodyHeight: number): PlacedFlow[] {
  const all = pages.flat()
  const words = countWordForms(all)
  const leading =
    mode(
      pages.flatMap((lines) =>
        lines
          .slice(1)
          .map((line, index) => (lines[index]?.y ?? 0) - line.y)
          .filter((step) => step > 0 && step < bodyHeight * 3),
      ),
    ) ?? bodyHeight * 1.2
  const frames = [0, 1].map((parity) =>
    measureFrame(pages.filter((_, index) => index % 2 === parity).flat(), bodyHeight),
  )
  const sizes = headingSizes(all, bodyHeight)
  const bodyFont = mostUsed(all)
  const result: PlacedFlow[] = []
  let open: Line[] = []
  let gap = 0
  const close = (): void => {
    if (open.length)
      result.push(
        ...writeParagraph(open, { words, sizes, bodyHeight, bodyFont, gap, frame: frames[(open[0]?.page ?? 0) % 2] }),
      )
    open = []
  }
  pages.forEach((lines) => {
    lines.forEach((line, index) => {
      const previous = open.at(-1)
      const frame = frames[line.page % 2] ?? { left: line.x, right: line.right }
      const step = index > 0 ? (lines[index - 1]?.y ?? 0) - line.y : leading
      if (
        !previous ||
        begins(previous, line, {
          step: index > 0 ? step : undefined,
          leading,
          frame,
          before: frames[previous.page % 2] ?? frame,
          bodyHeight,
        })
      ) {
        close()
        gap = index > 0 ? Math.max(0, Math.round(step / leading) - 1) : 0
      }
      open.push(line)
    })
  })
  close()
  return result
}

function begins(
  previous: Line,
  line: Line,
  {
    step,
    leading,
    frame,
    before,
    bodyHeight,
  }: { step?: number; leading: number; frame: Frame; before: Frame; bodyHeight: number },
): boolean {
  if (Math.abs(previous.height - line.height) > bodyHeight * 0.12) return true
  if (isSceneBreak(line.text) || isSceneBreak(previous.text)) return true
  const large = line.height > bodyHeight * 1.12
  if (step !== undefined && (step > Math.max(leading, line.height * 1.1) * (large ? 1.7 : 1.3) || step < -bodyHeight))
    return true
  const indented = line.x > frame.left + bodyHeight * 0.6
  const previousIndented = previous.x > before.left + bodyHeight * 0.6
  const short = previous.right < before.right - (before.right - before.left) * 0.12
  const ended = /[.!?:…"'”’»)\]—–]$/.test(previous.text)
  const centred = Math.abs((line.x + line.right) / 2 - (frame.left + frame.right) / 2) < bodyHeight && indented
  if (centred && !short) return true
  if (large) return false
  if (step === undefined && !indented && !(short && ended)) return false
  // Set in from the margin like the line before it: a quotation, verse or hanging lines.
  if (indented && previousIndented && Math.abs(line.x - previous.x) < 2) return short && ended
  if (indented && !previousIndented) return true
  return short && ended
}

function writeParagraph(
  lines: Line[],
  context: {
    words: Map<string, number>
    sizes: number[]
    bodyHeight: number
    bodyFont: string
    gap: number
    frame?: Frame
  },
): PlacedFlow[] {
  const first = lines[0]!
  const place = { page: first.page, top: first.y + first.height }
  if (lines.length === 1 && isSceneBreak(first.text))
    return [{ ...block('scene_break', '', [], { gap: context.gap }), ...place }]
  const caption = readIllustration(lines.map(({ text }) => text).join(' '))
  if (caption !== undefined) return caption ? [{ ...block('caption', caption), ...place }] : []
  const size = context.sizes.findIndex((height) => Math.abs(height - first.height) < 0.6)
  const frame = context.frame ?? { left: first.x, right: first.right }
  const width = frame.right - frame.left
  const texts = lines.map(({ text }) => text)
  const heading = size >= 0 && lines.length <= 6 && texts.join(' ').length < 250 && /[\p{L}\p{N}]/u.test(texts.join(''))
  const inset = lines.every((line) => line.x > frame.left + context.bodyHeight * 1.5)
  const verse =
    !heading &&
    inset &&
    lines.length > 2 &&
    lines.filter(({ right }) => right < frame.right - width * 0.2).length >= lines.length - 1 &&
    lines.filter(({ text }) => /^[^\p{L}]*\p{Lu}/u.test(text)).length >= lines.length * 0.7
  const { text, marks } = verse
    ? { text: texts.join('\n'), marks: [] }
    : joinLines(lines, context.words, heading ? first.font : context.bodyFont)
  if (!text) return []
  if (heading)
    return [
      { ...block('heading', text, [], { level: Math.min(6, size + 1), lines: texts, gap: context.gap }), ...place },
    ]
  const quotation = inset && lines.length > 1
  return [
    {
      ...block(verse ? 'verse' : quotation ? 'quotation' : 'paragraph', text, marks, {
        lines: texts,
        gap: context.gap,
      }),
      ...place,
    },
  ]
}

function joinLines(lines: Line[], words: Map<string, number>, mainFont: string): { text: string; marks: Mark[] } {
  let text = ''
  const marks: Mark[] = []
  for (const line of lines) {
    const cut = /(\p{L}+)[-‐\u00AD]$/u.exec(text)
    if (cut && /^\p{Ll}/u.test(line.text)) {
      const head = (/[\p{L}'’-]+$/u.exec(text.slice(0, -1))?.[0] ?? '').toLowerCase()
      const tail = (/^[\p{L}'’-]+/u.exec(line.text)?.[0] ?? '').toLowerCase()
      const joined = words.get(head + tail) ?? 0
      const hyphened = words.get(`${head}-${tail}`) ?? 0
      // Both halves being words of their own, and the whole never seen, speaks for a hyphen of the author's.
      const compound =
        joined === 0 &&
        (hyphened > 0 ||
          ((words.get(head) ?? 0) > 1 && (words.get(tail) ?? 0) > 1 && head.length > 2 && tail.length > 3))
      if (text.endsWith('\u00AD') || !compound) text = text.slice(0, -1)
    } else if (text && !/[-‐—–]$/.test(text)) text += ' '
    else if (text && /\s[-–—]$/.test(text)) text += ' '
    const offset = text.length
    text += line.text.replace(/\u00AD/g, '')
    // A few words in another font amid the text's own are emphasis; a whole paragraph of it is a way of setting.
    for (const span of line.spans)
      if (span.font !== mainFont && /[\p{L}]/u.test(line.text.slice(span.start, span.end)))
        extend(marks, { start: span.start + offset, end: Math.min(text.length, span.end + offset), kind: 'emphasis' })
  }
  const flat = text.replace(/\s+/g, ' ')
  const all = marks.reduce((sum, { start, end }) => sum + end - start, 0)
  return { text: flat.trim(), marks: flat === text && all < text.length * 0.6 ? marks : [] }
}

function extend(marks: Mark[], next: Mark): void {
  const last = marks.at(-1)
  if (last && next.start - last.end <= 1) last.end = next.end
  else marks.push(next)
}

function countWordForms(lines: Line[]): Map<string, number> {
  const words = new Map<string, number>()
  for (const { text } of lines)
    for (const word of text
      .slice(0, /[-‐\u00AD]$/.test(text) ? text.lastIndexOf(' ') + 1 : undefined)
      .toLowerCase()
      .match(/[\p{L}'’]+(?:-[\p{L}'’]+)*/gu) ?? [])
      words.set(word, (words.get(word) ?? 0) + 1)
  return words
}

function mode(values: number[]): number | undefined {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(Math.round(value * 2) / 2, (counts.get(Math.round(value * 2) / 2) ?? 0) + 1)
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0]
}

/** The text's margins, from the lines that fill it. */
function measureFrame(lines: Line[], bodyHeight: number): Frame | undefined {
  const body = lines.filter(({ height }) => Math.abs(height - bodyHeight) < bodyHeight * 0.1)
  if (body.length === 0) return undefined
  const rights = body.map(({ right }) => right).toSorted((a, b) => a - b)
  const right = mode(rights.slice(Math.floor(rights.length / 2))) ?? 0
  const full = body.filter((line) => line.right > right - bodyHeight * 2)
  return { left: mode(full.map(({ x }) => x)) ?? 0, right }
}

export function findBodyHeight(lines: Line[]): number {
  const counts = new Map<number, number>()
  for (const { height, text } of lines)
    counts.set(Math.round(height * 4) / 4, (counts.get(Math.round(height * 4) / 4) ?? 0) + text.length)
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? 10
}

/** Sizes clearly above the text's, largest first. */
function headingSizes(lines: Line[], bodyHeight: number): number[] {
  const sizes: number[] = []
  for (const height of lines
    .map((line) => line.height)
    .filter((height) => height > bodyHeight * 1.12)
    .toSorted((a, b) => b - a))
    if (!sizes.some((known) => Math.abs(known - height) < 0.6)) sizes.push(height)
  return sizes
}

function mostUsed(lines: Line[]): string {
  const counts = new Map<string, number>()
  for (const { font, text } of lines) counts.set(font, (counts.get(font) ?? 0) + text.length)
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? ''
}
