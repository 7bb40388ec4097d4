import { block, Omissions, type Flow, type FlowBlock } from './flow.ts'
import { markPlainEmphasis } from './plain-emphasis.ts'
import { readIllustration } from './read-illustration.ts'
import { isSceneBreak } from './scene-break.ts'

interface Group {
  lines: string[]
  /** Blank lines before it. */
  gap: number
}

interface Shape {
  /** The column at which lines are wrapped; Infinity when a line is a paragraph. */
  width: number
  indented: boolean
}

/** Plain text: paragraphs from blank lines, indents or line ends, whichever this text uses; wrapped lines are joined. */
export function readText(text: string): Flow {
  const omissions = new Omissions()
  const lines = text
    .replace(/\r\n?|\u2028|\u0085/g, '\n')
    .replace(/\f|\u2029/g, '\n\n\n')
    .replace(/\t/g, '    ')
    // A typewriter's dash; four are a blank in a name.
    .replace(/(?<![-\s<!])--(?![->])|(?<=\s)--(?=[\s\p{L}"'“‘])/gu, '—')
    .split('\n')
    .map((line) => line.trimEnd())
  const groups = groupLines(lines)
  const shape = measure(groups)
  const blocks = dropNotes(
    groups.flatMap((group) => readGroup(group, shape, omissions)),
    omissions,
  )
  return { blocks: markPlainEmphasis(blocks), omissions }
}

/** Paragraphs of preformatted lines inside another format. */
export function readLines(text: string): FlowBlock[] {
  const groups = groupLines(
    text
      .replace(/\t/g, '    ')
      .split('\n')
      .map((line) => line.trimEnd()),
  )
  const omissions = new Omissions()
  return groups.flatMap((group) => readGroup(group, measure(groups), omissions))
}

function groupLines(lines: string[]): Group[] {
  const groups: Group[] = []
  let current: Group | undefined
  let gap = 0
  for (const line of lines) {
    if (!line.trim()) {
      gap += 1
      current = undefined
    } else if (current) current.lines.push(line)
    else {
      current = { lines: [line], gap }
      groups.push(current)
      gap = 0
    }
  }
  return groups
}

const quantile = (values: number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.round((values.length - 1) * part)] ?? 0
const indentOf = (line: string): number => line.length - line.trimStart().length
const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)

function measure(groups: Group[]): Shape {
  const lengths = groups.flatMap(({ lines }) => lines.map((line) => line.length))
  if (lengths.length === 0) return { width: Infinity, indented: false }
  const long = quantile(lengths, 0.98)
  const lines = sum(groups.map((group) => group.lines.length))
  const several = groups.filter((group) => group.lines.length > 1)
  const inner = several.flatMap((group) => group.lines.slice(1))
  const indented = inner.filter((line) => indentOf(line) >= 1 && indentOf(line) <= 8).length
  const flush = inner.filter((line) => indentOf(line) === 0).length
  const crowded = lines / groups.length > 8
  // Prose set with indents: most lines flush, some indented, and few blank lines.
  if (crowded && long <= 120 && indented > inner.length * 0.03 && flush > inner.length * 0.4)
    return { width: quantile(lengths, 0.9), indented: true }
  if (long > 120) return { width: Infinity, indented: false }
  // Short lines that are each a group were never wrapped: a list of short paragraphs or verse.
  if (several.length === 0) return { width: Infinity, indented: false }
  // No text is wrapped below 40 columns or so; short lines alone say nothing of the width.
  const wrapped = several.flatMap((group) => group.lines.slice(0, -1).map((line) => line.length))
  return { width: Math.max(60, quantile(wrapped, 0.9)), indented: false }
}

function readGroup(group: Group, shape: Shape, omissions: Omissions): FlowBlock[] {
  const { gap } = group
  if (group.lines.every((line) => isSceneBreak(line))) return [block('scene_break', '', [], { gap })]
  const illustration = readIllustration(group.lines.join(' '))
  if (illustration === '') {
    omissions.add('emptyIllustration')
    return []
  }
  if (illustration !== undefined) return [block('caption', illustration, [], { gap })]
  return paragraphs(group.lines, shape).flatMap((lines, index) => readParagraph(lines, index === 0 ? gap : 0, shape))
}

function paragraphs(lines: string[], { width, indented }: Shape): string[][] {
  if (width === Infinity) return lines.map((line) => [line])
  const result: string[][] = []
  lines.forEach((line, index) => {
    const before = lines[index - 1]
    const begins =
      before === undefined ||
      line.length > width * 2 ||
      before.length > width * 2 ||
      isSceneBreak(line) ||
      isSceneBreak(before) ||
      (indented && indentOf(line) > 0 && indentOf(before) === 0) ||
      (indented &&
        indentOf(line) > 0 &&
        indentOf(line) <= 8 &&
        !verseLike(lines.slice(Math.max(0, index - 1), index + 2), width)) ||
      // Neither blank lines nor indents: a short line that ends a sentence ends the paragraph.
      (!indented && lines.length > 40 && before.length < width * 0.8 && /[.!?]["'”’»)]*$/.test(before))
    if (begins) result.push([line])
    else result.at(-1)?.push(line)
  })
  return result
}

function readParagraph(raw: string[], gap: number, shape: Shape): FlowBlock[] {
  if (raw.length === 1 && isSceneBreak(raw[0] ?? '')) return [block('scene_break', '', [], { gap })]
  const lines = raw.map((line) => line.trim().replace(/\s+/g, ' '))
  const indents = raw.map(indentOf)
  const inset = Math.min(...indents)
  const centred = inset >= 8 || (raw.length > 1 && inset >= 3 && new Set(indents).size > raw.length / 2)
  const list = /^(?:[-*•–]|\d{1,3}[.)])\s+\S/
  if (lines.length > 1 && lines.every((line) => /^[-*•]\s+\S/.test(line)))
    return lines.map((line, index) =>
      block('list_item', line.replace(/^[-*•]\s+/, ''), [], { lines: [line], gap: index ? 0 : gap }),
    )
  if (verseLike(raw, shape.width)) return [block('verse', lines.join('\n'), [], { lines, gap, centred })]
  const kind =
    inset >= 2 && !shape.indented && shape.width !== Infinity && raw.length > 1
      ? 'quotation'
      : list.test(lines[0] ?? '') && /^[*•]/.test(lines[0] ?? '')
        ? 'list_item'
        : 'paragraph'
  return [block(kind, lines.join(' '), [], { lines, gap, centred })]
}

/**
 * Lines are verse when they end by choice: the next word would have fitted. Flush lines must do so throughout,
 * indented ones may be prose set in, wrapped to a width of its own.
 */
function verseLike(raw: string[], width: number): boolean {
  if (raw.length < 2 || width === Infinity) return false
  const inset = Math.min(...raw.map(indentOf))
  const lines = raw.map((line) => line.trim())
  const longest = Math.max(...raw.map((line) => line.length))
  const limit = inset >= 2 ? Math.min(width, Math.max(longest, width * 0.6)) : width
  const chosen = raw
    .slice(0, -1)
    .filter(
      (line, index) => line.length + 1 + (lines[index + 1]?.split(' ')[0]?.length ?? 0) <= limit - (inset >= 2 ? 2 : 6),
    ).length
  const capitals = lines.filter((line) => /^[^\p{L}]*\p{Lu}/u.test(line)).length
  const breaks = raw.length - 1
  if (inset >= 2) return chosen >= breaks * 0.5 && (capitals >= lines.length * 0.5 || chosen === breaks)
  return (
    chosen >= breaks * 0.8 &&
    capitals >= lines.length * 0.7 &&
    sum(lines.map((line) => line.length)) / lines.length < width * 0.75
  )
}

/** Notes set as "[Footnote 1: …]" go, with the references that point to them; other brackets are text. */
function dropNotes(blocks: FlowBlock[], omissions: Omissions): FlowBlock[] {
  const opening = /^\[(?:Footnote|Note|Nota|Fußnote)\s*([\w*†]{0,4})\s*:\s*/i
  const names = new Set<string>()
  const kept: FlowBlock[] = []
  for (let index = 0; index < blocks.length; index += 1) {
    const current = blocks[index]!
    const match = opening.exec(current.text)
    if (!match) {
      kept.push(current)
      continue
    }
    // A note may run over paragraphs; without a closing bracket near by, only this one is the note.
    let last = index
    while (last < Math.min(index + 12, blocks.length - 1) && !/\]\s*$/.test(blocks[last]!.text)) last += 1
    if (/\]\s*$/.test(blocks[last]!.text)) index = last
    names.add(match[1] ?? '')
    omissions.add('footnote')
  }
  if (names.size === 0) return kept
  return kept.map((current) => {
    const strip = (text: string): string =>
      text.replace(/ ?\[(?:Footnote )?([\w*†]{1,4})\](?!\()/g, (all, name: string) => {
        if (!names.has(name) && !(names.has('') && name === '*')) return all
        omissions.add('noteReference')
        return ''
      })
    if (!current.text.includes('[')) return current
    return {
      ...current,
      text: strip(current.text),
      lines: current.lines?.map((line) => line.replace(/ ?\[[\w*†]{1,4}\]/g, '')),
    }
  })
}
