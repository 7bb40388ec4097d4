import type { AgeRange, CastCharacter, Role } from './cast.ts'
import type { Attribution } from './attribute-speech.ts'
import type { Person } from './person.ts'
import type { Scene } from './rank-reader.ts'
import { slugName } from './slug-name.ts'

const AGE_WORDS: [RegExp, AgeRange][] = [
  [/^(?:old|elderly|aged|venerable|viejo|vieja|anciano|anciana|vieux|vieille|alte[rs]?)$/u, 'elderly'],
  [/^(?:little|tiny|baby|pequeñ[oa]|petite?|kleine[rs]?)$/u, 'child'],
  [/^(?:young|joven|jeune|junge[rs]?)$/u, 'young_adult'],
]
const AGE_NOUNS: [RegExp, AgeRange][] = [
  [/^(?:child|boy|girl|baby|urchin|kid|niñ[oa]|chic[oa]|enfant|garçon|kind)$/u, 'child'],
  [/^(?:lad|lass|youth|maiden|muchach[oa])$/u, 'teen'],
  [/^(?:grandmother|grandfather|crone|matron|anciano|anciana|abuel[oa]|viej[oa])$/u, 'elderly'],
]

interface Part {
  lines: number
  words: number
  confidence: number
  first: { chapter: number; start: number } | null
}

/** The cast list of an attributed book, the narrator first, then by words spoken; and each person's id. */
export function describePeople(
  scene: Scene,
  attributions: Attribution[],
): { characters: CastCharacter[]; ids: string[] } {
  const { people, book, utterances, mentions } = scene
  const parts: Part[] = people.map(() => ({ lines: 0, words: 0, confidence: 0, first: null }))
  attributions.forEach(({ person, confidence }, index) => {
    const part = parts[person]
    if (!part) return
    part.confidence += confidence
    for (const [paragraph, quotation] of utterances[index]?.parts ?? []) {
      part.lines++
      for (const token of book.paragraphs[paragraph]?.tokens ?? [])
        if (token.word && token.quotation === quotation) part.words++
    }
  })
  const appear = (person: number, chapter: number, start: number): void => {
    const part = parts[person]
    if (
      part &&
      (!part.first || chapter < part.first.chapter || (chapter === part.first.chapter && start < part.first.start))
    )
      part.first = { chapter, start }
  }
  for (const mention of mentions.all) {
    const paragraph = book.paragraphs[mention.paragraph]
    if (paragraph) appear(mention.person, paragraph.chapter, paragraph.tokens[mention.from]?.start ?? paragraph.start)
  }
  attributions.forEach(({ person }, index) => {
    const [paragraph, quotation] = utterances[index]?.parts[0] ?? [0, 0]
    const where = book.paragraphs[paragraph]
    if (where && person >= 0) appear(person, where.chapter, where.quotations[quotation]?.start ?? where.start)
  })
  const ids = identify(people)
  const ages = ageRanges(scene)
  const speaking = people
    .map((_, index) => index)
    .filter((index) => (parts[index] as Part).lines > 0 && ids[index] !== 'narrator')
  const order = speaking.toSorted((a, b) => (parts[b] as Part).words - (parts[a] as Part).words || a - b)
  const most = (parts[order[0] ?? 0]?.words ?? 0) + 1
  const all = order.reduce((sum, index) => sum + (parts[index] as Part).words, 0)
  const characters = order.map((index): CastCharacter => {
    const person = people[index] as Person
    const part = parts[index] as Part
    const utterances = attributions.filter((one) => one.person === index).length
    return {
      id: ids[index] as string,
      name: person.name,
      aliases: person.aliases,
      gender: person.maleness > 0.25 ? 'male' : person.maleness < -0.25 ? 'female' : null,
      ageRange: ages[index] ?? null,
      role: roleOf(part, most, all),
      description: describe(part, book.chapters[part.first?.chapter ?? 0]?.title ?? '', person.narrator),
      confidence: Math.round((100 * part.confidence) / Math.max(1, utterances)) / 100,
      lines: part.lines,
      words: part.words,
      firstAppearance: part.first,
    }
  })
  const teller = people.find((person) => person.narrator)
  const told = teller && parts[people.indexOf(teller)]
  const narrator: CastCharacter = {
    id: 'narrator',
    name: 'Narrator',
    aliases: [],
    gender: teller && teller.maleness > 0.25 ? 'male' : teller && teller.maleness < -0.25 ? 'female' : null,
    ageRange: null,
    role: 'narrator',
    description: teller
      ? teller.keys.length > 0
        ? `Tells the story in the first person: ${teller.name}.`
        : 'Tells the story in the first person.'
      : 'Tells the story.',
    confidence: 1,
    lines: teller && teller.keys.length === 0 ? (told?.lines ?? 0) : 0,
    words: teller && teller.keys.length === 0 ? (told?.words ?? 0) : 0,
    firstAppearance: book.paragraphs[0]
      ? { chapter: book.paragraphs[0].chapter, start: book.paragraphs[0].start }
      : null,
  }
  return { characters: [narrator, ...characters], ids }
}

/** Rules see who speaks much, not who means ill: 'antagonist' is left to a model or a person. */
function roleOf(part: Part, most: number, all: number): Role {
  if (part.words >= 0.6 * most && part.words >= 0.08 * all) return 'protagonist'
  return part.words >= 0.01 * all && part.lines >= 3 ? 'supporting' : 'minor'
}

function describe(part: Part, chapter: string, narrator: boolean): string {
  const lines = `Speaks ${part.lines} ${part.lines === 1 ? 'line' : 'lines'} (${part.words} ${part.words === 1 ? 'word' : 'words'})`
  return `${lines}${chapter ? `; first in ${chapter.replace(/\s+/gu, ' ').replace(/\.$/u, '')}` : ''}${narrator ? '; tells the story' : ''}.`
}

/** Slugs of the names. Of two that fall together the second gets '-2'; a narrator with no name is 'narrator'. */
function identify(people: Person[]): string[] {
  const taken = new Set(['narrator'])
  return people.map((person) => {
    if (person.narrator && person.keys.length === 0) return 'narrator'
    const slug = slugName(person.name)
    let id = slug
    for (let count = 2; taken.has(id); count++) id = `${slug}-${count}`
    taken.add(id)
    return id
  })
}

function ageRanges({ people, mentions, book }: Scene): (AgeRange | null)[] {
  const counts = people.map(() => new Map<AgeRange, number>())
  const totals = people.map(() => 0)
  for (const mention of mentions.all) {
    // 'Old Jack' among friends says nothing of his age.
    if (mention.quoted) continue
    totals[mention.person] = (totals[mention.person] as number) + 1
    const tokens = book.paragraphs[mention.paragraph]?.tokens ?? []
    const before = tokens[mention.from - 1]?.lower ?? ''
    const age = AGE_WORDS.find(([word]) => word.test(before))?.[1]
    if (age) counts[mention.person]?.set(age, (counts[mention.person]?.get(age) ?? 0) + 1)
  }
  return people.map((person, index) => {
    const noun = AGE_NOUNS.find(([word]) => person.nouns.some((one) => word.test(one)))?.[1]
    if (person.keys.length === 0 && noun) return noun
    if (person.keys.some((key) => key.startsWith('master|'))) return 'child'
    const top = [...(counts[index] ?? [])].toSorted((a, b) => b[1] - a[1])[0]
    return top && top[1] >= Math.max(2, 0.05 * (totals[index] as number)) ? top[0] : null
  })
}
