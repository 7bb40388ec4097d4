import { z } from 'zod'
import { Problem } from '../../kit/errors.ts'
import { languageTag, writeProsody, writeRun } from './build-ssml.ts'
import { providerFetch, type RetryOptions } from './call-provider.ts'
import type { Gender } from '../language/cast.ts'
import { billSpeech, type Price } from './prices.ts'
import type { SpeechEngine, Synthesis, SynthesisRequest, Voice } from './speech.ts'
import { spokenRuns, type SpokenRun } from './spoken-runs.ts'
import { wavDuration } from './wav-duration.ts'
import { xmlAttribute } from './write-xml.ts'

export interface AzureSpeechOptions {
  apiKey: string
  /** 'westeurope'; either this or baseUrl. */
  region?: string
  baseUrl?: string
  /** X-Microsoft-OutputFormat; 'riff-24khz-16bit-mono-pcm' when absent. */
  format?: string
  concurrency?: number
  prices?: Price[]
  retry?: RetryOptions
}

const Voices = z.array(
  z.object({
    ShortName: z.string(),
    DisplayName: z.string(),
    LocalName: z.string().optional(),
    Gender: z.string(),
    Locale: z.string(),
    SecondaryLocaleList: z.array(z.string()).optional(),
  }),
)

/** Children among the standard voices; the list of voices tells no age. */
const CHILDREN = new Set(
  'de-DE-GiselaNeural en-GB-MaisieNeural en-US-AnaNeural es-MX-MarinaNeural fr-FR-EloiseNeural it-IT-PierinaNeural ja-JP-AoiNeural ko-KR-SeoHyeonNeural pt-BR-LeticiaNeural zh-CN-XiaoshuangNeural zh-CN-XiaoyouNeural'.split(
    ' ',
  ),
)
/** An answer holds ten minutes of audio at most. */
const MAX_CHARACTERS = 6000

/**
 * Azure Speech over REST: SSML with its own express-as for a style. Word boundaries are only in its streaming protocol, so there are no word times.
 * Voices whose names say HD are priced as such.
 */
export function openAzureSpeech(options: AzureSpeechOptions): SpeechEngine {
  const base = (
    options.baseUrl ?? (options.region ? `https://${options.region}.tts.speech.microsoft.com` : '')
  ).replace(/\/+$/, '')
  if (!base) throw new Problem(500, 'speech_misconfigured', 'Azure Speech needs a region or a base URL.')
  const format = options.format ?? 'riff-24khz-16bit-mono-pcm'
  const link = { name: 'Azure Speech', secrets: [options.apiKey], retry: options.retry }
  const speak = providerFetch({ ...link, accepts: /^(audio\/|application\/octet-stream)/ })
  const list = providerFetch({ ...link, accepts: /json/ })
  const headers = { 'ocp-apim-subscription-key': options.apiKey, 'user-agent': 'voicepress' }

  return {
    provider: 'azure',
    version: `azure/${format}/1`,
    maxCharacters: MAX_CHARACTERS,
    concurrency: options.concurrency ?? 8,
    async voices() {
      const answer = await list(`${base}/cognitiveservices/voices/list`, { headers })
      const parsed = Voices.safeParse(await answer.json().catch(() => null))
      if (!parsed.success)
        throw new Problem(502, 'provider_answer_invalid', 'Azure Speech gave no list of voices.', {
          provider: link.name,
        })
      return parsed.data.map(toVoice)
    },
    async synthesize(request: SynthesisRequest): Promise<Synthesis> {
      request.signal?.throwIfAborted()
      const name = request.voice.replace(/^azure:/, '')
      const { document, billable } = azureSsml(request, name)
      const response = await speak(`${base}/cognitiveservices/v1`, {
        method: 'POST',
        headers: {
          ...headers,
          'content-type': 'application/ssml+xml; charset=utf-8',
          'x-microsoft-outputformat': format,
        },
        body: document,
        signal: request.signal,
      })
      const audio = new Uint8Array(await response.arrayBuffer())
      const duration = wavDuration(audio)
      const model = /HD|Dragon/.test(name) ? 'neural-hd' : 'neural'
      return {
        audio,
        mediaType: format.startsWith('riff') ? 'audio/wav' : (response.headers.get('content-type') ?? 'audio/mpeg'),
        duration,
        words: [],
        billed: billSpeech('azure', model, { characters: billable, seconds: duration }, options.prices),
      }
    },
    close: async () => {},
  }
}

/**
 * The request's SSML as Azure takes it, and the characters it bills: all inside <voice>, markup too, each Chinese character twice
 * (Azure AI services, "Text to speech overview", billable characters).
 */
export function azureSsml(request: SynthesisRequest, voice: string): { document: string; billable: number } {
  const languages = /Multilingual/i.test(voice)
  let body = spokenRuns(request)
    .map((run) => writeRun(languages ? run : inOneLanguage(run)))
    .join('')
  const prosody = writeProsody(request.settings)
  if (prosody) body = `<prosody ${prosody}>${body}</prosody>`
  const { style } = request.settings
  if (style) body = `<mstts:express-as style="${xmlAttribute(style)}">${body}</mstts:express-as>`
  const namespaces = 'xmlns="http://www.w3.org/2001/10/synthesis" xmlns:mstts="https://www.w3.org/2001/mstts"'
  // Azure knows version 1.0 only; what is used of 1.1 is the same.
  const document = `<speak version="1.0" ${namespaces} xml:lang="${languageTag(request.language)}"><voice name="${xmlAttribute(voice)}">${body}</voice></speak>`
  return { document, billable: [...body].length + (body.match(/\p{sc=Han}/gu)?.length ?? 0) }
}

/** Voices of one language refuse <lang>. */
const inOneLanguage = ({ language: _language, ...run }: SpokenRun): SpokenRun => run

function toVoice(voice: z.infer<typeof Voices>[number]): Voice {
  const gender = voice.Gender.toLowerCase()
  return {
    id: `azure:${voice.ShortName}`,
    provider: 'azure',
    name: `${voice.DisplayName} (${voice.Locale})`,
    languages: [voice.Locale, ...(voice.SecondaryLocaleList ?? [])],
    gender: gender === 'male' || gender === 'female' ? (gender satisfies Gender) : 'neutral',
    age: CHILDREN.has(voice.ShortName) ? 'child' : 'adult',
    local: false,
  }
}
