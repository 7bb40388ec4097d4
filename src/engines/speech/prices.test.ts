import { expect, test } from 'vitest'
import { billSpeech, LIST_PRICES } from './prices.ts'

test.each([
  ['openai', 'tts-1', 1_000_000, 15],
  ['openai', 'tts-1-hd-1106', 1_000_000, 30],
  ['azure', 'neural', 1_000_000, 15],
  ['elevenlabs', 'eleven_flash_v2_5', 1000, 0.05],
  ['elevenlabs', 'eleven_multilingual_v2', 1000, 0.1],
])('%s %s: %i characters cost %d', (provider, model, characters, costUsd) => {
  expect(billSpeech(provider, model, { characters })).toEqual({
    service: provider,
    operation: 'speech',
    units: characters,
    unitType: 'characters',
    costUsd,
  })
})

test('by the minute, from the audio or from the text’s length', () => {
  expect(billSpeech('openai', 'gpt-4o-mini-tts-2025-12-15', { characters: 900, seconds: 60 })).toMatchObject({
    units: 60,
    unitType: 'seconds',
    costUsd: 0.015135,
  })
  expect(billSpeech('openai', 'gpt-4o-mini-tts', { characters: 900 })).toMatchObject({ units: 60, costUsd: 0.015135 })
})

test('an unknown model is never under-counted, an unknown provider is free, and own prices win', () => {
  expect(billSpeech('openai', 'tts-9', { characters: 1_000_000 })?.costUsd).toBe(30)
  expect(billSpeech('espeak', 'any', { characters: 5 })).toBeNull()
  const own = [{ provider: 'openai', model: 'tts-1', perMillionCharacters: 1, asOf: '2026-11-20', source: 'contract' }]
  expect(billSpeech('openai', 'tts-1-hd', { characters: 1_000_000 }, own)?.costUsd).toBe(1)
})

test('every price says when and where it was read', () => {
  for (const price of LIST_PRICES) {
    expect(price.asOf).toMatch(/^\d{4}-\d\d-\d\d$/)
    expect(new URL(price.source).protocol).toBe('https:')
    expect(price.perMinute ?? price.perMillionCharacters).toBeGreaterThan(0)
  }
})
