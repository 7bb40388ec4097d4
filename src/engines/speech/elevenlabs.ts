import { z } from 'zod'
import { Problem } from '../../kit/errors.ts'
import { providerFetch, type RetryOptions } from './call-provider.ts'
import type { AgeRange, Gender } from '../language/cast.ts'
import { findWords } from './find-words.ts'
import { toPlainText, type PlainText } from './plain-text.ts'
import { billSpeech, type Price } from './prices.ts'
import type { SpeechEngine, Synthesis, SynthesisRequest, Voice, WordTiming } from './speech.ts'
import { spokenRuns } from './spoken-runs.ts'
import { timeWords, type SpeechMark } from './time-words.ts'

export interface ElevenlabsOptions {
  apiKey: string
  baseUrl?: string
  /** 'eleven_multilingual_v2' when absent. */
  model?: string
  /** One that the account's plan allows; 'mp3_44100_128' when absent. */
  format?: string
  concurrency?: number
  prices?: Price[]
  retry?: RetryOptions
}

const Alignment = z.object({
  characters: z.array(z.string()),
  character_start_times_seconds: z.array(z.number()),
  character_end_times_seconds: z.array(z.number()),
})
const Answer = z.object({ audio_base64: z.base64().min(1), alignment: Alignment.nullish() })
const Voices = z.object({
  voices: z.array(
    z.object({
      voice_id: z.string(),
      name: z.string(),
      labels: z.record(z.string(), z.string()).nullish(),
      verified_languages: z.array(z.object({ language: z.string(), locale: z.string().nullish() })).nullish(),
    }),
  ),
  has_more: z.boolean().nullish(),
  next_page_token: z.string().nullish(),
})

/** Longest text of one call by model (models page, November 2026). */
const LIMITS: [string, number][] = [
  ['eleven_v3', 5000],
  ['eleven_flash', 40_000],
  ['eleven_turbo', 40_000],
]
const SLOWEST = 0.7
const FASTEST = 1.2
/** Longest pause that one break tag makes. */
const LONGEST_BREAK = 3

/**
 * ElevenLabs with word times, from the endpoint that aligns characters. It takes text with break tags (eleven_v3 its own bracketed ones); aliases are
 * said, phonemes are left to the spelling. Rates are held to 0.7–1.2.
 */
export function openElevenlabs(options: ElevenlabsOptions): SpeechEngine {
  const model = options.model ?? 'eleven_multilingual_v2'
  const base = (options.baseUrl ?? 'https://api.elevenlabs.io').replace(/\/+$/, '')
  const format = options.format ?? 'mp3_44100_128'
  const call = providerFetch({ name: 'ElevenLabs', secrets: [options.apiKey], accepts: /json/, retry: options.retry })
  const headers = { 'xi-api-key': options.apiKey, 'content-type': 'application/json' }

  return {
    provider: 'elevenlabs',
    version: `elevenlabs/${model}/${format}/1`,
    maxCharacters: LIMITS.find(([prefix]) => model.startsWith(prefix))?.[1] ?? 10_000,
    concurrency: options.concurrency ?? 4,
    async voices() {
      const voices: Voice[] = []
      let page: string | null | undefined = ''
      do {
        const query: string = `page_size=100${page ? `&next_page_token=${encodeURIComponent(page)}` : ''}`
        const response = await call(`${base}/v2/voices?${query}`, { headers })
        const answer: z.infer<typeof Voices> = read(Voices, await response.json().catch(() => null))
        voices.push(...answer.voices.map(toVoice))
        page = answer.has_more && answer.voices.length > 0 ? answer.next_page_token : null
      } while (page)
      return voices
    },
    async synthesize(request: SynthesisRequest): Promise<Synthesis> {
      request.signal?.throwIfAborted()
      const plain = toPlainText(spokenRuns(request), model.startsWith('eleven_v3') ? bracketPause : breakTag)
      const voice = encodeURIComponent(request.voice.replace(/^elevenlabs:/, ''))
      const { rate } = request.settings
      const response = await call(
        `${base}/v1/text-to-speech/${voice}/with-timestamps?output_format=${encodeURIComponent(format)}`,
        {
          method: 'POST',
          headers,
          body: JSON.stringify({
            text: plain.text,
            model_id: model,
            // Only the newer models choose the language; the others refuse the field.
            ...(/flash|turbo|v3/.test(model) ? { language_code: request.language.split('-')[0] } : {}),
            ...(rate === undefined ? {} : { voice_settings: { speed: Math.min(FASTEST, Math.max(SLOWEST, rate)) } }),
          }),
          signal: request.signal,
        },
      )
      const answer = read(Answer, await response.json().catch(() => null))
      const ends = answer.alignment?.character_end_times_seconds ?? []
      const duration = ends.length > 0 ? Math.max(...ends.slice(-20)) : undefined
      // What the account is charged, where the answer tells it.
      const characters = Number(response.headers.get('character-cost')) || plain.text.length
      return {
        audio: Buffer.from(answer.audio_base64, 'base64'),
        mediaType: mediaType(format),
        words: answer.alignment ? alignWords(request, plain, answer.alignment) : [],
        billed: billSpeech('elevenlabs', model, { characters, seconds: duration }, options.prices),
      }
    },
    close: async () => {},
  }
}

