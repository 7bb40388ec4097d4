import type { Gender } from './cast.ts'
import { nameWords } from './find-names.ts'
import { type Cues, findCues } from './find-cues.ts'
import { linkEpithets } from './link-epithets.ts'
import { findMentions, type Mentions } from './find-mentions.ts'
import { findNarrator, isFirstPerson } from './find-narrator.ts'
import { findUtterances, type Utterance } from './find-utterances.ts'
import { gatherPeople } from './gather-people.ts'
import { KIN, PERSON_NOUNS } from './person-nouns.ts'
import type { Person } from './person.ts'
import type { Scene } from './rank-reader.ts'
import type { Book } from './read-paragraphs.ts'

/** Finds the people of a book where none are given, and everything the text says about who speaks. */
export function setScene(book: Book, given?: Person[]): Scene {
  const isKnown = nameWords(book)
  const givenWords = new Set(
    (given ?? []).flatMap((person) => person.keys.flatMap((key) => key.split('|')[1]?.split(' ') ?? [])),
  )
  const isName = (word: string): boolean => isKnown(word) || (givenWords.has(word) && word.length > 2)
  const people = given ? [...given] : gatherPeople(book, isName)
  const utterances = findUtterances(book)
  let mentions = findMentions(book, people, isName)
  let cues = utterances.map((utterance) => findCues({ book, mentions }, utterance))
  if (!given) {
    const linked = linkEpithets(people, cues)
    for (const [index, nouns] of linked) {
      const person = people[index] as Person
      const sexes = nouns.map((noun) => PERSON_NOUNS.get(noun)).filter(Boolean)
      if (!sexes.some((sex) => person.gender && sex !== person.gender)) person.nouns.push(...nouns)
    }
    const known = new Set(people.flatMap((person) => person.nouns))
    const unnamed = unnamedSpeakers(cues, book.language).filter((person) => !known.has(person.nouns[0] as string))
    if (unnamed.length > 0 || known.size > 0) {
      people.push(...unnamed)
      mentions = findMentions(book, people, isName)
      cues = utterances.map((utterance) => findCues({ book, mentions }, utterance))
    }
  }
  if (isFirstPerson(book) && !people.some((person) => person.narrator))
    setNarrator(people, mentions, utterances, cues, book, given === undefined)
  return { book, people, mentions, utterances, cues }
}

function unnamedSpeakers(cues: Cues[], language: string): Person[] {
  const counts = new Map<string, number>()
  for (const { list } of cues) {
    const tag = list.find((cue) => cue.slot === 'inverted' || cue.slot === 'after' || cue.slot === 'before')
    if (tag?.noun && tag.person < 0 && !KIN.has(tag.noun)) counts.set(tag.noun, (counts.get(tag.noun) ?? 0) + 1)
  }
  return [...counts].map(([noun, count]): Person => {
    const gender = PERSON_NOUNS.get(noun) ?? null
    const name = describedName(noun, gender, language)
    return {
      name,
      aliases: [name],
      keys: [],
      nouns: [noun],
      gender,
      maleness: gender === 'male' ? 0.9 : gender === 'female' ? -0.9 : 0,
      narrator: false,
      count,
    }
  })
}

/** 'The landlady', 'La vieja', 'Die Magd'. */
function describedName(noun: string, gender: Gender | null, language: string): string {
  const feminine = gender === 'female' || (gender === null && noun.endsWith('a'))
  const articles: Record<string, [string, string]> = {
    es: ['El', 'La'],
    fr: ['Le', 'La'],
    de: ['Der', 'Die'],
    pt: ['O', 'A'],
    it: ['Il', 'La'],
  }
  const [masculine, feminineForm] = articles[language.slice(0, 2)] ?? ['The', 'The']
  const shown = language.startsWith('de') ? `${noun[0]?.toUpperCase()}${noun.slice(1)}` : noun
  return `${feminine ? feminineForm : masculine} ${shown}`
}

function setNarrator(
  people: Person[],
  mentions: Mentions,
  utterances: Utterance[],
  cues: Cues[],
  book: Book,
  mayAdd: boolean,
): void {
  const found = people[findNarrator(people, mentions, utterances, cues, book)]
  if (found) found.narrator = true
  else if (mayAdd)
    people.push({
      name: 'Narrator',
      aliases: [],
      keys: [],
      nouns: [],
      gender: null,
      maleness: 0,
      narrator: true,
      count: 0,
    })
}
