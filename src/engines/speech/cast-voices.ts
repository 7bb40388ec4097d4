import { Problem } from '../../kit/errors.ts'
import type { AgeRange, CastCharacter, CastSegment, Role } from '../language/cast.ts'
import { matchLanguage } from './match-language.ts'
import type { Voice } from './speech.ts'

/** How often each character's speech follows or is followed by another's, by id: see `countExchanges`. */
export type Exchanges = Map<string, Map<string, number>>

export const NARRATOR = 'narrator'

const AGES: AgeRange[] = ['child', 'teen', 'young_adult', 'adult', 'elderly']
const ROLES: Role[] = ['narrator', 'protagonist', 'antagonist', 'supporting', 'minor']

// The price of each misfit. A voice of the wrong gender is worse than sharing one; sharing is worse than a foreign accent.
const COST = {
  wrongGender: 4000,
  neutralVoice: 30,
  language: [0, 25, 60],
  yearsApart: 22,
  yearsApartUnknown: 8,
  sameSpeaker: 220,
  sharedVoice: 400,
  eachMoreSharer: 40,
  sharedWithMajor: 160,
  sharedWithNarrator: 500,
  talkTogether: 10_000,
  otherProvider: 150,
}
/** Keeps two characters of one kind from wanting the same voice in the same order; less than the step between good voices and poor ones. */
const TASTE = 9
const UNRANKED = 50
/** Exchanges from which two characters must not sound the same. */
const MUCH = 2

/**
 * Gives each character the id of a voice of the language: the narrator first, then the others by role and by words spoken, each one that is left and
 * fits (region, gender, age). When voices run out, minor characters share, but not with someone they talk to. The same cast
 * gives the same voices, and whoever comes later in it changes nothing for those before. Manual choices (`overrides`) win. Lines without a speaker
 * have the voice of 'narrator', which the result always holds.
 * @param voices those that may be used; ones of other languages are left out here
 * @throws Problem 422 `voice_none` when none speaks the language
 */
export function castVoices(
  characters: CastCharacter[],
  voices: Voice[],
  language: string,
  overrides: Record<string, string> = {},
  exchanges: Exchanges = new Map(),
): Map<string, string> {
  const fitting = voices
    .map((voice) => ({ voice, match: matchLanguage(voice.languages, language) }))
    .filter((candidate): candidate is Candidate => candidate.match !== null)
  const ranked = fitting.filter(({ voice }) => voice.castRank !== null)
  const candidates = ranked.length > 0 ? ranked : fitting
  if (candidates.length === 0 && !overrides[NARRATOR]) {
    throw new Problem(422, 'voice_none', `No voice speaks ${language}.`, { language })
  }

  const chosen = new Map<string, string>()
  const sharers = new Map<string, CastCharacter[]>()
  const speakers = new Set<string>()
  const take = (character: CastCharacter, voice: string): void => {
    chosen.set(character.id, voice)
    sharers.set(voice, [...(sharers.get(voice) ?? []), character])
    speakers.add(speakerOf(voice))
  }

  const narrators = characters.filter((character) => character.role === 'narrator' || character.id === NARRATOR)
  const narrator = narrators[0] ?? nobody
  const own = overrides[NARRATOR] ?? narrators.map(({ id }) => overrides[id]).find(Boolean)
  const narratorVoice = own ?? cheapest(candidates, ({ voice, match }) => fit(narrator, voice, match))
  chosen.set(NARRATOR, narratorVoice)
  for (const character of narrators.length > 0 ? narrators : [narrator])
    take(character, overrides[character.id] ?? narratorVoice)

  const others = characters.filter((character) => !chosen.has(character.id))
  for (const character of others) if (overrides[character.id]) take(character, overrides[character.id]!)
  const provider = narratorVoice.split(':')[0]

  for (const character of others.filter(({ id }) => !overrides[id]).sort(byImportance)) {
    if (candidates.length === 0) {
      take(character, narratorVoice)
      continue
    }
    const voice = cheapest(candidates, ({ voice, match }) => {
      let cost = fit(character, voice, match) + taste(character.id, voice.id) * TASTE
      if (voice.provider !== provider) cost += COST.otherProvider
      const users = sharers.get(voice.id)
      if (users) cost += shareCost(character, users, exchanges)
      else if (speakers.has(speakerOf(voice.id))) cost += COST.sameSpeaker
      return cost
    })
    take(character, voice)
  }
  return chosen
}

