import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Media } from '../../src/engines/media/media.ts'
import { openMedia } from '../../src/engines/media/open-media.ts'
import { Problem } from '../../src/kit/errors.ts'

const corpus = process.env.VOICEPRESS_CORPUS ?? fileURLToPath(new URL('../../../shared/data', import.meta.url))
const audio = join(corpus, 'audio')
const files = readdirSync(audio, { recursive: true, encoding: 'utf8' })
  .map((name) => join(audio, name))
  .filter((file) => statSync(file).isFile())

let folder: string
let media: Media
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'media-corpus-'))
  media = openMedia()
})
afterAll(async () => {
  await media.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Every file is measured or refused with a Problem that names it; nothing ends a child or takes more than seconds. */
const outcome = (file: string) =>
  media.measure(file, AbortSignal.timeout(20_000)).then(
    ({ duration }) => duration,
    (error: unknown) => error,
  )

test('every file of the corpus is measured or refused with a reason', async () => {
  const outcomes = await Promise.all(files.map(async (file) => ({ file, result: await outcome(file) })))
  for (const { file, result } of outcomes) {
    if (typeof result === 'number') expect(result, file).toBeGreaterThan(0)
    else expect(result, file).toMatchObject({ name: 'Problem', type: 'unreadable_audio', extra: { file } })
  }
  expect(outcomes.filter(({ result }) => typeof result === 'number').length).toBeGreaterThan(20)
})

test('cut, emptied and overwritten files too', async () => {
  let seed = 7
  const random = (limit: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return seed % limit
  }
  const broken: string[] = []
  for (const file of files.filter((name) => /\.(mp3|mp4|wav|flac|ogg)$/.test(name)).slice(0, 24)) {
    const whole = readFileSync(file).subarray(0, 1 << 20)
    for (let i = 0; i < 6; i++) {
      const bytes = Buffer.from(whole)
      for (let k = 0; k < 20 && i > 1; k++)
        bytes[random(Math.min(bytes.length, i < 4 ? 200 : bytes.length))] = random(256)
      const name = join(folder, `${broken.length}.bin`)
      writeFileSync(name, i % 2 === 0 ? bytes : bytes.subarray(0, random(bytes.length)))
      broken.push(name)
    }
  }
  const results = await Promise.all(broken.map(outcome))
  for (const [i, result] of results.entries()) {
    if (typeof result !== 'number') expect(result, broken[i]).toBeInstanceOf(Problem)
    if (result instanceof Problem) expect(result.type, broken[i]).toBe('unreadable_audio')
  }
})

test('figures of a public-domain reading agree with FFmpeg (ebur128, astats of version 8)', async () => {
  const { levels } = await media.measure(join(audio, 'openai-whisper/jfk.flac'))
  expect(levels.loudness).toBeCloseTo(-12.5, 0)
  expect(Math.abs(levels.loudness + 12.5)).toBeLessThan(0.1)
  expect(levels.rms).toBeCloseTo(-16.947, 2)
  expect(levels.peak).toBeCloseTo(-2.118, 2)
  expect(Math.abs(levels.truePeak + 2.1)).toBeLessThan(0.1)
})

test('chapters of files that other tools wrote are read', async () => {
  const { readM4b } = await import('../../src/engines/media/read-m4b.ts')
  for (const name of ['sample_MP4_chapter_track.mp4', 'sample_MP4_chapters.mp4']) {
    expect(readM4b(join(audio, 'subtitleedit', name))!.chapters).toEqual([
      { title: 'Intro', start: 0 },
      { title: 'Middle & End', start: 2 },
      { title: 'Outro', start: 4 },
    ])
  }
})
