import type { Gender } from './cast.ts'
import { type Cues, SLOTS } from './find-cues.ts'
import type { Utterance } from './find-utterances.ts'
import type { Person } from './person.ts'
import { between, candidatesOf, last, next, type RankReader, type Spoken, TAGS } from './rank-reader.ts'

const NEIGHBOURS = [-4, -3, -2, -1, 1, 2, 3] as const

/** What one candidate for one utterance is judged by; the order is that of the stored weights. */
export const FEATURES: string[] = [
  ...SLOTS.map((slot) => `name.${slot}`),
  ...SLOTS.filter((slot) => slot !== 'object').map((slot) => `gender.${slot}`),
  'self.tag',
  'self.subject',
  'self.previous',
  'noun.match',
  'noun.gender',
  'noun.station',
  'has.nameTag',
  'has.genderTag',
  'has.selfTag',
  'has.nounTag',
  'has.bareVerb',
  'has.nameSubject',
  'has.genderSubject',
  'has.leadsIn',
  'has.none',
  'has.previousNarration',
  'gap.before',
  'gap.after',
  'turn.before',
  'turn.after',
  'length',
  'parts',
  'candidates',
  'narrated.distance',
  'any.distance',
  'narrated.rank',
  'gender.rank',
  'any.rank',
  'near.300',
  'near.1000',
  'near.3000',
  'after.distance',
  'after.300',
  'share',
  'quotedShare',
  'narrator',
  'unnamed',
  'maleness',
  'known',
  'addressed.here',
  'mentioned.here',
  'addressed.-2',
  'addressed.-1',
  'addressed.1',
  'addressed.2',
  'mentioned.-1',
  'mentioned.1',
  'generic.-1',
  'generic.1',
  'generic.here',
  ...NEIGHBOURS.flatMap((by) => [`tag.${by}`, `othertag.${by}`]),
]
/** Added in the second pass: what the first pass thinks of the utterances around. */
export const CONTEXT_FEATURES: string[] = [
  'first',
  ...[-4, -3, -2, -1, 1, 2, 3, 4].map((by) => `p.${by}`),
  'p.window',
  'p.wide',
  'p.rank',
  'turn.-2',
  'turn.-1',
  'turn.1',
  'turn.2',
  'top.-1',
  'top.1',
  'max.-1',
  'max.-2',
  'max.1',
  'max.2',
]

/** The people who may have said one utterance, a row of features for each. */
export interface Candidates {
  people: number[]
  rows: Float32Array[]
}

const compatible = (person: Person, gender: Gender | null): number =>
  gender === 'male' ? person.maleness : gender === 'female' ? -person.maleness : 0

/** 'His wife' goes by Mrs., 'the girl' by Miss or a bare name: 1 fits, −1 does not, 0 says nothing. */
function station(person: Person, noun: string): number {
  const titled = (titles: RegExp): boolean => person.keys.some((key) => titles.test(key))
  if (/^(?:mother|wife|aunt|widow|landlady|hostess|housekeeper|matron|madre|esposa|tía|mère|mutter)$/u.test(noun)) {
    return titled(/^(?:mrs|lady|mme|sra|aunt|madam)\|/u) ? 1 : titled(/^(?:miss|srta|mlle)\|/u) ? -1 : 0
  }
  if (/^(?:daughter|niece|girl|sister|hija|hermana|sobrina)$/u.test(noun)) {
    return titled(/^(?:mrs|lady|mme|sra)\|/u) ? -1 : titled(/^(?:miss|srta|mlle)?\|/u) ? 1 : 0
  }
  if (/^(?:father|husband|uncle|landlord|gentleman|host|master|padre|marido|tío|père|vater)$/u.test(noun))
    return titled(/^(?:mr|sir|lord|dr|sr|don)\|/u) ? 1 : 0
  return 0
}