/** Counts, over a book's segments, how often two characters speak in turn with nobody's line between them. */
export function countExchanges(chapters: CastSegment[][]): Exchanges {
  const exchanges: Exchanges = new Map()
  const add = (a: string, b: string): void => {
    const of = exchanges.get(a) ?? new Map<string, number>()
    of.set(b, (of.get(b) ?? 0) + 1)
    exchanges.set(a, of)
  }
  for (const segments of chapters) {
    let last: string | null = null
    for (const { kind, speaker } of segments) {
      if (kind !== 'speech' || speaker === null) continue
      if (last !== null && last !== speaker) {
        add(last, speaker)
        add(speaker, last)
      }
      last = speaker
    }
  }
  return exchanges
}

interface Candidate {
  voice: Voice
  match: number
}

const nobody: CastCharacter = {
  id: NARRATOR,
  name: 'Narrator',
  aliases: [],
  gender: null,
  ageRange: null,
  role: 'narrator',
  description: '',
  confidence: 1,
  lines: 0,
  words: 0,
  firstAppearance: null,
}

/** By role; within it by words spoken, in doublings, so that a few words more or less move nobody; then by id. */
function byImportance(a: CastCharacter, b: CastCharacter): number {
  const weight = (character: CastCharacter): number => Math.floor(Math.log2(character.words + 1))
  return ROLES.indexOf(a.role) - ROLES.indexOf(b.role) || weight(b) - weight(a) || (a.id < b.id ? -1 : 1)
}

function fit(character: CastCharacter, voice: Voice, match: number): number {
  let cost = COST.language[match]! + (voice.castRank ?? UNRANKED)
  const sexed = character.gender === 'male' || character.gender === 'female'
  if (sexed && voice.gender !== character.gender)
    cost += voice.gender === 'male' || voice.gender === 'female' ? COST.wrongGender : COST.neutralVoice
  const apart = Math.abs(AGES.indexOf(voice.age) - AGES.indexOf(character.ageRange ?? 'adult'))
  return cost + apart * (character.ageRange ? COST.yearsApart : COST.yearsApartUnknown)
}

function shareCost(character: CastCharacter, users: CastCharacter[], exchanges: Exchanges): number {
  let cost = COST.sharedVoice + COST.eachMoreSharer * users.length
  for (const user of users) {
    if (user.role === 'narrator') cost += COST.sharedWithNarrator
    else if (user.role !== 'minor') cost += COST.sharedWithMajor
    if ((exchanges.get(character.id)?.get(user.id) ?? 0) >= MUCH) cost += COST.talkTogether
  }
  return cost
}

/** One variant of eSpeak NG sounds like one person in every accent. */
const speakerOf = (voice: string): string =>
  voice.startsWith('espeak:') ? `espeak:+${voice.split('+')[1] ?? ''}` : voice

function cheapest(candidates: Candidate[], price: (candidate: Candidate) => number): string {
  let best = candidates[0]!
  let lowest = Infinity
  for (const candidate of candidates) {
    const cost = price(candidate)
    if (cost < lowest || (cost === lowest && candidate.voice.id < best.voice.id)) {
      best = candidate
      lowest = cost
    }
  }
  return best.voice.id
}

/** 0–1, the same for the same pair for ever: FNV-1a. */
function taste(character: string, voice: string): number {
  let hash = 0x811c9dc5
  for (const unit of `${character} ${voice}`) hash = Math.imul(hash ^ unit.codePointAt(0)!, 0x01000193) >>> 0
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32
}
