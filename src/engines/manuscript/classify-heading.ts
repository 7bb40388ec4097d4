import { matterWords, numberWords, unitWords, type MatterWords } from './section-words.ts'

export type Heading =
  /** `word` is the unit as written ('Chapter', 'Capítulo'), '' when the heading is a bare number. */
  | { is: 'chapter' | 'part'; word: string; unit: string; numeral: string; value?: number; title: string }
  | { is: 'numeral'; word: ''; unit: ''; numeral: string; value: number; title: string }
  | { is: 'matter'; matter: MatterWords; title: string }
  | { is: 'other'; title: string }

const units = new Map<string, 'chapter' | 'part'>()
for (const { chapter, part } of Object.values(unitWords)) {
  for (const word of part) units.set(word, 'part')
  for (const word of chapter) if (!units.has(word)) units.set(word, 'chapter')
}
// "Letter" and "adventure" count as chapters only with a number; a bare number may be read in no language at all.
const unitPattern = [...units.keys()].sort((a, b) => b.length - a.length).join('|')
const unitFirst = new RegExp(`^(${unitPattern})(?![\\p{L}\\p{N}])\\.?\\s*(.*)$`, 'iu')
const unitLast = new RegExp(
  `^([\\p{L}\\-]+|\\d{1,3}\\.?|[IVXLC]+\\.?)\\s+(${unitPattern})(?![\\p{L}\\p{N}])\\s*[.:—–-]?\\s*(.*)$`,
  'iu',
)
const eastAsian = /^第\s*([0-9０-９一二三四五六七八九十百千零〇两兩]+)\s*([章回话話节節部卷編编])\s*[：:　\s]*(.*)$/u
const separator = /^\s*(?:[.:)\]]\s*[—–-]?|[—–-]+)\s*/u

/** Values 1–399; larger Roman numerals are words like MIX and number no chapter. */
export function readRoman(text: string): number | undefined {
  if (!/^(?=[CLXVI])C{0,3}(XC|XL|L?X{0,4})(IX|IV|V?I{0,4})$/i.test(text)) return undefined
  const values: Record<string, number> = { i: 1, v: 5, x: 10, l: 50, c: 100 }
  const digits = [...text.toLowerCase()].map((letter) => values[letter] ?? 0)
  return digits.reduce((sum, digit, index) => sum + (digit < (digits[index + 1] ?? 0) ? -digit : digit), 0)
}

function leadingNumber(text: string): { numeral: string; value: number; rest: string } | undefined {
  const lone = /^(?:no\.?\s*|nº\s*|n°\s*|#\s*)?(\d{1,4}|[ivxlc]{1,9})(?![\p{L}\p{N}'’])(?!-\p{L})(.*)$/iu.exec(text)
  if (lone) {
    const numeral = lone[1] ?? ''
    const value = /^\d/.test(numeral) ? Number(numeral) : readRoman(numeral)
    if (value !== undefined) return { numeral, value, rest: lone[2] ?? '' }
  }
  const words = /^(?:the\s+)?([\p{L}]+(?:[- ](?:and\s+)?[\p{L}]+)?)(.*)$/iu.exec(text)
  if (!words) return undefined
  const two = (words[1] ?? '').toLowerCase()
  const article = text.slice(0, text.length - (words[1] ?? '').length - (words[2] ?? '').length)
  if (numberWords.has(two))
    return { numeral: article + words[1], value: numberWords.get(two) ?? 0, rest: words[2] ?? '' }
  const one = /^[\p{L}]+/u.exec(two)?.[0] ?? ''
  const value = numberWords.get(one)
  if (value === undefined) return undefined
  const shown = (words[1] ?? '').slice(0, one.length)
  return { numeral: article + shown, value, rest: (words[1] ?? '').slice(one.length) + (words[2] ?? '') }
}

/** A title needs a sign before it, or to begin like one: "Chapter 3 was dull" is a sentence. */
function titleAfter(rest: string): string | undefined {
  const trimmed = rest.trim()
  if (!trimmed || /^[.:)\]—–-]+$/.test(trimmed)) return ''
  const sign = separator.exec(rest)
  if (sign) return rest.slice(sign[0].length).trim()
  return /^[\s]+[^\p{Ll}\s]/u.test(rest) ? trimmed : undefined
}

