import { SaxesParser } from 'saxes'
import { Problem } from '../../kit/errors.ts'
import type { Lexeme, Lexicon, Pronunciation } from './lexicon.ts'

export const PLS_NAMESPACE = 'http://www.w3.org/2005/01/pronunciation-lexicon'
const MAX_BYTES = 20_000_000

interface OpenLexeme {
  graphemes: string[]
  pronunciations: { pronunciation: Pronunciation; prefer: boolean }[]
}

/**
 * Reads a Pronunciation Lexicon Specification 1.0 document. Roles, examples and metadata are left out; where several pronunciations are given, the
 * preferred come first (section 4.9). A document type is refused: entities could swell it without bound.
 * @throws Problem 400 `lexicon_invalid` for what is not well-formed XML or not PLS
 */
export function parsePls(xml: string): Lexicon {
  if (xml.length > MAX_BYTES) throw invalid('it is too large')
  const lexicon: Lexicon = { language: '', alphabet: 'ipa', lexemes: [] }
  const path: string[] = []
  let lexeme: OpenLexeme | undefined
  let text = ''
  let alphabet = ''
  let prefer = false

  const parser = new SaxesParser({ xmlns: true })
  parser.on('error', (error) => {
    throw invalid(error.message)
  })
  parser.on('doctype', () => {
    throw invalid('a document type is not accepted')
  })
  parser.on('opentag', (tag) => {
    if (tag.uri !== PLS_NAMESPACE) {
      if (path.length === 0) throw invalid(`it starts with <${tag.name}>, not with a <lexicon> of ${PLS_NAMESPACE}`)
      path.push('')
      return
    }
    const attribute = (name: string): string => tag.attributes[name]?.value ?? ''
    if (path.length === 0) {
      if (tag.local !== 'lexicon') throw invalid(`it starts with <${tag.name}>`)
      lexicon.language = attribute('xml:lang')
      lexicon.alphabet = alphabetOf(attribute('alphabet') || 'ipa')
      if (!lexicon.language) throw invalid('its <lexicon> has no xml:lang')
    }
    path.push(tag.local)
    text = ''
    if (tag.local === 'lexeme') lexeme = { graphemes: [], pronunciations: [] }
    alphabet = attribute('alphabet')
    prefer = attribute('prefer') === 'true'
  })
  const hear = (more: string): void => {
    text += more
  }
  parser.on('text', hear)
  parser.on('cdata', hear)
  parser.on('closetag', (tag) => {
    path.pop()
    if (!lexeme || tag.uri !== PLS_NAMESPACE) return
    const said = text.replace(/\s+/g, ' ').trim()
    text = ''
    if (tag.local === 'grapheme' && said) lexeme.graphemes.push(said)
    if (tag.local === 'alias' && said) lexeme.pronunciations.push({ pronunciation: { alias: said }, prefer })
    if (tag.local === 'phoneme' && said) {
      lexeme.pronunciations.push({
        pronunciation: { alphabet: alphabetOf(alphabet || lexicon.alphabet), ph: said },
        prefer,
      })
    }
    if (tag.local === 'lexeme') {
      // A lexeme without a pronunciation is allowed (section 4.4) and says nothing.
      if (lexeme.graphemes.length > 0 && lexeme.pronunciations.length > 0) lexicon.lexemes.push(closed(lexeme))
      lexeme = undefined
    }
  })
  parser.write(xml.replace(/^\uFEFF/, '')).close()
  return lexicon
}

function closed({ graphemes, pronunciations }: OpenLexeme): Lexeme {
  const ordered = [...pronunciations.filter((one) => one.prefer), ...pronunciations.filter((one) => !one.prefer)]
  return { graphemes, pronunciations: ordered.map(({ pronunciation }) => pronunciation) }
}

/** Lexicons in the wild write 'x-SAMPA', 'X-SAMPA' and 'IPA'. */
const alphabetOf = (name: string): string => name.trim().toLowerCase()

const invalid = (why: string): Problem =>
  new Problem(400, 'lexicon_invalid', `The pronunciation lexicon can't be read: ${why}.`)
