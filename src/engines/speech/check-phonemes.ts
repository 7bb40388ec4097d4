import { Problem } from '../../kit/errors.ts'

/**
 * Letters, diacritics, suprasegmentals and tone marks of the International Phonetic Alphabet (chart of 2020): the lower-case Latin letters it shares,
 * Unicode's IPA Extensions, Phonetic Extensions, Spacing Modifier Letters and Combining Diacritical Marks, its Greek and other single letters,
 * stress, length, linking and intonation marks.
 */
const IPA = [
  /[a-zæçðøħŋœǀǁǂǃɡᵻᵿⱱβθχʘ.|‖‿ꜛꜜ↗↘ⁿ() ]/u,
  /[\u0250-\u02ff\u1d00-\u1dbf]/u,
  // Combining marks.
  /[\u0300-\u036f\u1dc4-\u1dcf]/u,
]
/** J. C. Wells, 1995: what is on every keyboard. */
const X_SAMPA = [/[\u0020-\u007e]/]

/** @throws Problem 400 with `field` 'phoneme' and the first character that the alphabet doesn't have */
export function checkPhonemes(phoneme: string, alphabet: 'ipa' | 'x-sampa'): void {
  const known = alphabet === 'ipa' ? IPA : X_SAMPA
  const wrong = [...phoneme.normalize('NFD')].find((character) => !known.some((range) => range.test(character)))
  if (wrong === undefined && phoneme.trim()) return
  const name = alphabet === 'ipa' ? 'the International Phonetic Alphabet' : 'X-SAMPA'
  const detail = wrong === undefined ? 'phoneme: is empty' : `phoneme: '${wrong}' is no symbol of ${name}`
  throw new Problem(400, 'invalid_input', detail, {
    field: 'phoneme',
    ...(wrong !== undefined && { character: wrong }),
  })
}
