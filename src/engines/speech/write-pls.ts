import type { Lexicon, Pronunciation } from './lexicon.ts'
import { PLS_NAMESPACE } from './parse-pls.ts'
import { xmlAttribute, xmlText } from './write-xml.ts'

/** Writes a Pronunciation Lexicon Specification 1.0 document, UTF-8, a lexeme a paragraph. `parsePls` reads the same lexicon back. */
export function writePls(lexicon: Lexicon): string {
  const written = (pronunciation: Pronunciation): string => {
    if ('alias' in pronunciation) return `    <alias>${xmlText(pronunciation.alias)}</alias>\n`
    const alphabet =
      pronunciation.alphabet === lexicon.alphabet ? '' : ` alphabet="${xmlAttribute(pronunciation.alphabet)}"`
    return `    <phoneme${alphabet}>${xmlText(pronunciation.ph)}</phoneme>\n`
  }
  const lexemes = lexicon.lexemes.map(({ graphemes, pronunciations }) => {
    const spellings = graphemes.map((grapheme) => `    <grapheme>${xmlText(grapheme)}</grapheme>\n`)
    return `  <lexeme>\n${spellings.join('')}${pronunciations.map(written).join('')}  </lexeme>\n`
  })
  const attributes = `version="1.0" xmlns="${PLS_NAMESPACE}" alphabet="${xmlAttribute(lexicon.alphabet)}" xml:lang="${xmlAttribute(lexicon.language)}"`
  return `<?xml version="1.0" encoding="UTF-8"?>\n<lexicon ${attributes}>\n${lexemes.join('')}</lexicon>\n`
}