export function featureRows(reader: RankReader, index: number): Candidates {
  const { people, utterances, cues, spoken, starts, ends, tagged, narrated, anywhere, book } = reader
  const chosen = candidatesOf(reader, index)
  const utterance = utterances[index] as Utterance
  const { list, bareVerb, leadsIn } = cues[index] as Cues
  const start = starts[index] as number
  const end = ends[index] as number
  const chapter = book.paragraphs[utterance.paragraph]?.chapter
  const near = (by: number): boolean => {
    const other = utterances[index + by]
    return (
      other !== undefined &&
      book.paragraphs[other.paragraph]?.chapter === chapter &&
      Math.abs(other.paragraph - utterance.paragraph) < 12 + 4 * Math.abs(by)
    )
  }
  const tags = list.filter((cue) => TAGS.has(cue.slot))
  const subjects = list.filter((cue) => cue.slot === 'subjectAfter' || cue.slot === 'subjectBefore')
  const tagGender =
    tags.find((cue) => cue.person < 0 && cue.gender)?.gender ??
    subjects.find((cue) => cue.person < 0 && cue.gender)?.gender ??
    null
  const gapBefore =
    utterance.paragraph - (near(-1) ? (utterances[index - 1] as Utterance).last : utterance.paragraph - 20)
  const gapAfter = (near(1) ? (utterances[index + 1] as Utterance).paragraph : utterance.last + 20) - utterance.last
  const length = end - start + 10
  const flag = (test: boolean): number => (test ? 1 : 0)
  const lastNarrated = people.map((_, at) => last(narrated[at] as number[], start))
  const lastAny = people.map((_, at) => last(anywhere[at] as number[], start))
  const rank = (at: number, positions: number[], gender: Gender | null): number => {
    let count = 0
    for (const [other, position] of positions.entries()) {
      if (other === at || position <= (positions[at] as number)) continue
      if (gender && compatible(people[other] as Person, gender) < -0.2) continue
      count++
    }
    return count
  }
  const rows = chosen.map((at) => {
    const person = people[at] as Person
    const values: number[] = []
    for (const slot of SLOTS) values.push(flag(list.some((cue) => cue.slot === slot && cue.person === at)))
    for (const slot of SLOTS) {
      if (slot === 'object') continue
      const cue = list.find((one) => one.slot === slot && one.gender !== null && one.person < 0)
      values.push(cue ? compatible(person, cue.gender) : 0)
    }
    const self = (found: boolean): number => (found ? (person.narrator ? 1 : -1) : 0)
    values.push(
      self(tags.some((cue) => cue.self)),
      self(subjects.some((cue) => cue.self)),
      self(list.some((cue) => (cue.slot === 'previous' || cue.slot === 'trail') && cue.self)),
    )
    const noun = tags.find((cue) => cue.noun) ?? subjects.find((cue) => cue.noun)
    values.push(
      noun?.noun ? (person.nouns.includes(noun.noun) ? 1 : person.nouns.length > 0 ? -0.5 : 0) : 0,
      noun ? compatible(person, noun.gender) : 0,
      noun?.noun ? station(person, noun.noun) : 0,
    )
    values.push(
      flag(tags.some((cue) => cue.person >= 0)),
      flag(tags.some((cue) => cue.person < 0 && cue.gender !== null && !cue.noun)),
      flag(tags.some((cue) => cue.self)),
      flag(tags.some((cue) => cue.noun !== null)),
      flag(bareVerb),
      flag(subjects.some((cue) => cue.person >= 0)),
      flag(subjects.some((cue) => cue.person < 0 && cue.gender !== null)),
      flag(leadsIn),
      flag(tags.length + subjects.length === 0),
      flag(list.some((cue) => cue.slot === 'previous')),
    )
    values.push(
      Math.log1p(Math.max(0, Math.min(gapBefore, 20))) / 3,
      Math.log1p(Math.max(0, Math.min(gapAfter, 20))) / 3,
      flag(gapBefore <= 1),
      flag(gapAfter <= 1),
      Math.log1p(Math.max(0, length)) / 6,
      Math.min(utterance.parts.length, 4) / 4,
      chosen.length / 14,
    )
    const distance = (value: number): number => Math.log1p(Math.min(value, 5000)) / 8.5
    values.push(
      distance(start - (lastNarrated[at] as number)),
      distance(start - (lastAny[at] as number)),
      Math.min(rank(at, lastNarrated, null), 8) / 8,
      Math.min(rank(at, lastNarrated, tagGender), 8) / 8,
      Math.min(rank(at, lastAny, null), 8) / 8,
      ...[300, 1000, 3000].map((span) => Math.log1p(between(narrated[at] as number[], start - span, start)) / 4),
      distance(next(anywhere[at] as number[], end) - end),
      Math.log1p(between(anywhere[at] as number[], end, end + 300)) / 3,
      Math.log1p((100 * (anywhere[at] as number[]).length) / Math.max(1, reader.total)) / 4,
      1 - (narrated[at] as number[]).length / Math.max(1, (anywhere[at] as number[]).length),
    )
    values.push(flag(person.narrator), flag(person.keys.length === 0), person.maleness, Math.abs(person.maleness))
    const here = spoken[index] as Spoken
    const said = (by: number, of: 'addressed' | 'mentioned'): number =>
      flag(near(by) && (spoken[index + by] as Spoken)[of].has(at))
    const generic = (by: number): number => (near(by) ? (spoken[index + by] as Spoken).generic * person.maleness : 0)
    values.push(
      flag(here.addressed.has(at)),
      flag(here.mentioned.has(at)),
      said(-2, 'addressed'),
      said(-1, 'addressed'),
      said(1, 'addressed'),
      said(2, 'addressed'),
      said(-1, 'mentioned'),
      said(1, 'mentioned'),
      generic(-1),
      generic(1),
      here.generic * person.maleness,
    )
    for (const by of NEIGHBOURS) {
      const tag = near(by) ? (tagged[index + by] as number) : -1
      values.push(flag(tag === at), flag(tag >= 0 && tag !== at))
    }
    return Float32Array.from(values)
  })
  return { people: chosen, rows }
}
