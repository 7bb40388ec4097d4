import type { Lexicon, Pronunciation } from './lexicon.ts'

/** A place in a text that a lexicon pronounces. UTF-16 offsets. */
export interface LexiconHit {
  start: number
  end: number
  pronunciation: Pronunciation
}

/** Finds what a lexicon pronounces in a text: in order, without overlap. */
export type LexiconMatcher = (text: string) => LexiconHit[]

interface Entry {
  spelling: string
  anyCase: boolean
  pronunciation: Pronunciation
}

const WORD = /[\p{L}\p{N}\p{M}]/u

/**
 * Makes the matcher of several lexicons. Whole words only, the longest spelling first, and of equal ones the first given. A spelling in lower case
 * matches any case; any other matches exactly, so that 'US' isn't 'us'. Lexicons of another language are left out.
 * @param language BCP 47 of the text
 */
export function compileLexicons(lexicons: Lexicon[], language: string): LexiconMatcher {
  const byFirst = new Map<string, Entry[]>()
  const primary = language.split('-')[0]!.toLowerCase()
  for (const lexicon of lexicons) {
    if (lexicon.language.split('-')[0]!.toLowerCase() !== primary) continue
    for (const { graphemes, pronunciations } of lexicon.lexemes) {
      for (const spelling of graphemes) {
        if (!spelling || !pronunciations[0]) continue
        const first = firstOf(spelling)
        const entries = byFirst.get(first) ?? []
        entries.push({ spelling, anyCase: spelling === spelling.toLowerCase(), pronunciation: pronunciations[0] })
        byFirst.set(first, entries)
      }
    }
  }
  // Array.sort is stable: the first given stays first among equals.
  for (const entries of byFirst.values()) entries.sort((a, b) => b.spelling.length - a.spelling.length)
  if (byFirst.size === 0) return () => []

  return (text) => {
    const hits: LexiconHit[] = []
    for (let at = 0; at < text.length; ) {
      const entry = byFirst.get(firstOf(text, at))?.find((candidate) => standsAt(text, at, candidate))
      if (entry) hits.push({ start: at, end: at + entry.spelling.length, pronunciation: entry.pronunciation })
      at += entry ? entry.spelling.length : charAt(text, at).length
    }
    return hits
  }
}

const charAt = (text: string, at: number): string => String.fromCodePoint(text.codePointAt(at)!)
const firstOf = (text: string, at = 0): string => charAt(text, at).toLowerCase()

function charBefore(text: string, at: number): string {
  const low = text.charCodeAt(at - 1)
  return low >= 0xdc00 && low <= 0xdfff && at > 1 ? text.slice(at - 2, at) : text.charAt(at - 1)
}

function standsAt(text: string, at: number, { spelling, anyCase }: Entry): boolean {
  const end = at + spelling.length
  const found = text.slice(at, end)
  if (found !== spelling && !(anyCase && found.toLowerCase() === spelling)) return false
  const joinsBefore = at > 0 && WORD.test(charAt(spelling, 0)) && WORD.test(charBefore(text, at))
  const joinsAfter =
    end < text.length && WORD.test(charBefore(spelling, spelling.length)) && WORD.test(charAt(text, end))
  return !joinsBefore && !joinsAfter
}
