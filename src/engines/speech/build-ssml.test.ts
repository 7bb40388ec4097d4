import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { validateXML } from 'xmllint-wasm'
import { compileLexicons } from './apply-lexicon.ts'
import { buildSsml, segmentRuns, type SegmentToSpeak } from './build-ssml.ts'
import type { Lexicon } from './lexicon.ts'
import { readSsml, speakable } from './spoken-runs.ts'

const XML_LANG = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/XML/1998/namespace">
  <xs:attribute name="lang"><xs:simpleType><xs:union memberTypes="xs:language"/></xs:simpleType></xs:attribute></xs:schema>`

async function faults(documents: string[]): Promise<string[]> {
  const schema = await readFile(new URL('./ssml-subset.xsd', import.meta.url), 'utf8')
  const { errors } = await validateXML({
    xml: documents.map((contents, i) => ({ fileName: `${i}.xml`, contents })),
    schema: [{ fileName: 'ssml.xsd', contents: schema }],
    preload: [{ fileName: 'xml-lang.xsd', contents: XML_LANG }],
  })
  return errors.map(({ message }) => message)
}

const lexicon: Lexicon = {
  language: 'en',
  alphabet: 'ipa',
  lexemes: [
    { graphemes: ['Wickham'], pronunciations: [{ alphabet: 'ipa', ph: 'ˈwɪkəm' }] },
    { graphemes: ['Mr.', 'Mr'], pronunciations: [{ alias: 'mister' }] },
    { graphemes: ['St. John'], pronunciations: [{ alias: 'Sinjin & "co" <x>' }] },
  ],
}
const match = compileLexicons([lexicon], 'en')

const whole: SegmentToSpeak = {
  text: 'Mr. Wickham & St. John said "adieu, mes amis" — <really>\u0007 so!\nHe left.',
  language: 'en-GB',
  voice: 'espeak:en-gb+m3',
  settings: { rate: 1.1, pitch: -5 },
  marks: [
    { start: 29, end: 45, kind: 'foreign', language: 'fr' },
    { start: 36, end: 45, kind: 'emphasis' },
    { start: 0, end: 3, kind: 'strong' },
  ],
  pauses: { line: 0.25 },
  lexicon: match,
}

test('a segment with everything in it', async () => {
  const ssml = buildSsml(whole)
  expect(ssml).toBe(
    '<speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-GB"><voice name="espeak:en-gb+m3"><prosody rate="110%" pitch="-5%">' +
      '<emphasis level="strong"><sub alias="mister">Mr.</sub></emphasis> <phoneme alphabet="ipa" ph="ˈwɪkəm">Wickham</phoneme> &amp; ' +
      '<sub alias="Sinjin &amp; &quot;co&quot; &lt;x&gt;">St. John</sub> said "<lang xml:lang="fr">adieu, </lang>' +
      '<lang xml:lang="fr"><emphasis level="moderate">mes amis"</emphasis></lang> — &lt;really&gt;  so!<break time="250ms"/>\nHe left.</prosody></voice></speak>',
  )
  expect(await faults([ssml])).toEqual([])
})

test('what is no SSML is found out by the schema', async () => {
  const speak = (body: string) =>
    `<speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en">${body}</speak>`
  for (const body of [
    '<phoneme>x</phoneme>',
    '<sub>x</sub>',
    '<emphasis level="loud">x</emphasis>',
    '<break time="long"/>',
    '<b>x</b>',
  ]) {
    expect(await faults([speak(body)])).not.toEqual([])
  }
})

const texts = fc.string({
  unit: fc.constantFrom(...'ab Mr.Wickham é日"\'&<>\n\u0000\u0008\ud83d\ude00\ufffe—'.split('')),
  maxLength: 50,
})
const segments: fc.Arbitrary<SegmentToSpeak> = texts.chain((text) => {
  const place = fc.nat({ max: text.length })
  const mark = fc
    .tuple(
      place,
      place,
      fc.constantFrom('emphasis', 'strong', 'foreign', 'phoneme'),
      fc.constantFrom('fr', 'es-419', 'not a tag', ''),
    )
    .map(([a, b, kind, language]) => ({
      start: Math.min(a, b),
      end: Math.max(a, b),
      kind: kind as 'emphasis',
      language,
      phoneme: { alphabet: 'ipa', ph: 'a"<' },
    }))
  return fc.record({
    text: fc.constant(text),
    language: fc.constantFrom('en', 'en-US', 'es-PE', 'not a tag'),
    voice: fc.constantFrom(undefined, 'espeak:en-us+Mr serious', 'azure:x"y'),
    settings: fc.record({
      rate: fc.double({ min: 0.25, max: 4, noNaN: true }),
      pitch: fc.integer({ min: -50, max: 50 }),
    }),
    marks: fc.array(mark, { maxLength: 5 }),
    pauses: fc.constantFrom(undefined, { line: 0.25 }),
    lexicon: fc.constantFrom(undefined, match),
  })
})

describe('whatever the segment', () => {
  test('its SSML is valid', async () => {
    const documents = fc.sample(segments, { numRuns: 150, seed: 7 }).map(buildSsml)
    expect(await faults(documents)).toEqual([])
  })

  test('its SSML says its text, unit for unit, and reads back as the same runs', () => {
    fc.assert(
      fc.property(segments, (segment) => {
        const runs = readSsml(buildSsml(segment))
        expect(runs.map(({ text }) => text).join('')).toBe(speakable(segment.text))
        expect(speakable(segment.text)).toHaveLength(segment.text.length)
        const phonemes = (list: typeof runs) =>
          list.filter((run) => run.phoneme).map(({ start, text, phoneme }) => ({ start, text, phoneme }))
        expect(phonemes(runs)).toEqual(phonemes(segmentRuns(segment)))
      }),
      { numRuns: 300 },
    )
  })
})

test('SSML that is broken, declares entities or is something else is refused', () => {
  for (const bad of [
    '<speak>',
    'text',
    '<lexicon/>',
    '<!DOCTYPE speak [<!ENTITY a "b">]><speak>&a;</speak>',
    '<speak>&nbsp;</speak>',
  ]) {
    expect(() => readSsml(bad)).toThrow(expect.objectContaining({ type: 'ssml_invalid', status: 400 }))
  }
})