const tidy = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/^[\s*_=#[\]|~"“”]+|[\s*_=#|~\]]+$/g, '')
    .trim()

export function classifyHeading(heading: string): Heading {
  const text = tidy(heading)
  if (!text || text.length > 300) return { is: 'other', title: text }
  const asian = eastAsian.exec(text)
  if (asian) {
    const is = /[部卷編编]/.test(asian[2] ?? '') ? 'part' : 'chapter'
    return {
      is,
      word: text.slice(0, text.length - (asian[3] ?? '').length).trim(),
      unit: asian[2] ?? '',
      numeral: '',
      title: (asian[3] ?? '').trim(),
    }
  }
  const unit = unitFirst.exec(text)
  if (unit) {
    const word = unit[1] ?? ''
    const is = units.get(word.toLowerCase()) ?? 'chapter'
    const number = leadingNumber((unit[2] ?? '').replace(/^[.:]\s*/, ''))
    const title = number && titleAfter(number.rest)
    if (number && title !== undefined)
      return { is, word, unit: word.toLowerCase(), numeral: number.numeral, value: number.value, title }
  }
  const last = unitLast.exec(text)
  if (last) {
    const number = leadingNumber((last[1] ?? '').replace(/\.$/, ''))
    const word = last[2] ?? ''
    const is = units.get(word.toLowerCase()) ?? 'chapter'
    const title = (last[3] ?? '').trim()
    if (number && !number.rest.trim() && (!title || /^[^\p{Ll}]/u.test(title)))
      return { is, word: `${last[1]} ${word}`, unit: word.toLowerCase(), numeral: '', value: number.value, title }
  }
  const matter = classifyMatter(text)
  if (matter) return { is: 'matter', matter, title: text }
  const bare = /^[[(]?(\d{1,3}|[ivxlc]{1,9})[\])]?(?![\p{L}\p{N}'’])(?!-\p{L})(.*)$/iu.exec(text)
  const value =
    bare &&
    (/^\d/.test(bare[1] ?? '')
      ? Number(bare[1])
      : /^([IVXLC]+|[ivxlc]+)$/.test(bare[1] ?? '')
        ? readRoman(bare[1] ?? '')
        : undefined)
  const title = bare ? titleAfter(bare[2] ?? '') : undefined
  // "I saw him" and "1813 ended" are text: a bare number needs a sign before its title.
  if (bare && value && title !== undefined && (title === '' || separator.test(bare[2] ?? '')))
    return { is: 'numeral', word: '', unit: '', numeral: bare[1] ?? '', value, title }
  return { is: 'other', title: text }
}

const fold = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[’‘]/g, "'")
    .replace(/[^\p{L}\p{N}' -]+/gu, '')
    .replace(/\s+/g, ' ')
    .trim()

const phrases = new Map<string, MatterWords>()
for (const matter of matterWords)
  for (const phrase of matter.phrases) if (!phrases.has(fold(phrase))) phrases.set(fold(phrase), matter)

function classifyMatter(heading: string): MatterWords | undefined {
  const text = fold(heading)
  const exact = phrases.get(text) ?? phrases.get(text.replace(/^(the|a|an|el|la|le|les|das|der|die|l') ?/, ''))
  if (exact) return exact
  const words = text.split(' ')
  if (words.length > 12) return undefined
  for (let count = Math.min(4, words.length - 1); count > 0; count -= 1) {
    const matter = phrases.get(words.slice(0, count).join(' '))
    if (
      matter?.open &&
      (/^(by|to|from|for|of|de|del|du|par|von|van|di|do|da|por|on|and|the|[a-z]|\d+|[ivx]+)$/.test(
        words[count] ?? '',
      ) ||
        /^[\p{L}\s]+\s*[:.—–-]/u.test(heading))
    )
      return matter
  }
  return undefined
}
