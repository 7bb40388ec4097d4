import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import yauzl from 'yauzl'
import { compileLexicons } from '../../src/engines/speech/apply-lexicon.ts'
import { buildSsml } from '../../src/engines/speech/build-ssml.ts'
import { openEspeak } from '../../src/engines/speech/espeak.ts'
import { findWords } from '../../src/engines/speech/find-words.ts'
import { ipaToEspeak } from '../../src/engines/speech/ipa-to-espeak.ts'
import { parsePls } from '../../src/engines/speech/parse-pls.ts'
import { writePls } from '../../src/engines/speech/write-pls.ts'

const data = process.env.VOICEPRESS_CORPUS ?? fileURLToPath(new URL('../../../shared/data', import.meta.url))
const engine = openEspeak()
afterAll(() => engine.close())

async function entries(path: string, wanted: RegExp): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const zip = await yauzl.openPromise(path)
  for await (const entry of zip.eachEntry()) {
    if (!wanted.test(entry.fileName)) continue
    const chunks: Buffer[] = []
    for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer)
    found.set(entry.fileName, Buffer.concat(chunks).toString())
  }
  return found
}

describe('a book that carries its own pronunciations', () => {
  test('its lexicons are read, written, and spoken', async () => {
    const files = await entries(`${data}/books/georgia-pls-ssml.epub`, /\.pls$/)
    expect(files.size).toBeGreaterThan(0)
    for (const xml of files.values()) {
      const lexicon = parsePls(xml)
      expect(lexicon.lexemes.length).toBeGreaterThan(0)
      expect(parsePls(writePls(lexicon))).toEqual(lexicon)
      const match = compileLexicons([lexicon], lexicon.language)
      for (const { graphemes, pronunciations } of lexicon.lexemes) {
        const first = pronunciations[0]!
        if (!('alias' in first))
          expect(ipaToEspeak(first, lexicon.language), `${graphemes[0]} ${first.ph}`).toBeDefined()
        const text = `Then ${graphemes[0]} was seen.`
        const request = { text, language: lexicon.language, voice: 'espeak:en-us', settings: {} }
        const plain = await engine.synthesize(request)
        const told = await engine.synthesize({
          ...request,
          ssml: buildSsml({ text, language: lexicon.language, lexicon: match }),
        })
        expect(told.words.map(({ start, end }) => [start, end])).toEqual(
          plain.words.map(({ start, end }) => [start, end]),
        )
        expect(match(text)).toHaveLength(1)
      }
    }
  })

  test('phonemes written into its pages (ssml:ph) are all sounds that can be spoken', async () => {
    const pages = await entries(`${data}/books/georgia-pls-ssml.epub`, /\.x?html$/)
    const written = [...pages.values()].flatMap((page) =>
      [...page.matchAll(/ssml:ph="([^"]+)"/g)].map((match) => match[1]!),
    )
    expect(written.length).toBeGreaterThan(0)
    const unknown = written.filter(
      (ph) => ipaToEspeak({ alphabet: 'x-sampa', ph: ph.replaceAll('&quot;', '"') }, 'en') === undefined,
    )
    expect(unknown).toEqual([])
  })
})

test('a novel’s paragraphs: every word timed once, in order, and the same bytes in any order', async () => {
  const text = await readFile(`${data}/books/pride-and-prejudice.txt`, 'utf8')
  const paragraphs = text
    .split(/\r?\n\r?\n/)
    .map((part) => part.replace(/\s+/g, ' ').trim())
    .filter((part) => part.length > 0 && part.length < 2000)
    .slice(100, 220)
  const speak = (part: string, i: number) =>
    engine.synthesize({
      text: part,
      language: 'en',
      voice: ['espeak:en-gb+m7', 'espeak:en-gb+f3', 'espeak:en-gb'][i % 3]!,
      settings: {},
    })
  const first = await Promise.all(paragraphs.map(speak))
  for (const [i, { words, duration }] of first.entries()) {
    expect(words.map(({ start, end }) => ({ start, end }))).toEqual(findWords(paragraphs[i]!, 'en'))
    let at = 0
    let instant = 0
    for (const { from, to } of words) {
      expect(from).toBeGreaterThanOrEqual(at - 0.0002)
      if (to <= from) instant++
      at = to
    }
    expect(at).toBeLessThanOrEqual(duration! + 0.0002)
    expect(instant).toBe(0)
  }
  const again = await Promise.all(
    paragraphs
      .map((part, i) => ({ part, i }))
      .reverse()
      .map(({ part, i }) => speak(part, i)),
  )
  for (const [i, { audio }] of again.reverse().entries()) expect(Buffer.compare(audio, first[i]!.audio)).toBe(0)
})
