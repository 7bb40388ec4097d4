import { z } from 'zod'
import { providerFetch } from './call-provider.ts'
import type { Gender } from '../language/cast.ts'
import { openaiSpeaker, type SpeakerOptions } from './openai.ts'
import type { SpeechEngine, Voice } from './speech.ts'
import { Problem } from '../../kit/errors.ts'

export interface CompatibleOptions extends SpeakerOptions {
  /** What stands before the colon of its voices' ids: 'kokoro', 'piper'. */
  provider: string
  /** With the version's path: 'http://localhost:8880/v1'. */
  baseUrl: string
  model: string
  /** When the server doesn't list them at {base}/audio/voices. Names, or voices with all that is known of them. */
  voices?: (string | Pick<Voice, 'name' | 'languages' | 'gender' | 'age'>)[]
  /** True when it runs in the same house: casting may use it freely. */
  local?: boolean
  maxCharacters?: number
  concurrency?: number
}

const VoiceEntry = z.union([
  z.string(),
  z.looseObject({ id: z.string().optional(), name: z.string().optional(), voice_id: z.string().optional() }),
])
const VoiceList = z.union([
  z.array(VoiceEntry),
  z.looseObject({ voices: z.array(VoiceEntry) }),
  z.looseObject({ data: z.array(VoiceEntry) }),
])

/** Kokoro names a voice by a letter of its language and one of its gender: af_bella. */
const KOKORO_LANGUAGES: Record<string, string> = {
  a: 'en-US',
  b: 'en-GB',
  e: 'es',
  f: 'fr-FR',
  h: 'hi',
  i: 'it',
  j: 'ja',
  p: 'pt-BR',
  z: 'zh-CN',
}

/**
 * Any server that follows OpenAI's POST /audio/speech (Kokoro-FastAPI, Piper's and others). Language and gender are read from names in Kokoro's (af_bella)
 * and Piper's (en_GB-alan-medium) manner; a voice whose name tells nothing speaks every language.
 */
export function openCompatible(options: CompatibleOptions): SpeechEngine {
  const { provider, model } = options
  const base = options.baseUrl.replace(/\/+$/, '')
  const speak = openaiSpeaker(provider, provider, model, { ...options, baseUrl: base })
  let list: Promise<Voice[]> | undefined

  const fetchNames = async (): Promise<string[]> => {
    const get = providerFetch({ name: provider, secrets: [options.apiKey], accepts: /json/, retry: options.retry })
    const headers: Record<string, string> = options.apiKey ? { authorization: `Bearer ${options.apiKey}` } : {}
    const answer = await get(`${base}/audio/voices`, { headers })
    const parsed = VoiceList.safeParse(await answer.json().catch(() => null))
    if (!parsed.success)
      throw new Problem(
        502,
        'provider_answer_invalid',
        `${provider} gave no list of voices; name them in its configuration.`,
        { provider },
      )
    const entries = Array.isArray(parsed.data)
      ? parsed.data
      : 'voices' in parsed.data
        ? parsed.data.voices
        : parsed.data.data
    return (entries as z.infer<typeof VoiceEntry>[])
      .map((entry) => (typeof entry === 'string' ? entry : (entry.id ?? entry.voice_id ?? entry.name ?? '')))
      .filter(Boolean)
  }

  return {
    provider,
    version: `${provider}/${model}/1`,
    maxCharacters: options.maxCharacters ?? 4096,
    concurrency: options.concurrency ?? 2,
    async voices() {
      list ??= (options.voices ? Promise.resolve(options.voices) : fetchNames()).then((entries) =>
        entries.map((entry) => {
          const known = typeof entry === 'string' ? readName(entry) : entry
          return { id: `${provider}:${known.name}`, provider, local: options.local ?? false, ...known }
        }),
      )
      // A server that was down is asked again.
      list.catch(() => (list = undefined))
      return list
    },
    synthesize: (request) => speak(request, request.settings.style),
    close: async () => {},
  }
}

function readName(name: string): Pick<Voice, 'name' | 'languages' | 'gender' | 'age'> {
  const kokoro = /^([abefhijpz])([fm])_\w/.exec(name)
  if (kokoro) {
    const gender: Gender = kokoro[2] === 'f' ? 'female' : 'male'
    return { name, languages: [KOKORO_LANGUAGES[kokoro[1]!]!], gender, age: 'adult' }
  }
  const piper = /^([a-z]{2,3})[_-]([A-Z]{2})-\w/.exec(name)
  return { name, languages: piper ? [`${piper[1]}-${piper[2]}`] : ['*'], gender: 'neutral', age: 'adult' }
}
