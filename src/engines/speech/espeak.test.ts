import { createHash } from 'node:crypto'
import { generateSpeech } from 'ai'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { espeakModel, openEspeak } from './espeak.ts'
import { findWords } from './find-words.ts'
import { keepsTheSpeechContract } from './speech-contract.ts'

const engine = openEspeak({ threads: 2 })
afterAll(() => engine.close())

const speak = (text: string, voice = 'espeak:en-us+f3', settings = {}, ssml?: string) =>
  engine.synthesize({ text, voice, language: 'en', settings, ssml })
const wordsOf = async (text: string, ssml?: string, voice = 'espeak:en-us') =>
  (await speak(text, voice, {}, ssml)).words.map(({ start, end }) => text.slice(start, end))
const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const ssmlOf = (body: string): string =>
  `<speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en">${body}</speak>`

describe('the contract', () => {
  keepsTheSpeechContract({ engine: () => engine, voice: 'espeak:en-us+f3', language: 'en', timings: true, paid: false })
})

test('WAV of 22,050 Hz, one channel, 16 bits, as long as it says', async () => {
  const { audio, duration } = await speak('Hello there.')
  const view = new DataView(audio.buffer, audio.byteOffset, audio.length)
  expect(Buffer.from(audio.subarray(0, 4)).toString()).toBe('RIFF')
  expect([view.getUint16(22, true), view.getUint32(24, true), view.getUint16(34, true)]).toEqual([1, 22_050, 16])
  expect(view.getUint32(40, true)).toBe(audio.length - 44)
  expect((audio.length - 44) / 2 / 22_050).toBeCloseTo(duration!, 6)
})

test('the same request gives the same bytes, whatever was spoken before', async () => {
  const requests = [
    ['It is a truth universally acknowledged.', 'espeak:en-us+f3'],
    ['It is a truth universally acknowledged.', 'espeak:en-us+m7'],
    ['Wo ist der Bahnhof?', 'espeak:de'],
    ['Где здесь вокзал?', 'espeak:ru+f2'],
    ['Breathy words, softly said.', 'espeak:en-gb+whisper'],
    ['A klatt voice has noise in it.', 'espeak:en-us+klatt4'],
  ] as const
  const first = new Map<string, string>()
  for (let round = 0; round < 12; round++) {
    const order = requests.map((_, i) => requests[(i * 5 + round) % requests.length]!)
    const spoken = await Promise.all(order.map(([text, voice]) => speak(text, voice)))
    for (const [i, [text, voice]] of order.entries()) {
      const digest = hash(spoken[i]!.audio)
      expect(first.get(text + voice) ?? digest).toBe(digest)
      first.set(text + voice, digest)
    }
  }
  const other = openEspeak({ threads: 1 })
  const again = await other.synthesize({ text: requests[0][0], voice: requests[0][1], language: 'en', settings: {} })
  await other.close()
  expect(hash(again.audio)).toBe(first.get(requests[0].join('')))
})

test('rate and pitch change what is heard', async () => {
  const text = 'The quick brown fox jumps over the lazy dog.'
  const [plain, fast, slow, high] = await Promise.all([
    speak(text),
    speak(text, undefined, { rate: 1.5 }),
    speak(text, undefined, { rate: 0.6 }),
    speak(text, undefined, { pitch: 30 }),
  ])
  expect(fast.duration!).toBeLessThan(plain.duration! * 0.8)
  expect(slow.duration!).toBeGreaterThan(plain.duration! * 1.4)
  expect(hash(high.audio)).not.toBe(hash(plain.audio))
})

