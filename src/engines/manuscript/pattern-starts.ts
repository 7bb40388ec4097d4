import { matchChapterLines } from './chapter-pattern.ts'
import { classifyHeading } from './classify-heading.ts'
import { block, estimateWords, type FlowBlock, type SectionStart } from './flow.ts'

const longestHeading = 160

/** Starts a chapter at each line that a person's pattern matches, and cuts paragraphs where such a line lies inside one. */
export function startsFromPattern(
  blocks: FlowBlock[],
  pattern: string,
): { blocks: FlowBlock[]; starts: Map<number, SectionStart> } {
  const lines = blocks.flatMap((current, index) => linesOf(current).map((text, line) => ({ text, index, line })))
  const matches = matchChapterLines(
    pattern,
    lines.map(({ text }) => text),
  )
  const byBlock = new Map<number, { line: number; matched: string }[]>()
  for (const [position, matched] of matches) {
    const { index, line } = lines[position]!
    if (!blocks[index]?.role) byBlock.set(index, [...(byBlock.get(index) ?? []), { line, matched }])
  }
  const result: FlowBlock[] = []
  const found: { at: number; matched: string }[] = []
  blocks.forEach((current, index) => {
    const cuts = byBlock.get(index)
    if (!cuts) return void result.push(current)
    for (const { piece, matched } of cutAtLines(current, cuts)) {
      if (matched !== undefined) found.push({ at: result.length, matched })
      result.push(piece)
    }
  })
  const starts = new Map<number, SectionStart>()
  for (const { at, matched } of dropListed(result, found)) {
    const text = result[at]?.text ?? ''
    starts.set(at, {
      source: 'pattern',
      depth: 1,
      kind: 'chapter',
      role: 'body',
      title: text.length <= longestHeading ? text : matched,
    })
    if (result[at]?.kind === 'paragraph' && text.length <= longestHeading)
      result[at] = { ...result[at], kind: 'heading', level: 2 }
  }
  addMatter(result, starts)
  return { blocks: result, starts }
}

const linesOf = ({ kind, text, lines }: FlowBlock): string[] =>
  kind === 'scene_break'
    ? []
    : lines && lines.join(' ').replace(/\s+/g, ' ').trim() === text.replace(/\n/g, ' ')
      ? lines
      : [text]

/** Marks keep their words: lines are joined by one character each, so offsets add up. */
function cutAtLines(
  current: FlowBlock,
  cuts: { line: number; matched: string }[],
): { piece: FlowBlock; matched?: string }[] {
  const lines = linesOf(current)
  const bounds = new Set([0])
  for (const { line } of cuts) {
    bounds.add(line)
    if (lines.length > line + 1) bounds.add(line + 1)
  }
  const offsets: number[] = []
  lines.reduce((sum, line, index) => {
    offsets[index] = sum
    return sum + line.length + 1
  }, 0)
  const edges = [...bounds].toSorted((a, b) => a - b)
  return edges.map((from, position) => {
    const to = edges[position + 1] ?? lines.length
    const start = offsets[from] ?? 0
    const text = current.text.slice(start, (offsets[to] ?? current.text.length + 1) - 1)
    const marks = current.marks
      .filter((mark) => mark.start >= start && mark.end <= start + text.length)
      .map((mark) => ({ ...mark, start: mark.start - start, end: mark.end - start }))
    const matched = cuts.find(({ line }) => line === from)?.matched
    const piece =
      position === 0
        ? { ...current, text, marks, lines: lines.slice(from, to) }
        : block(current.kind, text, marks, { lines: lines.slice(from, to) })
    return { piece, matched }
  })
}

/** The same line with nothing below it, and again later, is an entry of a table of contents. */
function dropListed(blocks: FlowBlock[], found: { at: number; matched: string }[]): { at: number; matched: string }[] {
  const last = new Map(found.map(({ at, matched }) => [matched, at]))
  return found.filter(({ at, matched }, position) => {
    const next = found[position + 1]?.at ?? blocks.length
    let words = 0
    for (let between = at + 1; between < next && words <= 15; between += 1)
      words += estimateWords(blocks[between]?.text ?? '')
    return words > 15 || (last.get(matched) ?? at) === at
  })
}

/** Prefaces before the first match and notes after the last keep sections of their own. */
function addMatter(blocks: FlowBlock[], starts: Map<number, SectionStart>): void {
  const first = Math.min(...starts.keys())
  const last = Math.max(...starts.keys())
  blocks.forEach(({ kind, text, role, link }, index) => {
    if (kind !== 'heading' || role || link || (index >= first && index <= last)) return
    const heading = classifyHeading(text)
    if (heading.is === 'matter')
      starts.set(index, {
        source: 'pattern',
        depth: 1,
        kind: heading.matter.kind,
        role:
          index < first
            ? heading.matter.role === 'body'
              ? 'body'
              : 'front'
            : heading.matter.role === 'front'
              ? 'back'
              : heading.matter.role,
      })
  })
}
