import fc from 'fast-check'
import { expect, test } from 'vitest'
import { limiter } from './limit-peaks.ts'
import { decibels, levelsMeter } from './measure-levels.ts'

const run = (samples: Float32Array, ceiling: number, block: number) => {
  const limit = limiter(44_100, ceiling)
  const padded = new Float32Array(samples.length + limit.delay)
  padded.set(samples)
  const out = new Float32Array(padded.length)
  for (let at = 0; at < padded.length; at += block) out.set(limit.process(padded.subarray(at, at + block)), at)
  return out.subarray(limit.delay)
}

/** Bursts of noise and tones of any strength. */
const audio = fc
  .array(
    fc.record({
      length: fc.integer({ min: 1, max: 900 }),
      level: fc.double({ min: 0, max: 4, noNaN: true }),
      tone: fc.boolean(),
      seed: fc.integer(),
    }),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  .map((bursts) =>
    Float32Array.from(
      bursts.flatMap(({ length, level, tone, seed }) => {
        let state = seed | 1
        return Array.from({ length }, (_, i) => {
          state = (Math.imul(state, 1664525) + 1013904223) | 0
          return level * (tone ? Math.sin(i * (0.05 + (seed & 15) / 40)) : state / 2147483648)
        })
      }),
    ),
  )

test('no sample passes the ceiling, whatever comes in', () => {
  fc.assert(
    fc.property(
      audio,
      fc.double({ min: 0.05, max: 1, noNaN: true }),
      fc.integer({ min: 1, max: 3000 }),
      (samples, ceiling, block) => {
        const out = run(samples, ceiling, block)
        for (const value of out) if (Math.abs(value) > Math.fround(ceiling) + 1e-7) return false
        return true
      },
    ),
    { numRuns: 200 },
  )
})

test('what lies below the ceiling passes untouched, late by the look-ahead', () => {
  fc.assert(
    fc.property(audio, fc.integer({ min: 1, max: 3000 }), (samples, block) => {
      const quiet = samples.map((value) => value / 16)
      expect(run(quiet, 0.99, block)).toEqual(quiet)
    }),
    { numRuns: 50 },
  )
})

test('true peaks stay at the ceiling within a tenth of a decibel', () => {
  const tone = Float32Array.from(
    { length: 44_100 },
    (_, i) => 0.9 * Math.sin((2 * Math.PI * 9000 * i) / 44_100) * Math.sin((2 * Math.PI * 3 * i) / 44_100),
  )
  const meter = levelsMeter(44_100, 1)
  meter.add([run(tone, 0.5, 1024)])
  expect(meter.result().truePeak).toBeLessThan(decibels(0.5) + 0.1)
})

test('the length of blocks changes nothing', () => {
  fc.assert(
    fc.property(audio, fc.integer({ min: 1, max: 3000 }), (samples, block) => {
      const whole = run(samples, 0.5, samples.length + 500)
      const pieces = run(samples, 0.5, block)
      for (let i = 0; i < whole.length; i++) if (Math.abs(whole[i]! - pieces[i]!) > 1e-5) return false
      return true
    }),
    { numRuns: 50 },
  )
})
