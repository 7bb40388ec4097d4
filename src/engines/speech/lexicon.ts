/** A pronunciation lexicon: what W3C PLS 1.0 holds that speech uses. */
export interface Lexicon {
  /** BCP 47 of the words. */
  language: string
  /** Alphabet of phonemes that don't name one: 'ipa' or 'x-sampa'. */
  alphabet: string
  lexemes: Lexeme[]
}

export interface Lexeme {
  /** Spellings, at least one. */
  graphemes: string[]
  /** In order of preference, at least one. */
  pronunciations: Pronunciation[]
}

/** Said like other words, or as phonemes. */
export type Pronunciation = { alias: string } | { alphabet: string; ph: string }
