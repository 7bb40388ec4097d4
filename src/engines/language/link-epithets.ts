import type { Cues } from './find-cues.ts'
import { KIN } from './person-nouns.ts'
import type { Person } from './person.ts'

/** A description that speaks less often than this is left to stand for itself. */
const LEAST = 3

/**
 * Which named person a description is: 'the Jew', 'the old gentleman'. In a conversation the same person speaks every other turn,
 * so their descriptions stand two turns from their name and seldom next to it. Answers person → nouns.
 */
export function linkEpithets(people: Person[], cues: Cues[]): Map<number, string[]> {
  const tags = cues.map(({ list }) =>
    list.find((cue) => cue.slot === 'inverted' || cue.slot === 'after' || cue.slot === 'before'),
  )
  const found = new Map<string, { count: number; score: Map<number, number> }>()
  tags.forEach((tag, index) => {
    if (!tag?.noun || (tag.person >= 0 && people[tag.person]?.keys.length !== 0)) return
    let entry = found.get(tag.noun)
    if (!entry) found.set(tag.noun, (entry = { count: 0, score: new Map() }))
    entry.count++
    for (const [by, worth] of [
      [-4, 0.5],
      [-3, -0.5],
      [-2, 1],
      [-1, -1.5],
      [1, -1.5],
      [2, 1],
      [3, -0.5],
      [4, 0.5],
    ] as const) {
      const other = tags[index + by]
      if (other && other.person >= 0 && !other.noun && people[other.person]?.keys.length !== 0) {
        entry.score.set(other.person, (entry.score.get(other.person) ?? 0) + worth)
      }
    }
  })
  const links = new Map<number, string[]>()
  for (const [noun, { count, score }] of found) {
    if (count < LEAST || KIN.has(noun) || noun === 'other') continue
    const ranked = [...score].toSorted((a, b) => b[1] - a[1])
    const [best, second] = ranked
    if (!best || best[1] < Math.max(2.5, count * 0.2) || (second && second[1] > best[1] * 0.6)) continue
    links.set(best[0], [...(links.get(best[0]) ?? []), noun])
  }
  return links
}
