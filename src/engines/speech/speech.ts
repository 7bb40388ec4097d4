import type { Gender, AgeRange } from '../language/cast.ts'

/** A voice of the catalogue. */
export interface Voice {
  /** 'espeak:en-us+f3', 'openai:alloy', 'azure:es-PE-CamilaNeural': provider, then the provider's own name. */
  id: string
  provider: string
  name: string
  /** BCP 47 tags it speaks; ['*'] when it speaks whatever the text is in. */
  languages: string[]
  gender: Gender
  age: AgeRange
  /** True when it costs nothing and needs no network. */
  local: boolean
  /** Automatic casting takes the lowest that fits first; null: only when a person chooses it; absent: 50. */
  castRank?: number | null
}

/** How a line is spoken; all optional, neutral when absent. */
export interface VoiceSettings {
  /** 0.25–4, 1 is the voice's own pace. */
  rate?: number
  /** −50…+50 per cent. */
  pitch?: number
  /** Azure express-as style, OpenAI instructions: passed on where the provider has them. */
  style?: string
}

export interface WordTiming {
  /** UTF-16 offsets in the spoken text. */
  start: number
  end: number
  /** Seconds from the start of the audio. */
  from: number
  to: number
}

export interface SynthesisRequest {
  text: string
  /** Full SSML 1.1 document for the same text; engines that can't take it are given the text. */
  ssml?: string
  voice: string
  language: string
  settings: VoiceSettings
  signal?: AbortSignal
}

export interface Synthesis {
  /** An audio file: WAV from local engines, whatever the provider sends otherwise. */
  audio: Uint8Array
  mediaType: string
  /** Seconds, when the engine knows it; otherwise the media engine measures it. */
  duration?: number
  words: WordTiming[]
  /** What the provider bills: characters, tokens. Empty for local engines. */
  billed: { service: string; operation: string; units: number; unitType: string; costUsd: number } | null
}

/** A provider of voices. Wraps an AI SDK speech model and adds the catalogue, timings and price. */
export interface SpeechEngine {
  provider: string
  /** Part of every cache key: the audio of another version is other audio. */
  version: string
  /** Longest text in characters that one call takes. */
  maxCharacters: number
  /** Calls worth having in flight at once. */
  concurrency: number
  voices(): Promise<Voice[]>
  synthesize(request: SynthesisRequest): Promise<Synthesis>
  close(): Promise<void>
}
