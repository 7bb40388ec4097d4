import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openElevenlabs } from './elevenlabs.ts'
import { sendJson, serveLoopback, silentWav, type Loopback } from './loopback.ts'
import { KEY, QUICK, survivesItsProvider } from './provider-contract.ts'
import { keepsTheSpeechContract } from './speech-contract.ts'

const PAGES = [
  {
    voices: [
      {
        voice_id: 'abc',
        name: 'Rachel',
        labels: { gender: 'female', age: 'young', accent: 'american', language: 'en' },
      },
    ],
    has_more: true,
    next_page_token: 'p 2',
  },
  {
    voices: [
      {
        voice_id: 'def',
        name: 'Bill',
        labels: { gender: 'male', age: 'middle aged' },
        verified_languages: [{ language: 'es', locale: 'es-MX' }],
      },
    ],
    has_more: false,
  },
]

/** A tenth of a second a character. */
const align = (text: string) => {
  const characters = [...text]
  return {
    characters,
    character_start_times_seconds: characters.map((_, i) => i / 10),
    character_end_times_seconds: characters.map((_, i) => (i + 1) / 10),
  }
}

let server: Loopback
beforeAll(async () => {
  server = await serveLoopback((call, response) => {
    if (call.headers['xi-api-key'] !== KEY)
      return sendJson(response, 401, { detail: { status: 'invalid_api_key', message: 'Invalid API key' } })
    if (call.path.startsWith('/v2/voices'))
      return sendJson(response, 200, PAGES[call.path.includes('next_page_token=p%202') ? 1 : 0])
    const voice = /^\/v1\/text-to-speech\/([^/]+)\/with-timestamps\?output_format=mp3_44100_128$/.exec(call.path)?.[1]
    if (!voice) return sendJson(response, 404, { detail: 'Not Found' })
    if (voice === 'no-such-voice')
      return sendJson(response, 404, { detail: { status: 'voice_not_found', message: 'A voice was not found.' } })
    const { text } = JSON.parse(call.body) as { text: string }
    const answer = {
      audio_base64: silentWav(0.1).toString('base64'),
      alignment: align(text),
      normalized_alignment: null,
    }
    sendJson(response, 200, answer, text.startsWith('Costly') ? { 'character-cost': '77' } : {})
  })
})
afterAll(() => server.close())

const open = (more: Partial<Parameters<typeof openElevenlabs>[0]> = {}) =>
  openElevenlabs({ apiKey: KEY, baseUrl: server.url, retry: QUICK, ...more })
const last = () => JSON.parse(server.calls.at(-1)!.body) as Record<string, unknown>

describe('ElevenLabs', () => {
  keepsTheSpeechContract({ engine: () => open(), voice: 'elevenlabs:abc', language: 'en', timings: true, paid: true })
  survivesItsProvider({
    server: () => server,
    open: (retry) => open({ retry }),
    voice: 'elevenlabs:abc',
    name: 'ElevenLabs',
  })

  test('voices, page by page', async () => {
    expect(await open().voices()).toMatchObject([
      { id: 'elevenlabs:abc', name: 'Rachel', gender: 'female', age: 'young_adult', languages: ['en', '*'] },
      { id: 'elevenlabs:def', gender: 'male', age: 'adult', languages: ['es-MX', '*'] },
    ])
  })

  test('characters’ times become words’ times, through aliases, breaks and emoji', async () => {
    const text = 'Hi Mr 😀 Bonn, no.'
    const ssml =
      '<speak version="1.1" xml:lang="en">Hi <sub alias="mister">Mr</sub> 😀 Bonn,<break time="9s"/> no.</speak>'
    const { words } = await open().synthesize({
      text,
      ssml,
      voice: 'elevenlabs:abc',
      language: 'en',
      settings: { rate: 3 },
    })
    expect(last()).toEqual({
      text: 'Hi mister 😀 Bonn, <break time="3s" />  no.',
      model_id: 'eleven_multilingual_v2',
      voice_settings: { speed: 1.2 },
    })
    expect(words.map(({ start, end, from }) => [text.slice(start, end), from])).toEqual([
      ['Hi', 0],
      ['Mr', 0.3],
      ['Bonn', 1.2],
      ['no', 3.9],
    ])
    expect(words[2]!.to).toBeCloseTo(1.6)
  })

  test('what the answer says it cost is what is billed', async () => {
    const { billed } = await open().synthesize({
      text: 'Costly.',
      voice: 'elevenlabs:abc',
      language: 'en',
      settings: {},
    })
    expect(billed).toEqual({
      service: 'elevenlabs',
      operation: 'speech',
      units: 77,
      unitType: 'characters',
      costUsd: 0.0077,
    })
  })

  test('the quick models are told the language', async () => {
    await open({ model: 'eleven_flash_v2_5' }).synthesize({
      text: 'Hola.',
      voice: 'elevenlabs:abc',
      language: 'es-PE',
      settings: {},
    })
    expect(last()).toMatchObject({ language_code: 'es', model_id: 'eleven_flash_v2_5' })
  })

  test.each([['{}'], ['{"audio_base64":""}'], ['{"audio_base64":'], ['[1]']])(
    'an answer that is no answer (%s) is named',
    async (body) => {
      server.instead.push((response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(body))
      const call = open().synthesize({ text: 'Hello.', voice: 'elevenlabs:abc', language: 'en', settings: {} })
      await expect(call).rejects.toMatchObject({ type: 'provider_answer_invalid', status: 502 })
    },
  )
})
