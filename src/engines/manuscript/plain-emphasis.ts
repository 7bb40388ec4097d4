import type { FlowBlock } from './flow.ts'
import type { Mark } from './manuscript.ts'

const signs = [
  { sign: '_', kind: 'emphasis', pattern: /(?<![\p{L}\p{N}_])_(?=[^\s_])([^_]*[^\s_])_(?![\p{L}\p{N}_])/gu },
  { sign: '=', kind: 'strong', pattern: /(?<![\p{L}\p{N}=])=(?=[^\s=])([^=]*[^\s=])=(?![\p{L}\p{N}=])/gu },
  {
    sign: '*',
    kind: 'emphasis',
    pattern: /(?<![\p{L}\p{N}*])\*{1,3}(?=[^\s*])([^*]*[^\s*])\*{1,3}(?![\p{L}\p{N}*])/gu,
  },
] as const

/** `_word_`, `=word=` and `*word*` of plain text become marks; the signs themselves are not read aloud. */
export function markPlainEmphasis(blocks: FlowBlock[]): FlowBlock[] {
  const all = blocks.map(({ text }) => text).join('\n')
  const used = signs.filter(({ pattern }) => pattern.test(all))
  for (const { pattern } of signs) pattern.lastIndex = 0
  if (used.length === 0) return blocks
  const underscores = used.some(({ sign }) => sign === '_')
  return blocks.map((current) => {
    let { text } = current
    let marks: Mark[] = current.marks
    for (const { pattern, kind, sign } of used)
      if (text.includes(sign)) ({ text, marks } = apply(text, marks, pattern, kind))
    // Emphasis that runs over a paragraph's end leaves one sign at either side of it.
    if (underscores && text.includes('_')) ({ text, marks } = strip(text, marks))
    if (text === current.text) return current
    return {
      ...current,
      text,
      marks,
      lines: current.lines?.map((line) => line.replace(/(?<![\p{L}\p{N}])_+|_+(?![\p{L}\p{N}])/gu, '')),
    }
  })
}

function apply(text: string, marks: Mark[], pattern: RegExp, kind: Mark['kind']): { text: string; marks: Mark[] } {
  const found: Mark[] = []
  const cuts: { at: number; length: number }[] = []
  let removed = 0
  const result = text.replace(pattern, (all: string, inner: string, offset: number) => {
    const width = (all.length - inner.length) / 2
    const left = Math.floor(width)
    const start = offset - removed
    found.push({ start, end: start + inner.length, kind })
    cuts.push(
      { at: offset, length: left },
      { at: offset + all.length - (all.length - inner.length - left), length: all.length - inner.length - left },
    )
    removed += all.length - inner.length
    return inner
  })
  return { text: result, marks: [...shift(marks, cuts), ...found].toSorted((a, b) => a.start - b.start) }
}

function strip(text: string, marks: Mark[]): { text: string; marks: Mark[] } {
  const cuts: { at: number; length: number }[] = []
  // A sign between two spaces goes with one of them.
  const result = text.replace(
    /(?<=^| )_+ |(?<![\p{L}\p{N}_])_+|_+(?![\p{L}\p{N}_])/gu,
    (all: string, offset: number) => {
      // A blank to be filled in, "Mr. ____", stands alone and stays.
      if (all.trimEnd().length > 2) return all
      cuts.push({ at: offset, length: all.length })
      return ''
    },
  )
  return { text: result, marks: shift(marks, cuts) }
}

function shift(marks: Mark[], cuts: { at: number; length: number }[]): Mark[] {
  const moved = (offset: number): number =>
    offset - cuts.reduce((sum, cut) => sum + (cut.at < offset ? Math.min(cut.length, offset - cut.at) : 0), 0)
  return marks.map((mark) => ({ ...mark, start: moved(mark.start), end: moved(mark.end) }))
}
