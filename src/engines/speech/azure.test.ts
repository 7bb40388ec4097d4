import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { azureSsml, openAzureSpeech } from './azure.ts'
import { sendJson, serveLoopback, silentWav, type Loopback } from './loopback.ts'
import { KEY, QUICK, survivesItsProvider } from './provider-contract.ts'
import { keepsTheSpeechContract } from './speech-contract.ts'
import { readSsml } from './spoken-runs.ts'

const VOICES = [
  {
    Name: 'Microsoft …',
    DisplayName: 'Jenny',
    LocalName: 'Jenny',
    ShortName: 'en-US-JennyNeural',
    Gender: 'Female',
    Locale: 'en-US',
    VoiceType: 'Neural',
    StyleList: ['cheerful'],
  },
  { DisplayName: 'Ana', ShortName: 'en-US-AnaNeural', Gender: 'Female', Locale: 'en-US' },
  {
    DisplayName: 'Andrew',
    ShortName: 'en-US-AndrewMultilingualNeural',
    Gender: 'Male',
    Locale: 'en-US',
    SecondaryLocaleList: ['es-MX'],
  },
  { DisplayName: 'Alex', ShortName: 'es-PE-AlexNeural', Gender: 'Neutral', Locale: 'es-PE' },
]

let server: Loopback
beforeAll(async () => {
  server = await serveLoopback((call, response) => {
    if (call.headers['ocp-apim-subscription-key'] !== KEY) return void response.writeHead(401).end()
    if (call.path === '/cognitiveservices/voices/list') return sendJson(response, 200, VOICES)
    const valid =
      call.path === '/cognitiveservices/v1' &&
      call.headers['x-microsoft-outputformat'] &&
      call.headers['content-type']?.startsWith('application/ssml+xml')
    if (!valid || call.body.includes('no-such-voice'))
      return void response.writeHead(400, { 'content-type': 'text/plain' }).end('Unsupported voice no-such-voice.')
    readSsml(call.body)
    response.writeHead(200, { 'content-type': 'audio/x-wav' }).end(silentWav(1.5))
  })
})
afterAll(() => server.close())

const open = (retry = QUICK) => openAzureSpeech({ apiKey: KEY, baseUrl: server.url, retry })

describe('Azure Speech', () => {
  keepsTheSpeechContract({
    engine: () => open(),
    voice: 'azure:en-US-JennyNeural',
    language: 'en-US',
    timings: false,
    paid: true,
  })
  survivesItsProvider({ server: () => server, open, voice: 'azure:en-US-JennyNeural', name: 'Azure Speech' })

  test('voices', async () => {
    expect(await open().voices()).toMatchObject([
      { id: 'azure:en-US-JennyNeural', name: 'Jenny (en-US)', languages: ['en-US'], gender: 'female', age: 'adult' },
      { id: 'azure:en-US-AnaNeural', age: 'child' },
      { id: 'azure:en-US-AndrewMultilingualNeural', languages: ['en-US', 'es-MX'], gender: 'male' },
      { id: 'azure:es-PE-AlexNeural', gender: 'neutral' },
    ])
  })

  test('its SSML: style around prosody around the marked text; other languages for multilingual voices only', () => {
    const text = 'He said bonjour, twice.'
    const ssml =
      '<speak version="1.1" xml:lang="en">He said <lang xml:lang="fr">bonjour</lang>,<break time="300ms"/> <emphasis>twice</emphasis>.</speak>'
    const request = { text, ssml, voice: '', language: 'en-US', settings: { rate: 0.9, style: 'sad "x"' } }
    expect(azureSsml(request, 'en-US-AndrewMultilingualNeural').document).toBe(
      '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xmlns:mstts="https://www.w3.org/2001/mstts" xml:lang="en-US">' +
        '<voice name="en-US-AndrewMultilingualNeural"><mstts:express-as style="sad &quot;x&quot;"><prosody rate="90%">He said <lang xml:lang="fr">bonjour</lang>,' +
        '<break time="300ms"/> <emphasis level="moderate">twice</emphasis>.</prosody></mstts:express-as></voice></speak>',
    )
    expect(azureSsml(request, 'en-US-JennyNeural').document).not.toContain('<lang')
  })

  test('billed are all characters inside the voice, Chinese ones twice', async () => {
    const { billed } = await open().synthesize({
      text: '你好 R&D',
      voice: 'azure:zh-CN-XiaoxiaoNeural',
      language: 'zh-CN',
      settings: {},
    })
    expect(billed).toEqual({
      service: 'azure',
      operation: 'speech',
      units: 12,
      unitType: 'characters',
      costUsd: 0.00018,
    })
  })

  test('without a region and a base URL it can’t be opened', () => {
    expect(() => openAzureSpeech({ apiKey: KEY })).toThrow(expect.objectContaining({ type: 'speech_misconfigured' }))
  })
})
