import { createOpenAI } from '@ai-sdk/openai'
import { providerFetch, type RetryOptions } from './call-provider.ts'
import type { AgeRange, Gender } from '../language/cast.ts'
import { toPlainText } from './plain-text.ts'
import { billSpeech, type Price } from './prices.ts'
import type { SpeechEngine, Synthesis, SynthesisRequest, Voice } from './speech.ts'
import { spokenRuns } from './spoken-runs.ts'
import { wavDuration } from './wav-duration.ts'

export interface OpenaiOptions {
  apiKey: string
  /** 'https://api.openai.com/v1' when absent. */
  baseUrl?: string
  /** 'gpt-4o-mini-tts' when absent. */
  model?: string
  /** 'wav' when absent. */
  format?: 'wav' | 'flac' | 'mp3' | 'opus' | 'aac'
  concurrency?: number
  prices?: Price[]
  retry?: RetryOptions
}

const AUDIO = /^(audio\/|application\/octet-stream)/
const MEDIA_TYPES = { wav: 'audio/wav', flac: 'audio/flac', mp3: 'audio/mpeg', opus: 'audio/ogg', aac: 'audio/aac' }
/** Of POST /v1/audio/speech. */
const MAX_CHARACTERS = 4096

const row = (name: string, gender: Gender, age: AgeRange, castRank: number) => ({ name, gender, age, castRank })

/** OpenAI publishes no gender or age: judged by how its samples sound. */
const VOICES = [
  row('alloy', 'neutral', 'adult', 20),
  row('ash', 'male', 'adult', 12),
  row('ballad', 'male', 'young_adult', 13),
  row('cedar', 'male', 'adult', 10),
  row('coral', 'female', 'young_adult', 11),
  row('echo', 'male', 'adult', 14),
  row('fable', 'neutral', 'young_adult', 15),
  row('marin', 'female', 'adult', 10),
  row('nova', 'female', 'young_adult', 12),
  row('onyx', 'male', 'adult', 11),
  row('sage', 'female', 'adult', 13),
  row('shimmer', 'female', 'adult', 14),
  row('verse', 'male', 'young_adult', 15),
]
/** Known to gpt-4o-mini-tts only. */
const NEWER = new Set(['ballad', 'cedar', 'marin', 'verse'])

/**
 * OpenAI's speech through the AI SDK. It takes plain text: aliases are said, phonemes and pauses are not. A style goes with the text as instructions,
 * which tts-1 doesn't take. It gives no word times.
 */
export function openOpenai(options: OpenaiOptions): SpeechEngine {
  const model = options.model ?? 'gpt-4o-mini-tts'
  const speak = openaiSpeaker('openai', 'OpenAI', model, options)
  const older = model.startsWith('tts-1')
  return {
    provider: 'openai',
    version: `openai/${model}/1`,
    maxCharacters: MAX_CHARACTERS,
    concurrency: options.concurrency ?? 8,
    voices: async () =>
      VOICES.filter(({ name }) => !(older && NEWER.has(name))).map(
        ({ name, ...rest }): Voice => ({
          id: `openai:${name}`,
          provider: 'openai',
          name: capital(name),
          languages: ['*'],
          local: false,
          ...rest,
        }),
      ),
    synthesize: (request) => speak(request, older ? undefined : request.settings.style),
    close: async () => {},
  }
}

export interface SpeakerOptions extends Pick<OpenaiOptions, 'baseUrl' | 'format' | 'prices' | 'retry'> {
  apiKey?: string
}

/** Speaks through POST {base}/audio/speech, which OpenAI and the servers that follow it have. */
export function openaiSpeaker(
  provider: string,
  name: string,
  model: string,
  options: SpeakerOptions,
): (request: SynthesisRequest, instructions?: string) => Promise<Synthesis> {
  const format = options.format ?? 'wav'
  const sdk = createOpenAI({
    name: provider,
    // Never from the environment: a server without a key is given a word that isn't one.
    apiKey: options.apiKey ?? 'none',
    baseURL: options.baseUrl ?? 'https://api.openai.com/v1',
    fetch: providerFetch({ name, secrets: [options.apiKey], accepts: AUDIO, retry: options.retry }),
  })
  const speech = sdk.speech(model)
  return async (request, instructions) => {
    request.signal?.throwIfAborted()
    const { text } = toPlainText(spokenRuns(request))
    const { audio } = await speech.doGenerate({
      text,
      voice: request.voice.slice(request.voice.indexOf(':') + 1),
      outputFormat: format,
      speed: request.settings.rate,
      instructions,
      abortSignal: request.signal,
    })
    const bytes = typeof audio === 'string' ? Buffer.from(audio, 'base64') : audio
    const duration = wavDuration(bytes)
    const billed = billSpeech(provider, model, { characters: text.length, seconds: duration }, options.prices)
    return { audio: bytes, mediaType: MEDIA_TYPES[format], duration, words: [], billed }
  }
}

const capital = (name: string): string => name[0]!.toUpperCase() + name.slice(1)