describe('word times', () => {
  test.each([
    ['She said: 😀 “naïve café” — don’t!', ['She', 'said', 'naïve', 'café', 'don’t']],
    [
      '𝒜 well-known R&D <b>tag</b> [[x]] 50% off…or not',
      ['𝒜', 'well-known', 'R&D', 'b>tag', 'b', 'x', '50', 'off', 'or', 'not'],
    ],
    ['One of the best of the lot.', ['One', 'of', 'the', 'best', 'of', 'the', 'lot']],
    ['... !? —', []],
  ])('%s', async (text, words) => {
    expect(await wordsOf(text)).toEqual(words)
  })

  test('underscores around a word leave it its time', async () => {
    const { words } = await speak('“_You_ began the evening well,”')
    for (const { from, to } of words) expect(to - from).toBeGreaterThan(0.02)
  })

  test('scripts without spaces', async () => {
    const text = '我们今天去北京。'
    const { words } = await engine.synthesize({ text, voice: 'espeak:cmn', language: 'zh', settings: {} })
    expect(words.map(({ start, end }) => text.slice(start, end)).join('')).toBe('我们今天去北京')
    expect(words.at(-1)!.to).toBeGreaterThan(0.5)
  })

  test('an alias, a break, emphasis and another language leave the times on the words they stand for', async () => {
    const text = 'He met Dr. Bonn & said bonjour madame, twice.'
    const ssml = ssmlOf(
      'He met <sub alias="the old doctor">Dr.</sub> Bonn &amp; said <lang xml:lang="fr">bonjour madame</lang>,<break time="1500ms"/> <emphasis>twice</emphasis>.',
    )
    expect(await wordsOf(text, ssml)).toEqual(['He', 'met', 'Dr', 'Bonn', 'said', 'bonjour', 'madame', 'twice'])
    const { words } = await speak(text, 'espeak:en-us', {}, ssml)
    const plain = await speak(text, 'espeak:en-us')
    expect(words[2]!.to - words[2]!.from).toBeGreaterThan((plain.words[2]!.to - plain.words[2]!.from) * 1.3)
    expect(words[7]!.from - words[6]!.to).toBeGreaterThan(1.4)
  })

  test('whatever the text, each of its words is timed once, in order', async () => {
    const alphabet = fc.constantFrom(...'abcXYZ019 \n.,;!?\'"’“”-—&<>[]()/\\%é😀日ñß\u0000\u0007\ud800'.split(/(?:)/u))
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: alphabet, minLength: 1, maxLength: 60 }), async (text) => {
        const { words, duration } = await speak(text)
        expect(words.map(({ start, end }) => ({ start, end }))).toEqual(findWords(text, 'en'))
        let at = 0
        for (const { from, to } of words) {
          expect(from).toBeGreaterThanOrEqual(at - 0.0002)
          expect(to).toBeGreaterThanOrEqual(from)
          at = to
        }
        expect(at).toBeLessThanOrEqual(duration! + 0.0002)
      }),
      { numRuns: 120 },
    )
  })
})

test('a catalogue of languages and variants; whispers are never cast by themselves', async () => {
  const voices = await engine.voices()
  expect(new Set(voices.map((voice) => voice.id.split('+')[0])).size).toBeGreaterThan(130)
  expect(voices.find(({ id }) => id === 'espeak:en-us+f3')).toMatchObject({
    name: 'English (America), Female 3',
    gender: 'female',
    age: 'adult',
  })
  expect(voices.find(({ id }) => id === 'espeak:fr+grandpa')).toMatchObject({
    gender: 'male',
    age: 'elderly',
    languages: ['fr-FR', 'fr'],
  })
  for (const voice of voices) {
    expect(Intl.getCanonicalLocales(voice.languages)).toEqual(voice.languages)
    if (voice.id.includes('whisper')) expect(voice.castRank).toBeNull()
  }
})

test('the AI SDK speaks through it', async () => {
  const { audio } = await generateSpeech({ model: espeakModel(engine), text: 'Hello.', voice: 'en-gb+m3' })
  expect(audio.mediaType).toBe('audio/wav')
  expect(hash(audio.uint8Array)).toBe(hash((await speak('Hello.', 'espeak:en-gb+m3')).audio))
})

test('a text that is too long and a closed engine are Problems', async () => {
  await expect(speak('word '.repeat(5000))).rejects.toMatchObject({ type: 'text_too_long', status: 400 })
  const closed = openEspeak({ threads: 1 })
  const pending = closed.synthesize({ text: 'Hello.', voice: 'espeak:en', language: 'en', settings: {} })
  const outcome = expect(pending).rejects.toMatchObject({ type: 'speech_closed' })
  await closed.close()
  await outcome
})
