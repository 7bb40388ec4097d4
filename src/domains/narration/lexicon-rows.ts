import type { Lexicon } from '../../engines/speech/lexicon.ts'

export interface LexiconRow {
  project_id: string
  grapheme: string
  alias: string | null
  phoneme: string | null
  alphabet: 'ipa' | 'x-sampa'
}

/** A lexicon's preferred pronunciations, a row a spelling. */
export const lexiconRows = (project_id: string, { lexemes }: Lexicon): LexiconRow[] =>
  lexemes.flatMap(({ graphemes, pronunciations: [first] }) =>
    graphemes.flatMap((grapheme): LexiconRow[] => {
      if (!first || !grapheme || grapheme.length > 200) return []
      if ('alias' in first)
        return [{ project_id, grapheme, alias: first.alias.slice(0, 200), phoneme: null, alphabet: 'ipa' }]
      return [
        {
          project_id,
          grapheme,
          alias: null,
          phoneme: first.ph.slice(0, 200),
          alphabet: first.alphabet === 'ipa' ? 'ipa' : 'x-sampa',
        },
      ]
    }),
  )
