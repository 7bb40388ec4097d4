import type { Cues } from './find-cues.ts'
import type { Mentions } from './find-mentions.ts'
import type { Utterance } from './find-utterances.ts'
import type { Person } from './person.ts'
import type { Book } from './read-paragraphs.ts'

/** Where somebody is said outright to speak. */
export const TAGS = new Set(['inverted', 'after', 'before'])

export interface Scene {
  book: Book
  people: Person[]
  mentions: Mentions
  utterances: Utterance[]
  cues: Cues[]
}

const MALE_ADDRESS = /^(?:sir|sirrah|señor|caballero|monsieur|herr|mister|papa|father)$/u
const FEMALE_ADDRESS = /^(?:ma'am|madam|madame|señora|señorita|mademoiselle|mamma|mother|miss|mum)$/u

/** Per utterance: who is named in the speech, who is spoken to, the sex of 'sir' and 'madam'. */
export interface Spoken {
  addressed: Set<number>
  mentioned: Set<number>
  generic: number
}

export interface RankReader extends Scene {
  spoken: Spoken[]
  /** Positions of each person's mentions in narration, and of all. */
  narrated: number[][]
  anywhere: number[][]
  starts: number[]
  ends: number[]
  /** Who a tag names outright, or -1. */
  tagged: number[]
  total: number
}

export function rankReader(scene: Scene): RankReader {
  const { book, people, mentions, utterances, cues } = scene
  const narrated: number[][] = people.map(() => [])
  const anywhere: number[][] = people.map(() => [])
  for (const mention of mentions.all) {
    anywhere[mention.person]?.push(mention.position)
    if (!mention.quoted) narrated[mention.person]?.push(mention.position)
  }
  const spoken = utterances.map((utterance): Spoken => {
    const result: Spoken = { addressed: new Set(), mentioned: new Set(), generic: 0 }
    for (const [index, part] of utterance.parts) {
      const paragraph = book.paragraphs[index]
      for (const mention of mentions.of[index] ?? []) {
        if (paragraph?.tokens[mention.from]?.quotation !== part) continue
        if (mention.vocative) result.addressed.add(mention.person)
        else result.mentioned.add(mention.person)
      }
      for (const [at, token] of (paragraph?.tokens ?? []).entries()) {
        if (token.quotation !== part) continue
        const next = paragraph?.tokens[at + 1]?.text ?? ''
        if (!/^[,.!?;:"”’—-]/u.test(next)) continue
        if (MALE_ADDRESS.test(token.lower)) result.generic = 1
        else if (FEMALE_ADDRESS.test(token.lower)) result.generic = -1
      }
    }
    return result
  })
  const narrator = people.findIndex((person) => person.narrator)
  const tagged = cues.map(({ list }) => {
    const tag = list.find((cue) => TAGS.has(cue.slot))
    return tag ? (tag.self ? narrator : tag.person) : -1
  })
  const place = (paragraph: number, quotation: number): number =>
    (mentions.offsets[paragraph] ?? 0) +
    Math.max(0, book.paragraphs[paragraph]?.tokens.findIndex((token) => token.quotation === quotation) ?? 0)
  const starts = utterances.map(({ parts }) => place(...(parts[0] as [number, number])))
  const ends = utterances.map(({ parts }) => place(...(parts.at(-1) as [number, number])))
  return { ...scene, spoken, narrated, anywhere, starts, ends, tagged, total: mentions.all.length }
}

export function candidatesOf(reader: RankReader, index: number, limit = 14): number[] {
  const { people, starts, ends, cues, tagged, narrated, anywhere } = reader
  const start = starts[index] as number
  const end = ends[index] as number
  const score = new Map<number, number>()
  const raise = (person: number, by: number): void => {
    if (person >= 0) score.set(person, Math.max(score.get(person) ?? 0, by))
  }
  people.forEach((person, at) => {
    const back = start - last(narrated[at] as number[], start)
    const any = start - last(anywhere[at] as number[], start)
    const ahead = next(anywhere[at] as number[], end) - end
    if (back < 2500) raise(at, 1 / (1 + back / 200))
    if (any < 2500) raise(at, 0.6 / (1 + any / 200))
    if (ahead < 500) raise(at, 0.8 / (1 + ahead / 100))
    if (person.narrator) raise(at, 0.7)
  })
  for (let by = -12; by <= 8; by++) raise(tagged[index + by] ?? -1, 1.2 / (1 + Math.abs(by) / 4))
  for (const cue of (cues[index] as Cues).list) raise(cue.person, 2)
  return [...score]
    .toSorted((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, limit)
    .map(([person]) => person)
}

/** Index of the last position before `limit`, by halving. */
function below(positions: number[], limit: number): number {
  let low = 0
  let high = positions.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((positions[middle] as number) < limit) low = middle + 1
    else high = middle
  }
  return low - 1
}
export const last = (positions: number[], limit: number): number => positions[below(positions, limit)] ?? -1e9
export const next = (positions: number[], from: number): number => positions[below(positions, from + 1) + 1] ?? 1e9
export const between = (positions: number[], from: number, to: number): number =>
  below(positions, to) - below(positions, from)
