import { type Candidates, CONTEXT_FEATURES, FEATURES } from './rank-features.ts'
import type { RankReader } from './rank-reader.ts'

/** Rows of the second pass: the first pass's, and what it thinks of the utterances before and after. */
export function contextRows(reader: RankReader, candidates: Candidates[], first: number[][]): Candidates[] {
  const { utterances, book } = reader
  const size = FEATURES.length + CONTEXT_FEATURES.length
  const chapters = utterances.map((utterance) => book.paragraphs[utterance.paragraph]?.chapter)
  const known = candidates.map(
    ({ people }, index) => new Map(people.map((person, at) => [person, first[index]?.[at] ?? 0])),
  )
  const highest = first.map((list) => Math.max(0, ...list))
  const linked = (index: number, by: number): boolean => {
    const a = utterances[index]
    const b = utterances[index + by]
    return (
      a !== undefined &&
      b !== undefined &&
      chapters[index] === chapters[index + by] &&
      Math.abs(b.paragraph - a.paragraph) < 12 + 4 * Math.abs(by)
    )
  }
  /** No narration of its own stands between the two. */
  const adjoining = (index: number, by: number): boolean => {
    const step = Math.sign(by)
    for (let at = index; at !== index + by; at += step) {
      const a = utterances[Math.min(at, at + step)]
      const b = utterances[Math.max(at, at + step)]
      if (!a || !b || b.paragraph - a.last > 1 || b.paragraph === a.last) return false
    }
    return linked(index, by)
  }
  return candidates.map(({ people, rows }, index) => {
    const turns = [-2, -1, 1, 2].map((by) => adjoining(index, by))
    const window = (person: number, span: number): number => {
      let sum = 0
      for (let by = -span; by <= span; by++)
        if (by !== 0 && linked(index, by)) sum += (known[index + by]?.get(person) ?? 0) / (1 + Math.abs(by) / 4)
      return sum
    }
    const near = people.map((person) => window(person, 8))
    return {
      people,
      rows: people.map((person, at) => {
        const row = new Float32Array(size)
        row.set(rows[at] as Float32Array)
        let to = FEATURES.length
        const p = (by: number): number => (linked(index, by) ? (known[index + by]?.get(person) ?? 0) : 0)
        const put = (value: number): void => {
          row[to++] = value
        }
        put(Math.max(-6, Math.log((first[index]?.[at] ?? 0) + 1e-6)) / 6)
        for (const by of [-4, -3, -2, -1, 1, 2, 3, 4]) put(p(by))
        put(Math.log1p(near[at] as number))
        put(Math.log1p(window(person, 20)) / 2)
        put(Math.min(6, near.filter((value) => value > (near[at] as number)).length) / 6)
        ;[-2, -1, 1, 2].forEach((by, i) => put(turns[i] ? p(by) : 0))
        for (const by of [-1, 1]) put(p(by) > 0 && p(by) === highest[index + by] ? 1 : 0)
        for (const by of [-1, -2, 1, 2]) put(linked(index, by) ? (highest[index + by] ?? 0) : 0)
        return row
      }),
    }
  })
}
