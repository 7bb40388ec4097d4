import { afterAll, describe, expect, test } from 'vitest'
import { Problem } from '../../kit/errors.ts'
import { openSpeech } from './open-speech.ts'
import { openOpenai } from './openai.ts'
import { openCompatible } from './compatible.ts'

const speech = openSpeech({
  espeak: { threads: 1 },
  engines: [
    openOpenai({ apiKey: 'none' }),
    openCompatible({
      provider: 'kokoro',
      baseUrl: 'http://127.0.0.1:9/v1',
      model: 'kokoro',
      retry: { attempts: 1, timeout: 2 },
    }),
  ],
})
afterAll(() => speech.close())

describe('one door to all voices', () => {
  test('voices of all providers; one that doesn’t answer is named and stops nothing', async () => {
    const { voices, failed } = await speech.voices()
    expect(new Set(voices.map(({ provider }) => provider))).toEqual(new Set(['espeak', 'openai']))
    expect(failed).toEqual([{ provider: 'kokoro', problem: expect.any(Problem) }])
  })

  test('a voice is spoken by its engine', async () => {
    expect(speech.engineOf('openai:coral').provider).toBe('openai')
    const { mediaType } = await speech.synthesize({ text: 'Hello.', voice: 'espeak:en', language: 'en', settings: {} })
    expect(mediaType).toBe('audio/wav')
  })

  test.each(['nobody:x', 'espeak', '', ':x'])('no provider has %j', async (voice) => {
    await expect(speech.synthesize({ text: 'Hello.', voice, language: 'en', settings: {} })).rejects.toMatchObject({
      type: 'voice_unknown',
      status: 404,
    })
  })

  test('two providers of one name are a mistake', () => {
    expect(() => openSpeech({ engines: [openOpenai({ apiKey: 'a' }), openOpenai({ apiKey: 'b' })] })).toThrow(Problem)
  })
})