export const breakTag = (seconds: number): string =>
  ` <break time="${Math.min(LONGEST_BREAK, Math.round(seconds * 100) / 100)}s" /> `
const bracketPause = (seconds: number): string =>
  seconds < 0.4 ? ' [short pause] ' : seconds < 1.2 ? ' [pause] ' : ' [long pause] '

/** Characters come in the order in which they were sent; ones that were left out or put in are stepped over. */
function alignWords(request: SynthesisRequest, plain: PlainText, alignment: z.infer<typeof Alignment>): WordTiming[] {
  const marks: SpeechMark[] = []
  let at = 0
  let end = 0
  for (const [i, character] of alignment.characters.entries()) {
    const found = plain.text.indexOf(character, at)
    // Nothing far ahead: a character that was put in must not swallow a sentence.
    if (found < 0 || found > at + 40) continue
    at = found + character.length
    const from = alignment.character_start_times_seconds[i] ?? end
    end = alignment.character_end_times_seconds[i] ?? from
    const offset = plain.offsets[found]!
    if (offset >= 0 && /[\p{L}\p{N}\p{M}]/u.test(character)) marks.push({ at: from, offset })
    else marks.push({ at: from, offset: null })
  }
  return timeWords(findWords(request.text, request.language), marks, end)
}

const AGES: Record<string, AgeRange> = {
  young: 'young_adult',
  middle_aged: 'adult',
  'middle-aged': 'adult',
  old: 'elderly',
  child: 'child',
}

function toVoice(voice: z.infer<typeof Voices>['voices'][number]): Voice {
  const labels = voice.labels ?? {}
  const verified = (voice.verified_languages ?? []).map(({ language, locale }) => locale ?? language)
  const languages = [...new Set([labels.language, ...verified].filter((tag): tag is string => Boolean(tag)))]
  const gender: Gender = labels.gender === 'male' || labels.gender === 'female' ? labels.gender : 'neutral'
  return {
    id: `elevenlabs:${voice.voice_id}`,
    provider: 'elevenlabs',
    name: voice.name,
    // Every model but the first speaks all languages in every voice.
    languages: languages.length > 0 ? [...languages, '*'] : ['*'],
    gender,
    age: AGES[labels.age?.replaceAll(' ', '_') ?? ''] ?? 'adult',
    local: false,
  }
}

function mediaType(format: string): string {
  if (format.startsWith('mp3')) return 'audio/mpeg'
  if (format.startsWith('opus')) return 'audio/ogg'
  return format.startsWith('wav') ? 'audio/wav' : 'audio/pcm'
}

function read<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  throw new Problem(502, 'provider_answer_invalid', 'ElevenLabs gave an answer of another shape than expected.', {
    provider: 'ElevenLabs',
  })
}
