import type { Block, BlockKind, Mark } from './manuscript.ts'

export type Role = 'front' | 'body' | 'back'

/** A place where the file itself says that a section starts: navigation, epub:type, a bookmark, a given pattern. */
export interface SectionStart {
  source: 'navigation' | 'semantics' | 'pattern'
  depth: number
  title?: string
  kind?: string
  role?: Role
  /** Titles of what it lies in, outermost first; absent when the file does not say. */
  parents?: string[]
  /** It holds further sections of its own: a part, a volume. */
  holds?: boolean
}

/** A block in reading order, before it is known to which section it belongs. */
export interface FlowBlock extends Block {
  /** Lines as they stood in the source, where breaks may mean something. */
  lines?: string[]
  /** Blank lines, or their like, before it. */
  gap?: number
  /** Fragment names that point here. */
  anchors?: string[]
  start?: SectionStart
  role?: Role
  /** Nothing but a link to another place of the same book, as in a table of contents. */
  link?: boolean
  /** What the author's style says it is. */
  style?: 'title' | 'subtitle' | 'author'
  centred?: boolean
}

export interface Flow {
  blocks: FlowBlock[]
  omissions: Omissions
}

const omitted = {
  footnote: ['footnote', 'footnotes'],
  noteReference: ['note reference', 'note references'],
  pageNumber: ['page number', 'page numbers'],
  runningHead: ['running head', 'running heads'],
  lineNumber: ['line number', 'line numbers'],
  emptyIllustration: ['picture without words', 'pictures without words'],
  deletion: ['deleted passage (tracked changes)', 'deleted passages (tracked changes)'],
  comment: ['comment', 'comments'],
  hiddenText: ['passage of hidden text', 'passages of hidden text'],
  unreadableCharacter: ['character that could not be decoded', 'characters that could not be decoded'],
} as const

/** Counts what is left out of the text on purpose, to be told in words. */
export class Omissions {
  private readonly counts = new Map<keyof typeof omitted, number>()

  add(what: keyof typeof omitted, count = 1): void {
    if (count > 0) this.counts.set(what, (this.counts.get(what) ?? 0) + count)
  }

  warnings(): string[] {
    return [...this.counts].map(([what, count]) => `Left out: ${count} ${omitted[what][count === 1 ? 0 : 1]}.`)
  }
}

export const block = (kind: BlockKind, text: string, marks: Mark[] = [], more: Partial<FlowBlock> = {}): FlowBlock => ({
  kind,
  text,
  marks,
  ...more,
})

const countWordsRoughly = (text: string): number => text.match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu)?.length ?? 0

/** Words for length decisions, where scripts without spaces count two characters a word. */
export function estimateWords(text: string): number {
  const dense = text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/gu)?.length ?? 0
  return dense > text.length / 4 ? Math.ceil(dense / 2) : countWordsRoughly(text)
}
