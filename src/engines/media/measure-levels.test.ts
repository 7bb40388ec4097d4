import { describe, expect, test } from 'vitest'
import { levelsMeter } from './measure-levels.ts'

const sine = (sampleRate: number, frequency: number, level: number, seconds: number, phase = 0) =>
  Float32Array.from(
    { length: Math.round(seconds * sampleRate) },
    (_, i) => 10 ** (level / 20) * Math.sin((2 * Math.PI * frequency * i) / sampleRate + phase),
  )

const measure = (sampleRate: number, planes: Float32Array[], block = 4096) => {
  const meter = levelsMeter(sampleRate, planes.length)
  for (let at = 0; at < planes[0]!.length; at += block) meter.add(planes.map((plane) => plane.subarray(at, at + block)))
  return meter.result()
}

const joined = (...pieces: Float32Array[]) => {
  const whole = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

describe('loudness, EBU Tech 3341 table 1', () => {
  test.each([44_100, 48_000, 22_050])('case 1: a stereo 1 kHz tone at −23 dBFS is −23 LUFS, at %d Hz', (rate) => {
    const tone = sine(rate, 1000, -23, 20)
    expect(measure(rate, [tone, tone]).loudness).toBeCloseTo(-23, 1)
  })

  test('case 3: quiet stretches are gated', () => {
    const tone = joined(sine(24_000, 1000, -36, 5), sine(24_000, 1000, -23, 20), sine(24_000, 1000, -36, 5))
    expect(Math.abs(measure(24_000, [tone, tone]).loudness + 23)).toBeLessThan(0.1)
  })

  test('mono is 3 LU below the same in both channels', () => {
    expect(measure(44_100, [sine(44_100, 1000, -20, 10)]).loudness).toBeCloseTo(-23, 1)
  })

  test('silence has none', () => {
    expect(measure(44_100, [new Float32Array(44_100)])).toMatchObject({
      loudness: -Infinity,
      rms: -Infinity,
      noiseFloor: -Infinity,
    })
  })
})

test('true peak finds what lies between samples: a quarter-rate tone at 45 degrees, EBU Tech 3341 case 16', () => {
  const { peak, truePeak } = measure(48_000, [sine(48_000, 12_000, -6, 1, Math.PI / 4)])
  expect(peak).toBeCloseTo(-9.01, 1)
  expect(truePeak).toBeGreaterThan(-6.4)
  expect(truePeak).toBeLessThan(-5.8)
})

test('RMS and the quietest 500 ms', () => {
  const levels = measure(44_100, [
    joined(sine(44_100, 500, -20, 3), sine(44_100, 500, -60, 1), sine(44_100, 500, -20, 3)),
  ])
  expect(levels.noiseFloor).toBeCloseTo(-63.01, 1)
  expect(levels.rms).toBeCloseTo(-23.01 + 10 * Math.log10(6 / 7), 1)
  expect(levels.peak).toBeCloseTo(-20, 1)
})

test('blocks of any length measure the same', () => {
  const tone = sine(44_100, 700, -12, 2)
  const [pieces, whole] = [measure(44_100, [tone], 17), measure(44_100, [tone], 44_100)]
  for (const key of ['rms', 'peak', 'truePeak', 'loudness', 'noiseFloor'] as const)
    expect(pieces[key]).toBeCloseTo(whole[key], 9)
})
