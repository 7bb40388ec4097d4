import { block, type FlowBlock } from './flow.ts'
import type { BookMetadata } from './manuscript.ts'

const start = /^\*{3}\s*START OF (?:THE|THIS) PROJECT GUTENBERG E-?(?:BOOK|TEXT)/i
const oldStart = /^\*?END\s?\*\s?THE SMALL PRINT|^\*END THE SMALL PRINT/i
const end =
  /^\*{3}\s*END OF (?:THE|THIS) PROJECT GUTENBERG E-?(?:BOOK|TEXT)|^(?:\*+\s*)?End of (?:the |this )?Project Gutenberg(?:['’]s| E)|^End of Project Gutenberg/i

/** Cuts a block at its lines, so that a marker in its middle can part it. */
function cutAt(
  current: FlowBlock,
  marker: RegExp,
): [FlowBlock | undefined, FlowBlock, FlowBlock | undefined] | undefined {
  const lines = current.lines ?? current.text.split('\n')
  const at = lines.findIndex((line) => marker.test(line.trim()))
  if (at < 0) return undefined
  // A marker wrapped over two lines closes where its asterisks do.
  let last = at
  if (
    /^\*{3}/.test(lines[at]?.trim() ?? '') &&
    !/\*{3}\s*$/.test((lines[at] ?? '').trim().slice(3)) &&
    /\*{3}\s*$/.test(lines[at + 1] ?? '')
  )
    last = at + 1
  const piece = (from: number, to: number): FlowBlock | undefined => {
    const part = lines.slice(from, to)
    return part.length
      ? { ...current, kind: 'paragraph', text: part.join(' ').replace(/\s+/g, ' ').trim(), marks: [], lines: part }
      : undefined
  }
  return [piece(0, at), piece(at, last + 1) ?? current, piece(last + 1, lines.length)]
}

/**
 * Project Gutenberg's header and licence are not the book: they become front and back matter.
 * The markers are those its files have carried since 1991 ("*END*THE SMALL PRINT!" in the oldest).
 */
export function markBoilerplate(blocks: FlowBlock[]): { blocks: FlowBlock[]; found: boolean } {
  let found = false
  let result = blocks
  for (const [marker, role] of [
    [start, 'front'],
    [oldStart, 'front'],
    [end, 'back'],
  ] as const) {
    const at = result.findIndex((current) =>
      (current.lines ?? current.text.split('\n')).some((line) => marker.test(line.trim())),
    )
    const cut = at >= 0 ? cutAt(result[at]!, marker) : undefined
    // A start marker far inside the text is somebody quoting it.
    if (
      !cut ||
      (role === 'front' && at > Math.max(80, result.length / 2)) ||
      (role === 'back' && at < result.length / 10)
    )
      continue
    found = true
    const [before, line, after] = cut
    const head = [...result.slice(0, at), ...(before ? [before] : [])]
    const tail = [...(after ? [after] : []), ...result.slice(at + 1)]
    result =
      role === 'front'
        ? [...[...head, line].map((current) => asMatter(current, 'front')), ...tail]
        : [...head, ...[line, ...tail].map((current) => asMatter(current, 'back'))]
    if (role === 'front' && marker === start) continue
  }
  return { blocks: result, found }
}

const asMatter = (current: FlowBlock, role: 'front' | 'back'): FlowBlock => ({
  ...block(current.kind === 'heading' ? 'paragraph' : current.kind, current.text, current.marks),
  role,
})

/** Reads "Title: …" lines of such a header from the raw text before its marker. */
export function readHeaderFields(text: string): Partial<BookMetadata> {
  const header = text.slice(0, 6_000)
  if (!/project gutenberg/i.test(header) && !/^\s*(Title|Author):/m.test(header.slice(0, 500))) return {}
  const field = (name: string): string | undefined => {
    const match = new RegExp(`^[ \\t]*${name}:[ \\t]*(\\S.*(?:\\n[ \\t]{2,}\\S.*)*)$`, 'm').exec(header)
    return match?.[1]?.replace(/\s+/g, ' ').trim()
  }
  const people = (value: string | undefined): string[] => value?.split(/\s*;\s*|\s+and\s+/).filter(Boolean) ?? []
  const language = field('Language')
  return {
    title: field('Title'),
    authors: people(field('Author') ?? field('Authors')),
    translators: people(field('Translator')),
    language: language && languageTag(language),
  }
}

const languageNames: Record<string, string> = {
  english: 'en',
  spanish: 'es',
  french: 'fr',
  german: 'de',
  italian: 'it',
  portuguese: 'pt',
  dutch: 'nl',
  catalan: 'ca',
  swedish: 'sv',
  danish: 'da',
  norwegian: 'no',
  finnish: 'fi',
  polish: 'pl',
  czech: 'cs',
  hungarian: 'hu',
  romanian: 'ro',
  russian: 'ru',
  ukrainian: 'uk',
  greek: 'el',
  latin: 'la',
  esperanto: 'eo',
  chinese: 'zh',
  japanese: 'ja',
  turkish: 'tr',
  arabic: 'ar',
  hebrew: 'he',
}

function languageTag(name: string): string | undefined {
  return languageNames[name.toLowerCase().split(/[\s,(]/)[0] ?? '']
}
