import type { Cues } from './find-cues.ts'
import type { Mentions } from './find-mentions.ts'
import type { Utterance } from './find-utterances.ts'
import type { Person } from './person.ts'
import type { Book } from './read-paragraphs.ts'

const SELF = /^(?:i|my|me|myself|yo|mi|mí|je|ich)$/u
/** Share of the narration's words; a third-person book's asides stay well below. */
const FIRST_PERSON = 0.012

export function isFirstPerson(book: Book): boolean {
  let self = 0
  let total = 0
  for (const paragraph of book.paragraphs) {
    for (const token of paragraph.tokens) {
      if (!token.word || token.quotation >= 0) continue
      total++
      if (SELF.test(token.lower)) self++
    }
  }
  return total > 200 && self / total > FIRST_PERSON
}

/**
 * Which of the people is the 'I' who tells the story: spoken to by name beside the lines that 'I' says, and hardly named in
 * the narration. -1 where the text does not tell.
 */
export function findNarrator(
  people: Person[],
  mentions: Mentions,
  utterances: Utterance[],
  cues: Cues[],
  book: Book,
): number {
  const quoted = people.map(() => 0)
  const narrated = people.map(() => 0)
  for (const mention of mentions.all) {
    const counts = mention.quoted ? quoted : narrated
    counts[mention.person] = (counts[mention.person] as number) + 1
  }
  const score = people.map(() => 0)
  cues.forEach(({ list }, index) => {
    if (!list.some((cue) => cue.self && (cue.slot === 'inverted' || cue.slot === 'after' || cue.slot === 'before')))
      return
    const here = vocatives(index)
    for (const by of [-1, 1])
      for (const person of vocatives(index + by)) if (!here.has(person)) score[person] = (score[person] as number) + 1
    for (const person of here) score[person] = (score[person] as number) - 2
  })
  function vocatives(index: number): Set<number> {
    const found = new Set<number>()
    for (const [paragraph, part] of utterances[index]?.parts ?? []) {
      for (const mention of mentions.of[paragraph] ?? []) {
        if (mention.vocative && book.paragraphs[paragraph]?.tokens[mention.from]?.quotation === part)
          found.add(mention.person)
      }
    }
    return found
  }
  let best = -1
  let highest = 1
  people.forEach((_, index) => {
    const all = (quoted[index] as number) + (narrated[index] as number)
    const share = (quoted[index] as number) / Math.max(1, all)
    const worth = (score[index] as number) * share ** 2
    if (worth > highest && share > 0.5) {
      highest = worth
      best = index
    }
  })
  return best
}
