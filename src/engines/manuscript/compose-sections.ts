import { assignRoles } from './assign-roles.ts'
import { countNumbered, listHeadings, startsFromHeadings } from './choose-starts.ts'
import { classifyHeading } from './classify-heading.ts'
import { findTextHeadings } from './find-text-headings.ts'
import { estimateWords, type FlowBlock, type Role, type SectionStart } from './flow.ts'
import type { Block, Section } from './manuscript.ts'
import { startsFromPattern } from './pattern-starts.ts'
import { namePart, nameSection } from './name-section.ts'

/** A run of blocks that will be one section, before its role is known. */
export interface Draft {
  start?: SectionStart
  role?: Role
  kind?: string
  title: string
  parents: string[]
  headings: string[]
  blocks: FlowBlock[]
  words: number
}

export interface ComposeOptions {
  bookTitle?: string
  language: string
  chapterPattern?: string
}

/** Cuts a book's blocks into sections, names them and says which of them are the book. Every block lands in one section. */
export function composeSections(given: FlowBlock[], options: ComposeOptions): Section[] {
  const { blocks, starts } =
    options.chapterPattern !== undefined ? startsFromPattern(given, options.chapterPattern) : findStarts(given)
  const drafts = joinParts(slice(blocks, starts), options)
  return assignRoles(drafts, options).map(({ role, kind, title, parents, blocks: inside }) => ({
    role: role ?? 'body',
    kind: kind ?? 'chapter',
    title,
    parents,
    blocks: inside.filter(({ kind, text }) => text || kind === 'scene_break').map(plain),
  }))
}

const plain = ({ kind, level, text, marks }: FlowBlock): Block =>
  kind === 'heading' ? { kind, level: Math.min(6, Math.max(1, level ?? 2)), text, marks } : { kind, text, marks }

/** Files whose headings are set as plain paragraphs, or that have none at all. */
function withTextHeadings(blocks: FlowBlock[]): FlowBlock[] {
  if (blocks.some(({ start }) => start)) return blocks
  const known = countNumbered(blocks)
  const headings = blocks.filter(({ kind }) => kind === 'heading').length
  if (known > 1 || (known === 1 && headings > 3)) return blocks
  const found = findTextHeadings(blocks)
  if (headings < 3) return found
  return countNumbered(found) > known + 1 ? found : blocks
}

function findStarts(given: FlowBlock[]): { blocks: FlowBlock[]; starts: Map<number, SectionStart> } {
  const blocks = withTextHeadings(given)
  return { blocks, starts: chooseStarts(blocks) }
}

function chooseStarts(blocks: FlowBlock[]): Map<number, SectionStart> {
  const given = new Map<number, SectionStart>()
  blocks.forEach(({ start }, index) => start && given.set(index, start))
  if (given.size === 0) return startsFromHeadings(blocks)
  const found = startsFromHeadings(blocks)
  const numbered = listHeadings(blocks).filter(({ heading, index }) => heading.is === 'chapter' && found.has(index))
  const isCovered = (index: number): boolean =>
    given.has(index) || (blocks[index - 1]?.kind === 'heading' && isCovered(index - 1))
  const covered = numbered.filter(({ index }) => isCovered(index)).length
  // Navigation that names only a cover and a beginning is none; what it says of places it does name stays.
  const listed = [...given.values()].filter(({ source }) => source === 'navigation').length
  const few = listed > 3 ? numbered.length <= listed * 2 : numbered.length - covered < 2
  if (few || covered > numbered.length / 2) return given
  return new Map([...found, ...given].toSorted(([a], [b]) => a - b))
}

/** Cuts at each start, and wherever the role said by the file changes. */
function slice(blocks: FlowBlock[], starts: Map<number, SectionStart>): Draft[] {
  const drafts: Draft[] = []
  let current: Draft | undefined
  blocks.forEach((next, index) => {
    const start = starts.get(index)
    if (!current || start || next.role !== current.role) {
      current = { start, role: next.role, title: '', parents: [], headings: [], blocks: [], words: 0 }
      drafts.push(current)
    }
    current.blocks.push(next)
  })
  for (const draft of drafts) {
    for (const inside of draft.blocks) {
      if (inside.kind === 'heading') draft.headings.push(inside.text)
      else if (inside.text && inside.kind !== 'caption') break
    }
    draft.words = draft.blocks.reduce((sum, { kind, text }) => sum + (kind === 'heading' ? 0 : estimateWords(text)), 0)
  }
  return drafts.filter(({ blocks: inside }) => inside.some(({ kind, text }) => text || kind === 'scene_break'))
}

