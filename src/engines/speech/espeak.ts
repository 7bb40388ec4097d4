import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import type { SpeechModelV4 } from '@ai-sdk/provider'
import { Problem } from '../../kit/errors.ts'
import { ESPEAK_RATE, EVENT_KINDS, type EspeakSpeech } from './espeak-machine.ts'
import type { EspeakJob } from './espeak-worker.ts'
import { ESPEAK_LANGUAGES, type EspeakLanguage } from './espeak-languages.ts'
import { toEspeakSource } from './espeak-source.ts'
import { ESPEAK_VARIANTS } from './espeak-variants.ts'
import { findWords } from './find-words.ts'
import { ipaToEspeak } from './ipa-to-espeak.ts'
import type { SpeechEngine, Synthesis, SynthesisRequest, Voice, VoiceSettings } from './speech.ts'
import { spokenRuns } from './spoken-runs.ts'
import { timeWords, type SpeechMark } from './time-words.ts'
import { openWorkerPool } from './worker-pool.ts'

export interface EspeakOptions {
  /** Threads; as many as there are cores when absent. */
  threads?: number
  /** Seconds that one text may take. */
  timeLimit?: number
}

/** Of the package that carries eSpeak NG, and of the way it is driven here. */
const VERSION = 'espeak-ng-emscripten/0.3.5+1'
const MAX_CHARACTERS = 20_000
/** Words a minute of a voice at rate 1. */
const NORMAL_RATE = 175
const SLOWEST = 80
const FASTEST = 450

/**
 * eSpeak NG as WebAssembly in worker threads: free, without network, in some 140 languages. WAV, 22,050 Hz, mono, 16 bits. The same text, voice and
 * settings always give the same bytes. Rates below 0.46 and above 2.57 are taken as these. A pitch of ±50 per cent halves and multiplies by 1.5.
 */
export function openEspeak(options: EspeakOptions = {}): SpeechEngine {
  const threads = options.threads ?? availableParallelism()
  const pool = openWorkerPool<EspeakJob, EspeakSpeech>({
    // The package runs from its TypeScript as well as from what it is built to.
    module: new URL(`./espeak-worker${extname(import.meta.url)}`, import.meta.url),
    threads,
    timeLimit: options.timeLimit ?? 120,
  })

  return {
    provider: 'espeak',
    version: VERSION,
    maxCharacters: MAX_CHARACTERS,
    concurrency: threads * 4,
    voices: async () => listVoices(),
    close: () => pool.close(),
    async synthesize(request: SynthesisRequest): Promise<Synthesis> {
      request.signal?.throwIfAborted()
      const { file, language } = findVoice(request.voice)
      if (request.text.length > MAX_CHARACTERS) {
        const detail = `A text of ${request.text.length} characters is too long for one call; eSpeak NG takes ${MAX_CHARACTERS}.`
        throw new Problem(400, 'text_too_long', detail, { limit: MAX_CHARACTERS })
      }
      const { source, offsets } = toEspeakSource(spokenRuns(request), language.tags[0]!, ipaToEspeak)
      const speech = await pool.run({ source, voice: file, ...prosody(request.settings) }, request.signal)
      const duration = speech.samples / ESPEAK_RATE
      return {
        audio: new Uint8Array(speech.wav),
        mediaType: 'audio/wav',
        duration,
        words: timeWords(
          findWords(request.text, request.language),
          readMarks(speech.events, offsets, request.text),
          duration,
        ),
        billed: null,
      }
    },
  }
}

/** The same engine as a speech model of the AI SDK: `generateSpeech({ model: espeakModel(engine), voice: 'en-us+f3', text })`. */
export function espeakModel(engine: SpeechEngine): SpeechModelV4 {
  return {
    specificationVersion: 'v4',
    provider: 'voicepress.espeak',
    modelId: VERSION,
    async doGenerate({ text, voice = 'en-us', speed, language = 'en', abortSignal, outputFormat, instructions }) {
      const { audio } = await engine.synthesize({
        text,
        voice: `espeak:${voice.replace(/^espeak:/, '')}`,
        language,
        settings: { rate: speed },
        signal: abortSignal,
      })
      const warnings: Awaited<ReturnType<SpeechModelV4['doGenerate']>>['warnings'] = []
      if (outputFormat && outputFormat !== 'wav')
        warnings.push({ type: 'unsupported', feature: 'outputFormat', details: 'WAV is all it makes.' })
      if (instructions) warnings.push({ type: 'unsupported', feature: 'instructions' })
      return { audio, warnings, response: { timestamp: new Date(), modelId: VERSION } }
    },
  }
}

const variantsByFile = new Map(ESPEAK_VARIANTS.map((variant) => [variant.file.toLowerCase(), variant]))
const languagesById = new Map<string, EspeakLanguage>()
for (const language of ESPEAK_LANGUAGES) {
  for (const tag of language.tags)
    if (!languagesById.has(tag.toLowerCase())) languagesById.set(tag.toLowerCase(), language)
}
for (const language of ESPEAK_LANGUAGES) languagesById.set(language.id, language)

let catalogue: Voice[] | undefined

function listVoices(): Voice[] {
  catalogue ??= ESPEAK_LANGUAGES.flatMap((language) =>
    ESPEAK_VARIANTS.map(
      (variant): Voice => ({
        id: `espeak:${language.id}${variant.file && `+${variant.file}`}`,
        provider: 'espeak',
        name: language.name + (variant.name && `, ${variant.name}`),
        languages: language.tags,
        gender: variant.gender,
        age: variant.age,
        local: true,
        castRank: variant.castRank,
      }),
    ),
  )
  return catalogue
}

function findVoice(id: string): { file: string; language: EspeakLanguage } {
  const [language, variant] = id
    .replace(/^espeak:/, '')
    .toLowerCase()
    .split('+')
  const known = languagesById.get(language!)
  const manner = variantsByFile.get(variant ?? '')
  if (!known || !manner) throw new Problem(404, 'voice_unknown', `eSpeak NG has no voice '${id}'.`, { voice: id })
  return { file: known.file + (manner.file && `+${manner.file}`), language: known }
}

function prosody(settings: VoiceSettings): { rate: number; pitch: number } {
  const rate = Math.round(Math.min(FASTEST, Math.max(SLOWEST, NORMAL_RATE * (settings.rate ?? 1))))
  // Its pitch scale is exponential: 0 halves the frequency, 50 leaves it, 100 doubles it.
  const pitch = Math.round(50 + 50 * Math.log2(1 + Math.min(50, Math.max(-50, settings.pitch ?? 0)) / 100))
  return { rate, pitch }
}

// Not spoken by themselves: eSpeak NG gives the place of such a mark for the word behind it (_you_). Symbols and & % @ # * are read out.
const SILENT = /[^\p{L}\p{N}\p{M}\p{S}&%@#*/\\]/uy

function readMarks(events: Int32Array, offsets: number[], text: string): SpeechMark[] {
  const marks: SpeechMark[] = []
  for (let i = 0; i < events.length; i += 3) {
    let offset: number | null = null
    if (EVENT_KINDS[events[i]!] === 'word') {
      offset = offsets[Math.max(0, events[i + 1]! - 1)] ?? null
      if (offset !== null) offset = skipSilent(text, offset)
    }
    marks.push({ at: events[i + 2]! / ESPEAK_RATE, offset })
  }
  return marks
}

function skipSilent(text: string, from: number): number {
  SILENT.lastIndex = from
  while (SILENT.test(text)) from = SILENT.lastIndex
  return from
}
