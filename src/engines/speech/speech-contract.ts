import { expect, test } from 'vitest'
import { Problem } from '../../kit/errors.ts'
import type { SpeechEngine } from './speech.ts'

export interface Contract {
  engine: () => SpeechEngine | Promise<SpeechEngine>
  /** A voice of the engine. */
  voice: string
  language: string
  /** True when it tells when each word is spoken. */
  timings: boolean
  /** True when calls cost money. */
  paid: boolean
}

/** What the rest of the system relies on, whoever speaks. Every engine's test file calls it. */
export function keepsTheSpeechContract({ engine: open, voice, language, timings, paid }: Contract): void {
  const text = 'The café, at 3.5 miles, was shut; "don’t worry", he said & left <quietly>.'
  const ask = { text, voice, language, settings: {} }

  test('its voices are its own, once each, with language, gender and age', async () => {
    const engine = await open()
    const voices = await engine.voices()
    expect(new Set(voices.map(({ id }) => id)).size).toBe(voices.length)
    expect(voices.map(({ id }) => id)).toContain(voice)
    for (const one of voices) {
      expect(one.id.startsWith(`${engine.provider}:`)).toBe(true)
      expect(one.provider).toBe(engine.provider)
      expect(one.languages.length).toBeGreaterThan(0)
      expect(one.name).not.toBe('')
    }
  })

  test('it speaks: audio with its type, a price when it is paid', async () => {
    const engine = await open()
    const spoken = await engine.synthesize(ask)
    expect(spoken.audio.length).toBeGreaterThan(44)
    expect(spoken.mediaType).toMatch(/^audio\//)
    if (paid)
      expect(spoken.billed).toMatchObject({
        service: engine.provider,
        units: expect.any(Number),
        costUsd: expect.any(Number),
      })
    else expect(spoken.billed).toBeNull()
    if (spoken.duration !== undefined) expect(spoken.duration).toBeGreaterThan(0)
  })

  test('word times are in order, inside the audio, and point at whole words of the text', async () => {
    const engine = await open()
    const { words, duration } = await engine.synthesize(ask)
    if (!timings) return expect(words).toEqual([])
    expect(words.map(({ start, end }) => text.slice(start, end))).toEqual(
      'The café at 3.5 miles was shut don’t worry he said left quietly'.split(' '),
    )
    let last = { end: 0, to: 0 }
    for (const word of words) {
      expect(word.start).toBeGreaterThanOrEqual(last.end)
      expect(word.from).toBeGreaterThanOrEqual(last.to - 0.0002)
      expect(word.to).toBeGreaterThanOrEqual(word.from)
      last = word
    }
    if (duration !== undefined) expect(last.to).toBeLessThanOrEqual(duration + 0.0002)
  })

  test('an unknown voice is a Problem', async () => {
    const engine = await open()
    const failure = await engine
      .synthesize({ ...ask, voice: `${engine.provider}:no-such-voice` })
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(Problem)
  })

  test('SSML that says another text is refused', async () => {
    const engine = await open()
    const ssml = `<speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="${language}">Else.</speak>`
    await expect(engine.synthesize({ ...ask, ssml })).rejects.toMatchObject({ type: 'ssml_mismatch' })
  })

  test('an aborted call rejects with the reason of its signal', async () => {
    const engine = await open()
    const reason = new Error('enough')
    await expect(engine.synthesize({ ...ask, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const call = engine.synthesize({ ...ask, signal: controller.signal })
    controller.abort(reason)
    await expect(call).rejects.toBe(reason)
  })
}
