import type { Synthesis } from './speech.ts'

/** What a provider asks for a model, in US dollars, without tax. */
export interface Price {
  provider: string
  /** The model's name or how it begins; the longest that fits counts. */
  model: string
  perMillionCharacters?: number
  perMinute?: number
  /** ISO date on which the list was read. */
  asOf: string
  source: string
}

const OPENAI = { provider: 'openai', asOf: '2026-11-20', source: 'https://developers.openai.com/api/docs/pricing' }
const AZURE = {
  provider: 'azure',
  asOf: '2026-11-20',
  source: 'https://azure.microsoft.com/pricing/details/cognitive-services/speech-services/',
}
const ELEVENLABS = { provider: 'elevenlabs', asOf: '2026-11-20', source: 'https://elevenlabs.io/pricing/api' }

/**
 * Published list prices. gpt-4o-mini-tts is sold by tokens (0.60 a million of text, 12 a million of audio) that its answers don't tell: OpenAI's own
 * estimate of 0.015 a minute stands for the audio, four characters for a token of text.
 */
export const LIST_PRICES: Price[] = [
  { ...OPENAI, model: 'tts-1', perMillionCharacters: 15 },
  { ...OPENAI, model: 'tts-1-hd', perMillionCharacters: 30 },
  { ...OPENAI, model: 'gpt-4o-mini-tts', perMinute: 0.015, perMillionCharacters: 0.15 },
  { ...AZURE, model: 'neural', perMillionCharacters: 15 },
  { ...AZURE, model: 'neural-hd', perMillionCharacters: 30 },
  { ...ELEVENLABS, model: 'eleven_multilingual', perMillionCharacters: 100 },
  { ...ELEVENLABS, model: 'eleven_v3', perMillionCharacters: 100 },
  { ...ELEVENLABS, model: 'eleven_flash', perMillionCharacters: 50 },
  { ...ELEVENLABS, model: 'eleven_turbo', perMillionCharacters: 50 },
]

/** Characters that are spoken in a second when nothing better is known: 150 words a minute of six characters each. */
const CHARACTERS_A_SECOND = 15

export interface Usage {
  /** Characters that the provider counts. */
  characters: number
  /** Seconds of audio, where they are known. */
  seconds?: number
}

/**
 * What a call costs. A model that the list doesn't have costs as much as its provider's dearest; a provider that it doesn't have costs nothing.
 * @param prices those of an installation, looked at before the list
 */
export function billSpeech(provider: string, model: string, usage: Usage, prices: Price[] = []): Synthesis['billed'] {
  const price =
    priceOf(provider, model, prices) ??
    priceOf(provider, model, LIST_PRICES) ??
    dearest(provider, [...prices, ...LIST_PRICES])
  if (!price) return null
  const seconds = usage.seconds ?? usage.characters / CHARACTERS_A_SECOND
  const costUsd = costOf(price, usage.characters, seconds)
  const byTime = price.perMinute !== undefined
  return {
    service: provider,
    operation: 'speech',
    units: byTime ? Math.round(seconds * 1000) / 1000 : usage.characters,
    unitType: byTime ? 'seconds' : 'characters',
    costUsd: Math.round(costUsd * 1e8) / 1e8,
  }
}

const costOf = (price: Price, characters: number, seconds: number): number =>
  ((price.perMillionCharacters ?? 0) * characters) / 1e6 + ((price.perMinute ?? 0) * seconds) / 60

function priceOf(provider: string, model: string, prices: Price[]): Price | undefined {
  return prices
    .filter((price) => price.provider === provider && model.startsWith(price.model))
    .sort((a, b) => b.model.length - a.model.length)[0]
}

function dearest(provider: string, prices: Price[]): Price | undefined {
  const aMinute = (price: Price): number => costOf(price, CHARACTERS_A_SECOND * 60, 60)
  return prices.filter((price) => price.provider === provider).sort((a, b) => aMinute(b) - aMinute(a))[0]
}
