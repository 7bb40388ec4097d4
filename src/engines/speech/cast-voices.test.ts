import { beforeAll, describe, expect, test } from 'vitest'
import type { AgeRange, CastCharacter, CastSegment, Gender, Role } from '../language/cast.ts'
import { castVoices, countExchanges } from './cast-voices.ts'
import { openEspeak } from './espeak.ts'
import { castSettings } from './cast-settings.ts'
import { matchLanguage } from './match-language.ts'
import type { Voice } from './speech.ts'

let voices: Voice[]
beforeAll(async () => {
  const engine = openEspeak()
  voices = await engine.voices()
  await engine.close()
})

const character = (
  id: string,
  gender: Gender | null,
  role: Role,
  words: number,
  ageRange: AgeRange | null = null,
): CastCharacter => ({
  id,
  name: id,
  aliases: [],
  gender,
  ageRange,
  role,
  description: '',
  confidence: 1,
  lines: 1,
  words,
  firstAppearance: null,
})
const majors = [
  character('narrator', null, 'narrator', 90_000),
  character('elizabeth', 'female', 'protagonist', 9000, 'young_adult'),
  character('darcy', 'male', 'protagonist', 7000, 'adult'),
  character('mrs-bennet', 'female', 'supporting', 5000, 'adult'),
  character('mr-bennet', 'male', 'supporting', 4000, 'elderly'),
  character('jane', 'female', 'supporting', 4000, 'young_adult'),
  character('collins', 'male', 'supporting', 3900, 'adult'),
]
const minors = Array.from({ length: 60 }, (_, i) => character(`minor-${i}`, i % 2 ? 'male' : 'female', 'minor', 60 - i))
const of = (id: string | undefined): Voice => voices.find((voice) => voice.id === id)!
const speaker = (id: string | undefined): string => id!.split('+')[1] ?? ''

describe('automatic casting', () => {
  test('each major character has a voice that fits and that nobody else has', () => {
    const chosen = castVoices([...majors, ...minors], voices, 'en-GB')
    for (const { id, gender } of majors) {
      const voice = of(chosen.get(id))
      expect(voice.languages[0]).toBe('en-GB')
      if (gender) expect(voice.gender).toBe(gender)
      expect([...chosen.values()].filter((other) => other === voice.id)).toHaveLength(1)
    }
    expect(of(chosen.get('mr-bennet')).age).toBe('elderly')
    expect(new Set(majors.map(({ id }) => speaker(chosen.get(id)))).size).toBe(majors.length)
    for (const { id, gender } of minors) expect(of(chosen.get(id)).gender).toBe(gender)
    expect([...chosen.values()].join()).not.toContain('whisper')
  })

  test('the same from run to run, in whatever order the characters and voices come', () => {
    const chosen = castVoices([...majors, ...minors], voices, 'en')
    expect(castVoices([...minors, ...majors].reverse(), voices.toReversed(), 'en')).toEqual(
      new Map([...chosen].sort(() => 0)),
    )
  })

  test('a new minor character, and a few words more, leave the majors their voices', () => {
    const before = castVoices([...majors, ...minors.slice(0, 3)], voices, 'en')
    const more = majors.map((one) => ({ ...one, words: one.words + 40 }))
    const after = castVoices([character('aaa', 'female', 'minor', 500), ...more, ...minors.slice(0, 3)], voices, 'en')
    for (const { id } of majors) expect(after.get(id)).toBe(before.get(id))
  })

  test('when voices run out, minor characters share, but not with those they talk to', () => {
    const few = voices.filter(({ id }) => /^espeak:en-us\+(f2|f3|f4|m3)$/.test(id))
    const cast = [
      character('narrator', 'male', 'narrator', 9),
      character('anne', 'female', 'protagonist', 99),
      ...minors.filter(({ gender }) => gender === 'female').slice(0, 6),
    ]
    const lines = (...speakers: string[]): CastSegment[] =>
      speakers.map((name, i) => ({
        start: i,
        end: i + 1,
        kind: 'speech',
        speaker: name,
        rule: 'speech_tag',
        confidence: 1,
      }))
    const exchanges = countExchanges([
      lines('minor-0', 'minor-2', 'minor-0', 'minor-2', 'minor-4', 'minor-8', 'minor-4', 'minor-8'),
    ])
    expect(exchanges.get('minor-0')?.get('minor-2')).toBe(3)
    const chosen = castVoices(cast, few, 'en', {}, exchanges)
    expect(chosen.get('minor-0')).not.toBe(chosen.get('minor-2'))
    expect(chosen.get('minor-4')).not.toBe(chosen.get('minor-8'))
    for (const { id } of cast.slice(2)) expect(chosen.get(id)).not.toBe(chosen.get('anne'))
  })

  test('manual choices win, and are left to whom they were given', () => {
    const free = castVoices(majors, voices, 'en')
    const wanted = free.get('elizabeth')!
    const chosen = castVoices(majors, voices, 'en', { jane: wanted, narrator: 'azure:en-GB-RyanNeural' })
    expect(chosen.get('jane')).toBe(wanted)
    expect(chosen.get('narrator')).toBe('azure:en-GB-RyanNeural')
    expect(chosen.get('elizabeth')).not.toBe(wanted)
  })

  test('lines without a speaker have the narrator’s voice, even in a book without a narrator', () => {
    expect(castVoices([], voices, 'es-PE').get('narrator')).toBe('espeak:es-419+m7')
    expect(castVoices([character('ishmael', 'male', 'narrator', 5)], voices, 'en').get('narrator')).toBe(
      castVoices([character('ishmael', 'male', 'narrator', 5)], voices, 'en').get('ishmael'),
    )
  })

  test('a language that no voice speaks is said so', () => {
    expect(() => castVoices(majors, voices, 'tlh-Latn-x')).toThrow(expect.objectContaining({ type: 'voice_none' }))
  })
})

test.each([
  [['en-US', 'en'], 'en', 0],
  [['en-GB', 'en'], 'en', 2],
  [['en-GB-scotland', 'en'], 'en-GB', 1],
  [['es-419', 'es-MX'], 'es-PE', 1],
  [['es'], 'es-PE', 2],
  [['es'], 'es', 0],
  [['pt-PT', 'pt'], 'pt-BR', 2],
  [['fr-FR', 'fr'], 'es', null],
  [['zh-Latn-pinyin'], 'zh', null],
  [['*'], 'qu', 0],
])('a voice of %j reads %s: %s', (languages, wanted, match) => expect(matchLanguage(languages, wanted)).toBe(match))

test('voices that don’t fit in age, or are shared, are told apart by pitch and pace', () => {
  const cast = [
    character('narrator', null, 'narrator', 9),
    character('girl', 'female', 'minor', 5, 'child'),
    character('aunt', 'female', 'minor', 4, 'adult'),
  ]
  const chosen = new Map([
    ['narrator', 'espeak:en-us+m7'],
    ['girl', 'espeak:en-us+f2'],
    ['aunt', 'espeak:en-us+f2'],
  ])
  const settings = castSettings(cast, chosen, voices)
  expect(settings.get('narrator')).toEqual({})
  expect(settings.get('girl')!.pitch).toBeGreaterThan(10)
  expect(settings.get('girl')).not.toEqual(settings.get('aunt'))
  expect(castSettings(cast.toReversed(), chosen, voices)).toEqual(settings)
})
