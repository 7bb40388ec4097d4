import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chooseGain } from './choose-gain.ts'
import { combineAudio } from './combine-audio.ts'
import type { DeliveryReport, Media, RenderOutput, RenderRequest } from './media.ts'
import { openMedia } from './open-media.ts'

let folder: string
let media: Media

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'media-'))
  media = openMedia({ size: 2 })
})

afterAll(async () => {
  await media.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A WAV of tone bursts that rise and fall like syllables. */
const writeSpeech = (name: string, { rate = 22_050, seconds = 2, channels = 1, level = 0.5, dataSize = -1 } = {}) => {
  const count = Math.round(rate * seconds)
  const bytes = Buffer.alloc(44 + count * 2 * channels)
  bytes.write('RIFF', 0)
  bytes.writeUInt32LE(bytes.length - 8, 4)
  bytes.write('WAVEfmt ', 8)
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20)
  bytes.writeUInt16LE(channels, 22)
  bytes.writeUInt32LE(rate, 24)
  bytes.writeUInt32LE(rate * 2 * channels, 28)
  bytes.writeUInt16LE(2 * channels, 32)
  bytes.writeUInt16LE(16, 34)
  bytes.write('data', 36)
  bytes.writeUInt32LE(dataSize < 0 ? bytes.length - 44 : dataSize, 40)
  for (let i = 0; i < count * channels; i++) {
    const t = Math.floor(i / channels) / rate
    const envelope = Math.max(0, Math.sin(2 * Math.PI * 2 * t)) ** 2
    const wave =
      Math.sin(2 * Math.PI * 180 * t) + 0.6 * Math.sin(2 * Math.PI * 720 * t) + 0.3 * Math.sin(2 * Math.PI * 2900 * t)
    bytes.writeInt16LE(Math.round((level * 32_767 * envelope * wave) / 1.9), 44 + i * 2)
  }
  const file = join(folder, name)
  writeFileSync(file, bytes)
  return file
}

const request = (outputs: RenderOutput[], change: Partial<RenderRequest> = {}): RenderRequest => ({
  parts: [
    { file: writeSpeech('a.wav'), gapAfter: 0.4 },
    { file: writeSpeech('b.wav', { rate: 24_000, level: 0.2 }), gapAfter: 0.7, gain: 6 },
    { file: writeSpeech('c.wav', { rate: 44_100, channels: 2 }), gapAfter: 0 },
  ],
  chain: 'audiobook_standard',
  head: 0.8,
  tail: 2,
  outputs,
  ...change,
})

const outputs = (name: string): RenderOutput[] => [
  { format: 'aac', file: join(folder, `${name}.aac`), bitRate: 64_000 },
  { format: 'mp3', file: join(folder, `${name}.mp3`), bitRate: 192_000, tags: { title: 'Ñandú', artist: 'A. Author' } },
  { format: 'wav', file: join(folder, `${name}.wav`) },
  { format: 'flac', file: join(folder, `${name}.flac`) },
]

const figures = (report: DeliveryReport, file = 0) =>
  Object.fromEntries(report.files[file]!.figures.map(({ name, value }) => [name, value]))
const verdicts = (report: DeliveryReport, file = 0) =>
  report.files[file]!.figures.filter(({ verdict }) => verdict !== 'pass').map(
    ({ name, verdict }) => `${name} ${verdict}`,
  )

describe('render', () => {
  test('makes a chapter that a shop takes, and the same bytes every time', async () => {
    const first = await media.render(request(outputs('first')))
    const second = await media.render(request(outputs('second')))
    expect(second).toEqual(first)
    for (const format of ['aac', 'mp3', 'wav', 'flac']) {
      expect(readFileSync(join(folder, `second.${format}`)).equals(readFileSync(join(folder, `first.${format}`)))).toBe(
        true,
      )
    }
    expect(first.duration).toBeCloseTo(0.8 + 2 + 0.4 + 2 + 0.7 + 2 + 2, 2)
    expect(first.parts.map(({ from, to }) => [Number(from.toFixed(3)), Number(to.toFixed(3))])).toEqual([
      [0.8, 2.8],
      [3.2, 5.2],
      [5.9, 7.9],
    ])
    expect(first.measured.rms).toBeGreaterThan(-23)
    expect(first.measured.rms).toBeLessThan(-18)
    expect(first.measured.truePeak).toBeLessThanOrEqual(-4.7)
    expect(first.measured.noiseFloor).toBeLessThan(-60)
    expect(first.measured.noiseFloor).toBeGreaterThan(-75)
    const report = await media.check([join(folder, 'first.mp3')], 'acx')
    expect(verdicts(report)).toEqual([])
    expect(figures(report).duration).toBeCloseTo(first.duration, 1)
    expect((await media.probe(join(folder, 'first.mp3'))).tags).toMatchObject({ title: 'Ñandú', artist: 'A. Author' })
  })

  test('measures what FFmpeg decodes from the lossless outputs', async () => {
    const { measured } = await media.render(request([{ format: 'flac', file: join(folder, 'm.flac') }]))
    const { levels } = await media.measure(join(folder, 'm.flac'))
    expect(levels.rms).toBeCloseTo(measured.rms, 2)
    expect(levels.loudness).toBeCloseTo(measured.loudness, 2)
    expect(levels.truePeak).toBeCloseTo(measured.truePeak, 2)
  })

  test('podcast_standard reaches −19 LUFS in mono, true peak at most −1', async () => {
    const file = join(folder, 'podcast.mp3')
    await media.render(request([{ format: 'mp3', file, bitRate: 128_000 }], { chain: 'podcast_standard' }))
    const report = await media.check([file], 'podcast')
    expect(verdicts(report)).toEqual([])
  })

  test('raw joins and resamples only', async () => {
    const file = join(folder, 'raw.wav')
    const part = writeSpeech('raw-part.wav', { rate: 44_100, seconds: 1 })
    const { measured } = await media.render({
      parts: [{ file: part, gapAfter: 0.5 }],
      chain: 'raw',
      head: 0,
      tail: 0,
      outputs: [{ format: 'wav', file }],
    })
    expect(
      readFileSync(file)
        .subarray(80, 80 + 88_200)
        .equals(readFileSync(part).subarray(44)),
    ).toBe(true)
    expect(measured.noiseFloor).toBeLessThan(-200)
  })

  test('takes WAV written as a stream, without its length', async () => {
    const part = writeSpeech('stream.wav', { seconds: 1, dataSize: 0x7ffff000 })
    const { duration } = await media.render({
      parts: [{ file: part, gapAfter: 0 }],
      chain: 'raw',
      head: 0,
      tail: 0,
      outputs: [],
    })
    expect(duration).toBeCloseTo(1, 3)
  })

  test('refuses a part that is not audio, and leaves nothing half-written', async () => {
    const bad = join(folder, 'bad.wav')
    writeFileSync(bad, 'RIFF, but not really')
    const file = join(folder, 'never.wav')
    await expect(
      media.render(request([{ format: 'wav', file }], { parts: [{ file: bad, gapAfter: 0 }] })),
    ).rejects.toMatchObject({ type: 'unreadable_audio' })
    await expect(
      media.render(request([{ format: 'wav', file }], { parts: [{ file: join(folder, 'none.wav'), gapAfter: 0 }] })),
    ).rejects.toMatchObject({
      type: 'unreadable_audio',
    })
    expect(readdirSync(folder).filter((name) => name.startsWith('never') || name.endsWith('.part'))).toEqual([])
  })
})

describe('blocks', () => {
  const block = (name: string, change: Partial<RenderRequest>) =>
    media.render({
      ...request([{ format: 'aac', file: join(folder, name), bitRate: 64_000 }]),
      gain: -3,
      wholeFrames: true,
      measureEncoded: true,
      ...change,
    })
  const part = (name: string) => [{ file: join(folder, name), gapAfter: 0.2 }]

  test('join to a chapter whose figures are those of its blocks, cut out of an older one or not', async () => {
    writeSpeech('a.wav')
    writeSpeech('other.wav', { rate: 24_000, level: 0.4 })
    const first = await block('one.aac', { parts: part('a.wav'), head: 0.75, tail: 0 })
    const second = await block('two.aac', { parts: part('other.wav'), head: 0.2, tail: 0 })
    const third = await block('three.aac', { parts: part('a.wav'), head: 0.2, tail: 2 })
    for (const { duration } of [first, second, third]) expect((duration * 44_100) % 1024).toBeCloseTo(0, 3)

    const file = join(folder, 'joined.aac')
    const places = await media.joinAdts(
      ['one.aac', 'two.aac', 'three.aac'].map((name, i) => ({ file: join(folder, name), afterPriming: i > 0 })),
      file,
    )
    const anew = join(folder, 'joined-anew.aac')
    const mixed = await media.joinAdts(
      [
        { file, ...places[0] },
        { file: join(folder, 'two.aac'), afterPriming: true },
        { file, ...places[2] },
      ],
      anew,
    )
    expect(mixed).toEqual(places)
    expect(readFileSync(anew).equals(readFileSync(file))).toBe(true)

    const combined = combineAudio([first, second, third].map(({ encoded }) => encoded!))
    const m4b = join(folder, 'joined.m4b')
    const { duration } = await media.assembleM4b({
      chapters: [{ file, title: 'One', duration: combined.duration }],
      metadata: { title: 'Joined', authors: ['Ann Other'], narrators: ['Nobody'], language: 'en' } as never,
      file: m4b,
    })
    expect(duration).toBeCloseTo(first.duration + second.duration + third.duration, 4)
    const [judged, checked] = [await media.judgeM4b(m4b, combined), await media.check([m4b], 'm4b')]
    expect(verdicts(judged)).toEqual(verdicts(checked))
    const [ours, theirs] = [figures(judged), figures(checked)]
    expect(Object.keys(ours)).toEqual(Object.keys(theirs))
    for (const [name, value] of Object.entries(theirs)) {
      if (typeof value !== 'number') expect(ours[name], name).toEqual(value)
      else expect(Math.abs((ours[name] as number) - value), name).toBeLessThan(0.3)
    }
  })

  test('their gain, chosen from what was measured of each line, is what a pass over the whole finds', async () => {
    const parts = request([]).parts.map(({ file, gapAfter }) => ({ file, gapAfter }))
    const powers = await media.measureParts([...parts.map(({ file }) => file), join(folder, 'none.wav')])
    expect(powers.at(-1)).toBeNull()
    for (const chain of ['audiobook_standard', 'podcast_standard'] as const) {
      const gain = chooseGain(
        chain,
        parts.map(({ gapAfter }, i) => ({ ...powers[i]!, seconds: 2, gapAfter })),
        { head: 0.8, tail: 2 },
      )
      expect(gain % 0.25).toBe(0)
      const given = await media.render(request([], { parts, chain, gain }))
      const found = await media.render(request([], { parts, chain }))
      expect(Math.abs(given.measured.loudness - found.measured.loudness)).toBeLessThan(1)
      if (chain === 'audiobook_standard') expect(Math.abs(given.measured.rms - found.measured.rms)).toBeLessThan(0.2)
    }
    expect(chooseGain('raw', [], { head: 0, tail: 0 })).toBe(0)
  })
})

test('aborting kills the work and leaves nothing; the next call works', async () => {
  const file = join(folder, 'aborted.wav')
  const long = request([{ format: 'wav', file }], {
    parts: Array.from({ length: 400 }, () => ({ file: join(folder, 'a.wav'), gapAfter: 0.1 })),
  })
  const signal = AbortSignal.timeout(150)
  await expect(media.render(long, signal)).rejects.toThrow('aborted')
  expect(existsSync(file)).toBe(false)
  expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([])
  const once = await media.render({ ...long, parts: long.parts.slice(0, 3) })
  expect(once.parts).toHaveLength(3)
})

test('a child killed in the midst is replaced, and the result is the same', async () => {
  const parts = Array.from({ length: 40 }, () => ({ file: join(folder, 'a.wav'), gapAfter: 0.1 }))
  const [killed, whole] = [join(folder, 'killed.aac'), join(folder, 'whole.aac')]
  const render = media.render(request([{ format: 'aac', file: killed, bitRate: 64_000 }], { parts }))
  let child = 0
  while (child === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    child = Number(
      readdirSync(folder)
        .find((name) => name.startsWith('killed.aac.'))
        ?.split('.')[2] ?? 0,
    )
  }
  process.kill(child, 'SIGKILL')
  const undisturbed = await media.render(request([{ format: 'aac', file: whole, bitRate: 64_000 }], { parts }))
  expect(await render).toEqual(undisturbed)
  expect(readFileSync(killed).equals(readFileSync(whole))).toBe(true)
  expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([])
})

test('a closed engine says so', async () => {
  const other = openMedia({ size: 1 })
  const work = other.probe(join(folder, 'a.wav')).catch((error: unknown) => error)
  await other.close()
  expect(await work).toMatchObject({ type: 'media_closed' })
  await expect(other.probe(join(folder, 'a.wav'))).rejects.toMatchObject({ type: 'media_closed' })
})

test('a folder is checked as one delivery: channels must agree, one broken file does not hide the rest', async () => {
  const delivery = mkdtempSync(join(folder, 'delivery-'))
  await media.render(request([{ format: 'mp3', file: join(delivery, '2.mp3'), bitRate: 192_000 }]))
  writeFileSync(join(delivery, '10.wav'), readFileSync(join(folder, 'c.wav')))
  writeFileSync(join(delivery, '1.mp3'), '')
  const report = await media.check([delivery], 'acx')
  expect(report.files.map(({ file, verdict }) => `${file.slice(delivery.length + 1)} ${verdict}`)).toEqual([
    '1.mp3 fail',
    '2.mp3 fail',
    '10.wav fail',
  ])
  expect(verdicts(report, 1)).toEqual(['channels fail'])
})