/** A volume's own title page: its title again, its publisher, and then the first chapter. */
const emptyPart = 40

function opensUnit(next: Draft | undefined): boolean {
  return next !== undefined && next.role === undefined
}

interface Holder {
  rank: number
  title: string
}

const sameTitle = (a: string, b: string): boolean => {
  const fold = (text: string): string =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, ' ')
      .trim()
  return (
    fold(a) !== '' && (fold(a) === fold(b) || fold(b).startsWith(`${fold(a)} `) || fold(a).startsWith(`${fold(b)} `))
  )
}

/**
 * Parts that hold no text of their own become the parents of what follows, which starts with their headings.
 * A book's own title above its first chapter is a title page and no part.
 */
function joinParts(drafts: Draft[], { bookTitle = '', language }: ComposeOptions): Draft[] {
  const result: Draft[] = []
  let holders: Holder[] = []
  let pending: FlowBlock[] = []
  const order = new Map<string, number>()
  drafts.forEach((draft, index) => {
    const own = splitPartHeadings(draft.headings)
    const first = classifyHeading(draft.headings[0] ?? draft.start?.title ?? '')
    const listed = draft.start?.parents
    const next = drafts[index + 1]
    const isTitle =
      index < 3 && sameTitle(draft.headings[0] ?? draft.start?.title ?? '', bookTitle) && first.is !== 'chapter'
    const deeper =
      next?.start && draft.start && next.start.depth > draft.start.depth && draft.start.source !== 'pattern'
    const holds =
      draft.start?.holds ||
      first.is === 'part' ||
      (first.is === 'other' && deeper && draft.words === 0 && draft.headings.length > 0)
    if (first.is === 'part' || (holds && !isTitle)) {
      const unit = 'unit' in first ? first.unit : ''
      if (unit && !order.has(unit)) order.set(unit, order.size)
      const rank = (draft.start?.depth ?? 1) * 100 + (unit ? (order.get(unit) ?? 0) : 50)
      holders = holders.filter((holder) => holder.rank < rank)
      // The rest of a cluster below a part's heading belongs to the chapter that opens in the same place.
      const names = own.rest.length && draft.words > 0 ? own.parts : draft.headings
      const title = namePart(names.length ? names : [draft.start?.title ?? ''])
      if (draft.words < emptyPart && opensUnit(next) && draft.start?.role !== 'front') {
        holders.push({ rank, title })
        pending.push(...draft.blocks)
        return
      }
      const outer = listed ?? holders.map((holder) => holder.title)
      holders.push({ rank, title })
      const inside = own.rest.length && draft.words > 0
      result.push({
        ...draft,
        kind: inside ? 'chapter' : 'part',
        title: nameSection(inside ? own.rest : draft.headings, draft.start?.title, language),
        parents: inside ? [...outer, title] : outer,
        blocks: [...pending, ...draft.blocks],
      })
      pending = []
      return
    }
    const parents = listed
      ? listed
      : draft.role || draft.start?.role === 'front' || draft.start?.role === 'back'
        ? []
        : holders.map((holder) => holder.title)
    result.push({
      ...draft,
      title: nameSection(draft.headings, draft.start?.title, language),
      parents,
      blocks: [...pending, ...draft.blocks],
    })
    pending = []
  })
  if (pending.length) result.push({ title: '', parents: [], headings: [], blocks: pending, words: 0 })
  return result
}

/** "Volume II" and "Chapter 1" set one below the other at the head of one file. */
function splitPartHeadings(headings: string[]): { parts: string[]; rest: string[] } {
  const at = headings.findIndex(
    (heading, index) => index > 0 && ['chapter', 'numeral'].includes(classifyHeading(heading).is),
  )
  return at < 0 ? { parts: headings, rest: [] } : { parts: headings.slice(0, at), rest: headings.slice(at) }
}

/** A book without any text has no sections; one that is only scene breaks counts as none. */
export const hasText = (blocks: FlowBlock[]): boolean => blocks.some(({ text }) => /[\p{L}\p{N}]/u.test(text))
