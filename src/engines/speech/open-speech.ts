import { Problem } from '../../kit/errors.ts'
import { openEspeak, type EspeakOptions } from './espeak.ts'
import type { SpeechEngine, Synthesis, SynthesisRequest, Voice } from './speech.ts'

export interface SpeechOptions {
  /** Of the built-in voice, which is always there. */
  espeak?: EspeakOptions
  /** The providers that are configured. */
  engines?: SpeechEngine[]
}

/** Every voice that is to be had, whoever speaks it. */
export interface Speech {
  engines: SpeechEngine[]
  /** A provider that doesn't answer is left out, and named in `failed`. */
  voices(): Promise<{ voices: Voice[]; failed: { provider: string; problem: Problem }[] }>
  /**
   * The engine of a voice, by what stands before the colon of its id.
   * @throws Problem 404 `voice_unknown`
   */
  engineOf(voice: string): SpeechEngine
  synthesize(request: SynthesisRequest): Promise<Synthesis>
  close(): Promise<void>
}

/** Opens the built-in voice and the providers given. Nothing is started or fetched before it is needed. */
export function openSpeech(options: SpeechOptions = {}): Speech {
  const engines = [openEspeak(options.espeak), ...(options.engines ?? [])]
  const byProvider = new Map(engines.map((engine) => [engine.provider, engine]))
  if (byProvider.size < engines.length)
    throw new Problem(500, 'speech_misconfigured', 'Two speech providers have the same name.')

  const engineOf = (voice: string): SpeechEngine => {
    const provider = voice.slice(0, Math.max(0, voice.indexOf(':')))
    const engine = byProvider.get(provider)
    if (engine) return engine
    const known = [...byProvider.keys()].join(', ')
    throw new Problem(404, 'voice_unknown', `No speech provider here has a voice '${voice}'. Providers: ${known}.`, {
      voice,
    })
  }

  return {
    engines,
    engineOf,
    async voices() {
      const lists = await Promise.allSettled(engines.map((engine) => engine.voices()))
      const voices: Voice[] = []
      const failed: { provider: string; problem: Problem }[] = []
      for (const [i, list] of lists.entries()) {
        if (list.status === 'fulfilled') voices.push(...list.value)
        else {
          const problem =
            list.reason instanceof Problem ? list.reason : new Problem(502, 'provider_failed', String(list.reason))
          failed.push({ provider: engines[i]!.provider, problem })
        }
      }
      return { voices, failed }
    },
    // Async, so that an unknown voice rejects and doesn't throw.
    synthesize: async (request) => engineOf(request.voice).synthesize(request),
    async close() {
      await Promise.all(engines.map((engine) => engine.close()))
    },
  }
}
