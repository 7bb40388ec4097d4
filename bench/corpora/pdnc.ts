import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CastChapter } from '../../src/engines/language/cast.ts'
import { formKey } from '../../src/engines/language/cluster-names.ts'
import { titleNoun } from '../../src/engines/language/gather-people.ts'
import { givenNameGender } from '../../src/engines/language/given-names.ts'
import { honorific } from '../../src/engines/language/honorifics.ts'
import type { Quotation } from '../../src/engines/language/mark-quotations.ts'
import type { Person } from '../../src/engines/language/person.ts'
import { PERSON_NOUNS } from '../../src/engines/language/person-nouns.ts'

export interface GoldQuotation {
  /** Offsets in the novel's text, without the marks. */
  spans: [number, number][]
  speaker: string
  type: string
}

export interface Novel {
  name: string
  chapters: CastChapter[]
  /** Where each chapter begins in the novel's text. */
  bases: number[]
  characters: { name: string; aliases: string[]; gender: string }[]
  quotations: GoldQuotation[]
}

/** Folders below `folder` that hold a novel of the Project Dialogism Novel Corpus. */
export function listNovels(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted()
}

export function readNovel(folder: string, name: string): Novel {
  const text = readFileSync(join(folder, name, 'novel_text.txt'), 'utf8').replaceAll('\r', '')
  const characters = readTable(join(folder, name, 'character_info.csv')).map((row) => ({
    name: (row['Main Name'] ?? '').trim(),
    aliases: [...new Set([row['Main Name'] ?? '', ...strings(row.Aliases ?? '')].map((alias) => alias.trim()))].filter(
      Boolean,
    ),
    gender: row.Gender ?? '',
  }))
  const quotations = readTable(join(folder, name, 'quotation_info.csv')).map((row) => ({
    spans: JSON.parse(row.quoteByteSpans ?? '[]') as [number, number][],
    speaker: (row.speaker ?? '').trim(),
    type: row.quoteType ?? '',
  }))
  return { name, ...readChapters(text), characters, quotations }
}

const HEADING = /^(?:(?:chapter|volume|book|part|letter|section)\b.{0,60}|[IVXLC]+\.?)$/iu

/** Paragraphs part at blank lines; a line of a chapter's heading begins a chapter. Offsets stay those of the file. */
function readChapters(text: string): { chapters: CastChapter[]; bases: number[] } {
  const chapters: CastChapter[] = []
  const bases: number[] = []
  let current: CastChapter | null = null
  let base = 0
  for (const found of text.matchAll(/\S[^]*?(?=\s*\n[ \t]*\n|\s*$)/gu)) {
    const raw = found[0].replaceAll('\n', ' ')
    const heading = HEADING.test(raw.trim()) && raw.length < 80
    if (!current || (heading && current.blocks.length > 1)) {
      base = found.index
      current = { title: heading ? raw : 'Text', text: '', blocks: [] }
      chapters.push(current)
      bases.push(base)
    }
    const start = found.index - base
    current.text = `${current.text.padEnd(start)}${raw}`
    current.blocks.push({
      kind: heading ? 'heading' : 'paragraph',
      text: raw,
      marks: [],
      start,
      end: start + raw.length,
    })
  }
  return { chapters, bases }
}

/** The gold quotations that lie in a block, as the detector's own would be. */
export function goldQuotations(novel: Novel): (chapter: number, start: number, end: number) => Quotation[] {
  const parts = novel.quotations
    .flatMap(({ spans }, unit) => spans.map(([start, end]) => ({ start, end, unit })))
    .toSorted((a, b) => a.start - b.start)
  return (chapter, start, end) => {
    const base = novel.bases[chapter] as number
    let reached = start
    const found: Quotation[] = []
    for (const part of parts) {
      if (part.start >= base + end) break
      if (part.end <= base + start) continue
      const from = Math.max(reached, part.start - base)
      const to = Math.min(end, part.end - base)
      if (to > from) found.push({ start: from, end: to, open: false, unit: part.unit })
      reached = Math.max(reached, to)
    }
    return found
  }
}

