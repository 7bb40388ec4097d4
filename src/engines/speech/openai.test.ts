import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCompatible } from './compatible.ts'
import { sendJson, serveLoopback, silentWav, type Loopback } from './loopback.ts'
import { openOpenai } from './openai.ts'
import { KEY, QUICK, survivesItsProvider } from './provider-contract.ts'
import { keepsTheSpeechContract } from './speech-contract.ts'

let server: Loopback
beforeAll(async () => {
  server = await serveLoopback((call, response) => {
    if (call.headers.authorization !== `Bearer ${KEY}` && !call.path.startsWith('/kokoro'))
      return sendJson(response, 401, { error: { message: 'Incorrect API key' } })
    if (call.path === '/kokoro/v1/audio/voices')
      return sendJson(response, 200, {
        voices: ['af_bella', { id: 'bm_george', name: 'George' }, 'en_GB-alan-medium', 'narrator'],
      })
    if (!call.path.endsWith('/v1/audio/speech'))
      return sendJson(response, 404, { error: { message: `no route ${call.path}` } })
    const { input, voice } = JSON.parse(call.body) as { input: string; voice: string }
    if (voice === 'no-such-voice')
      return sendJson(response, 400, { error: { message: 'Invalid voice', type: 'invalid_request_error' } })
    response.writeHead(200, { 'content-type': 'audio/wav' }).end(silentWav(input.length / 15))
  })
})
afterAll(() => server.close())

const open = (more: Partial<Parameters<typeof openOpenai>[0]> = {}) =>
  openOpenai({ apiKey: KEY, baseUrl: `${server.url}/v1`, retry: QUICK, ...more })
const kokoro = (more: Partial<Parameters<typeof openCompatible>[0]> = {}) =>
  openCompatible({ provider: 'kokoro', baseUrl: `${server.url}/kokoro/v1/`, model: 'kokoro', retry: QUICK, ...more })
const last = () => JSON.parse(server.calls.at(-1)!.body) as Record<string, unknown>

describe('OpenAI', () => {
  keepsTheSpeechContract({ engine: () => open(), voice: 'openai:coral', language: 'en', timings: false, paid: true })
  survivesItsProvider({ server: () => server, open: (retry) => open({ retry }), voice: 'openai:coral', name: 'OpenAI' })

  test('what is sent: the text with its aliases, the voice, the rate, a style as instructions', async () => {
    const ssml = '<speak version="1.1" xml:lang="en">Hi <sub alias="mister">Mr</sub> X &amp; Y.</speak>'
    const settings = { rate: 1.25, style: 'whispering', pitch: 10 }
    const spoken = await open().synthesize({
      text: 'Hi Mr X & Y.',
      ssml,
      voice: 'openai:onyx',
      language: 'en',
      settings,
    })
    expect(last()).toEqual({
      model: 'gpt-4o-mini-tts',
      input: 'Hi mister X & Y.',
      voice: 'onyx',
      response_format: 'wav',
      speed: 1.25,
      instructions: 'whispering',
    })
    expect(spoken.duration).toBeCloseTo(16 / 15, 3)
    expect(spoken.billed).toMatchObject({ service: 'openai', operation: 'speech', unitType: 'seconds' })
    expect(spoken.billed!.costUsd).toBeCloseTo((0.015 * 16) / 15 / 60 + 16 * 0.15e-6, 7)
  })

  test('the older models have fewer voices, no instructions and a price by the character', async () => {
    const engine = open({ model: 'tts-1-hd' })
    expect((await engine.voices()).map(({ id }) => id)).not.toContain('openai:marin')
    const { billed } = await engine.synthesize({
      text: 'x'.repeat(1000),
      voice: 'openai:nova',
      language: 'en',
      settings: { style: 'sad' },
    })
    expect(last()).not.toHaveProperty('instructions')
    expect(billed).toEqual({
      service: 'openai',
      operation: 'speech',
      units: 1000,
      unitType: 'characters',
      costUsd: 0.03,
    })
  })
})

describe('a server that follows OpenAI', () => {
  keepsTheSpeechContract({
    engine: () => kokoro(),
    voice: 'kokoro:af_bella',
    language: 'en',
    timings: false,
    paid: false,
  })
  survivesItsProvider({
    server: () => server,
    open: (retry) => kokoro({ retry }),
    voice: 'kokoro:af_bella',
    name: 'kokoro',
  })

  test('its voices tell language and gender by their names', async () => {
    expect(await kokoro({ local: true }).voices()).toMatchObject([
      { id: 'kokoro:af_bella', languages: ['en-US'], gender: 'female', local: true },
      { id: 'kokoro:bm_george', languages: ['en-GB'], gender: 'male' },
      { id: 'kokoro:en_GB-alan-medium', languages: ['en-GB'], gender: 'neutral' },
      { id: 'kokoro:narrator', languages: ['*'] },
    ])
  })

  test('a server that lists none is given its voices; otherwise it says what is missing', async () => {
    const bare = { baseUrl: `${server.url}/bare/v1`, apiKey: KEY }
    expect((await kokoro({ ...bare, voices: ['anna'] }).voices())[0]).toMatchObject({
      id: 'kokoro:anna',
      languages: ['*'],
    })
    await expect(kokoro(bare).voices()).rejects.toMatchObject({ type: 'provider_refused' })
  })

  test('no key is sent where none is given, and an installation’s own price counts', async () => {
    const prices = [{ provider: 'kokoro', model: '', perMinute: 0.6, asOf: '2026-11-20', source: 'own' }]
    const { billed, duration } = await kokoro({ prices }).synthesize({
      text: 'Hello there.',
      voice: 'kokoro:af_bella',
      language: 'en',
      settings: {},
    })
    expect(server.calls.at(-1)!.headers.authorization).toBe('Bearer none')
    expect(billed!.costUsd).toBeCloseTo(duration! / 100, 6)
  })
})
