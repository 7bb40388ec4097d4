import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileLexicons } from './apply-lexicon.ts'
import { ipaToEspeak } from './ipa-to-espeak.ts'
import type { Lexicon } from './lexicon.ts'
import { parsePls } from './parse-pls.ts'
import { writePls } from './write-pls.ts'
import { xSampaToIpa } from './x-sampa-to-ipa.ts'

const pls = (lexemes: string, attributes = 'alphabet="ipa" xml:lang="en-US"'): string =>
  `<?xml version="1.0"?><lexicon version="1.0" xmlns="http://www.w3.org/2005/01/pronunciation-lexicon" ${attributes}>${lexemes}</lexicon>`

describe('reading PLS', () => {
  test('several graphemes, aliases, alphabets, preference; roles, examples and foreign elements left out', () => {
    const xml = pls(`<meta name="a" content="b"/><metadata><x xmlns="urn:x"><grapheme>no</grapheme></x></metadata>
      <lexeme role="c:noun" xmlns:c="urn:c"><grapheme>centre</grapheme><grapheme> center
      </grapheme><phoneme>ˈsɛntər</phoneme><phoneme prefer="true" alphabet="X-SAMPA">"sEnt@r</phoneme><example>in the centre</example></lexeme>
      <lexeme><grapheme>W3C</grapheme><alias>World Wide <!-- x -->Web Consortium</alias></lexeme>
      <lexeme><grapheme>silent</grapheme></lexeme>`)
    expect(parsePls(xml)).toEqual({
      language: 'en-US',
      alphabet: 'ipa',
      lexemes: [
        {
          graphemes: ['centre', 'center'],
          pronunciations: [
            { alphabet: 'x-sampa', ph: '"sEnt@r' },
            { alphabet: 'ipa', ph: 'ˈsɛntər' },
          ],
        },
        { graphemes: ['W3C'], pronunciations: [{ alias: 'World Wide Web Consortium' }] },
      ],
    })
  })

  test.each([
    ['not XML', 'hello'],
    ['cut off', pls('<lexeme>').slice(0, -20)],
    ['another root', '<html/>'],
    ['another namespace', '<lexicon version="1.0" xml:lang="en"/>'],
    ['no language', pls('', 'alphabet="ipa"')],
    [
      'an entity bomb',
      `<!DOCTYPE lexicon [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>${pls('<lexeme><grapheme>&b;</grapheme></lexeme>')}`,
    ],
    ['an unknown entity', pls('<lexeme><grapheme>&eacute;</grapheme></lexeme>')],
    ['nothing', ''],
  ])('%s is refused', (_, xml) => {
    expect(() => parsePls(xml)).toThrow(expect.objectContaining({ type: 'lexicon_invalid', status: 400 }))
  })

  test('what is written is read back', () => {
    const word = fc
      .string({ unit: fc.constantFrom(...'aéß日<>&"\' x'.split('')), minLength: 1, maxLength: 8 })
      .map((text) => `w${text.replace(/\s+/g, ' ').trim()}`)
    const pronunciation = fc.oneof(
      fc.record({ alias: word }),
      fc.record({ alphabet: fc.constantFrom('ipa', 'x-sampa'), ph: word }),
    )
    const lexeme = fc.record({
      graphemes: fc.array(word, { minLength: 1, maxLength: 3 }),
      pronunciations: fc.array(pronunciation, { minLength: 1, maxLength: 3 }),
    })
    const lexicons = fc.record({
      language: fc.constantFrom('en', 'es-PE'),
      alphabet: fc.constantFrom('ipa', 'x-sampa'),
      lexemes: fc.array(lexeme, { maxLength: 5 }),
    })
    fc.assert(
      fc.property(lexicons, (lexicon: Lexicon) => {
        expect(parsePls(writePls(lexicon))).toEqual(lexicon)
      }),
    )
  })

  test('random bytes never hang it nor fail in another way', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'<>/&;="![]- lexicongraphemealiasxmlns:'.split('')), maxLength: 80 }),
        (junk) => {
          try {
            parsePls(pls(junk))
          } catch (error) {
            expect(error).toMatchObject({ type: 'lexicon_invalid' })
          }
        },
      ),
    )
  })
})

describe('finding words', () => {
  const lexicon: Lexicon = {
    language: 'en-GB',
    alphabet: 'ipa',
    lexemes: [
      { graphemes: ['live'], pronunciations: [{ alias: 'LIV' }] },
      { graphemes: ['US'], pronunciations: [{ alias: 'you ess' }] },
      { graphemes: ['New York'], pronunciations: [{ alias: 'NY' }] },
      { graphemes: ['New'], pronunciations: [{ alias: 'N' }] },
      { graphemes: ['Mr.'], pronunciations: [{ alias: 'mister' }] },
      { graphemes: ['𝒜b'], pronunciations: [{ alias: 'A' }] },
      { graphemes: ['US'], pronunciations: [{ alias: 'never' }] },
    ],
  }
  const found = (text: string, language = 'en-US'): string[] =>
    compileLexicons(
      [lexicon],
      language,
    )(text).map(
      ({ start, end, pronunciation }) =>
        `${text.slice(start, end)}=${'alias' in pronunciation ? pronunciation.alias : ''}`,
    )

  test.each([
    ['Live and live, alive; lives.', ['Live=LIV', 'live=LIV']],
    ['Tell us of the US.', ['US=you ess']],
    ['New York is New.', ['New York=NY', 'New=N']],
    ['Mr.Smith and Mr. Bond’s', ['Mr.=mister', 'Mr.=mister']],
    ['x𝒜b 𝒜b', ['𝒜b=A']],
    ['live’s “live”', ['live=LIV', 'live=LIV']],
    ['', []],
  ])('%s', (text, hits) => expect(found(text)).toEqual(hits))

  test('a lexicon of another language is left out', () => expect(found('live', 'fr')).toEqual([]))
})

test('X-SAMPA in IPA', () => {
  expect(xSampaToIpa('"kQn@%tEkst')).toBe('ˈkɒnəˌtɛkst')
  expect(xSampaToIpa('b{th~r\\`3`@U')).toBe('bæth\u0303ɻɝəʊ')
})

test('IPA in eSpeak NG’s names; what has none is left to the spelling', () => {
  expect(ipaToEspeak({ alphabet: 'ipa', ph: 'ˈbɛnɪt' }, 'en-GB')?.replaceAll('|', '')).toBe("'bEnIt")
  expect(ipaToEspeak({ alphabet: 'x-sampa', ph: 'xor"xe' }, 'es')?.replaceAll('|', '')).toBe("xoR'xe")
  expect(ipaToEspeak({ alphabet: 'ipa', ph: 'bɔ̃ʒuʁ' }, 'fr')?.replaceAll('|', '')).toBe('bO~Zur')
  expect(ipaToEspeak({ alphabet: 'ipa', ph: 't͡ʃaɪ' }, 'en')).toBe('tSaI')
  expect(ipaToEspeak({ alphabet: 'ipa', ph: 'ǃʘ' }, 'en')).toBeUndefined()
  expect(ipaToEspeak({ alphabet: 'x-kirshenbaum', ph: 'a' }, 'en')).toBeUndefined()
})