/** The cast as the corpus gives it. Entries it left unannotated (gender X) are no candidates: they keep their place, and no names. */
export function goldPeople(novel: Novel): Person[] {
  const people = novel.characters.map((character) => goldPerson(character))
  const owners = new Map<string, Set<number>>()
  people.forEach((person, index) => {
    for (const key of person.keys)
      for (const word of key.split('|')[1]?.split(' ') ?? [])
        owners.set(word, (owners.get(word) ?? new Set()).add(index))
  })
  const exact = new Set(people.flatMap((person) => person.keys))
  people.forEach((person, index) => {
    for (const key of person.keys.slice()) {
      const words = key.split('|')[1]?.split(' ') ?? []
      for (const word of words.length > 1 ? [words[0] as string, words.at(-1) as string] : words) {
        if (
          word.length > 2 &&
          owners.get(word)?.size === 1 &&
          !exact.has(`|${word}`) &&
          !PERSON_NOUNS.has(word) &&
          owners.get(word)?.has(index)
        )
          person.keys.push(`|${word}`)
      }
    }
  })
  return people
}

function goldPerson({ name, aliases, gender }: Novel['characters'][number]): Person {
  const keys = new Set<string>()
  const nouns = new Set<string>()
  for (const alias of gender === 'X' ? [] : aliases) {
    const described = /^(?:the|a|an|that|this|his|her)\s/iu.test(alias)
    const words = plain(alias)
      .replace(/^(?:that|this|his|her)\s+/u, '')
      .split(/\s+/u)
    const joint = words.findIndex((word) => /^(?:in|of|with|at|from|who|on)$/u.test(word))
    const noun = joint > 0 ? (words[joint - 1] as string) : (words.at(-1) as string)
    if (PERSON_NOUNS.has(noun) && (described || words.length === 1 || joint > 0)) nouns.add(noun)
    const title = words.length > 1 && honorific(words[0] as string) ? (words.shift() as string) : ''
    keys.add(formKey({ title, words }))
    for (const rank of titleNoun(title)) nouns.add(rank)
    if (described && title) keys.add(formKey({ title: '', words: [title] }))
  }
  const title = aliases.map((alias) => honorific(alias.split(' ')[0] ?? '')?.gender).find(Boolean)
  const known =
    gender === 'M'
      ? 'male'
      : gender === 'F'
        ? 'female'
        : (title ?? givenNameGender((name.split(' ')[0] ?? '').toLowerCase()))
  return {
    name,
    aliases,
    keys: [...keys],
    nouns: [...nouns],
    gender: known ?? null,
    maleness: known === 'male' ? 1 : known === 'female' ? -1 : 0,
    narrator: aliases.some((alias) => /^_?narr/iu.test(alias)),
    count: 1,
  }
}

/**
 * Indexes of the characters whose name this is, else of those it is an alias of; full stops, case, a leading article and what
 * the corpus adds after a dash ('Christopher Robin - Story') don't count.
 */
export function resolveName(novel: Novel, name: string): number[] {
  const wanted = plain(name)
  const whose = (test: (character: Novel['characters'][number]) => boolean): number[] =>
    novel.characters.flatMap((character, index) => (test(character) ? [index] : []))
  const main = whose((character) => plain(character.name) === wanted)
  return main.length > 0 ? main : whose((character) => character.aliases.some((alias) => plain(alias) === wanted))
}

/** Index of a gold speaker, who is written as a name or an alias; -1 for one that the cast lacks. */
export function speakerIndex(novel: Novel, speaker: string): number {
  const exact = novel.characters.findIndex((character) => character.name === speaker)
  return exact >= 0 ? exact : (resolveName(novel, speaker)[0] ?? -1)
}

export const plain = (name: string): string =>
  name
    .toLowerCase()
    .replace(/\s+-\s.*$/u, '')
    .replace(/[.,_]/gu, '')
    .replace(/^(?:the|a|an)\s+/u, '')
    .trim()

/** RFC 4180, with a header row. */
function readTable(path: string): Record<string, string>[] {
  const text = readFileSync(path, 'utf8')
  const rows: string[][] = []
  let row: string[] = []
  for (const found of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\n\r]*))(,|\r?\n|$)/gu)) {
    row.push(found[1] === undefined ? (found[2] ?? '') : found[1].replaceAll('""', '"'))
    if (found[3] === ',') continue
    if (row.length > 1) rows.push(row)
    row = []
    if (found.index + found[0].length >= text.length) break
  }
  const header = rows.shift() ?? []
  return rows.map((cells) => Object.fromEntries(header.map((name, index) => [name, cells[index] ?? ''])))
}

/** Members of a Python set or list of strings. */
function strings(literal: string): string[] {
  return [...literal.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/gu)].map((found) =>
    (found[1] ?? found[2] ?? '').replaceAll(/\\(.)/gu, '$1'),
  )
}
