import type { AgeRange, CastCharacter } from '../language/cast.ts'
import type { Voice, VoiceSettings } from './speech.ts'

const AGES: AgeRange[] = ['child', 'teen', 'young_adult', 'adult', 'elderly']
/** Per cent of pitch, and of pace, for each step that a character is younger than the voice. */
const PITCH_A_STEP = 7
const PACE_A_STEP = 2
/** What tells apart those who share a voice, the first of them left as they are. */
const SHARED: VoiceSettings[] = [
  {},
  { pitch: 8, rate: 1.04 },
  { pitch: -8, rate: 0.96 },
  { pitch: 14, rate: 0.97 },
  { pitch: -14, rate: 1.05 },
]

/**
 * Small changes of pitch and pace that bring a voice nearer to its character's age and keep apart characters who share one. Characters whose voice fits
 * and is theirs alone get `{}`. Sharers are told apart by their ids' order, not by how much they speak.
 * @param chosen as `castVoices` gives it
 */
export function castSettings(
  characters: CastCharacter[],
  chosen: Map<string, string>,
  voices: Voice[],
): Map<string, VoiceSettings> {
  const byId = new Map(voices.map((voice) => [voice.id, voice]))
  const sharers = new Map<string, number>()
  const settings = new Map<string, VoiceSettings>()
  const narratorsFirst = (a: CastCharacter, b: CastCharacter): number =>
    Number(b.role === 'narrator') - Number(a.role === 'narrator') || (a.id < b.id ? -1 : 1)
  for (const character of characters.toSorted(narratorsFirst)) {
    const id = chosen.get(character.id)
    if (!id) continue
    const nth = sharers.get(id) ?? 0
    // Everyone who narrates is one voice.
    if (character.role !== 'narrator') sharers.set(id, nth + 1)
    const offset = SHARED[nth % SHARED.length]!
    const voice = byId.get(id)
    const younger = voice && character.ageRange ? AGES.indexOf(voice.age) - AGES.indexOf(character.ageRange) : 0
    const pitch = (offset.pitch ?? 0) + younger * PITCH_A_STEP
    const rate = Math.round(((offset.rate ?? 1) + (younger * PACE_A_STEP) / 100) * 100) / 100
    settings.set(character.id, { ...(pitch ? { pitch } : {}), ...(rate === 1 ? {} : { rate }) })
  }
  return settings
}
