import { packedLanguage } from './language-codes.ts'
import { type BookMetadata, type Cover, metadataBox } from './m4b-tags.ts'
import { box, cutUtf8, fourCc, fullBox, u16, u32, u64, u8 } from './mp4-boxes.ts'

/** Where everything of the file lies, before a byte of it is written. */
export interface MovieLayout {
  sampleRate: number
  channels: number
  /** AudioSpecificConfig. */
  config: number
  /** Bytes of each AAC frame. */
  frameSizes: Uint16Array
  /** Samples before the first that is heard. */
  priming: number
  /** Samples that are heard. */
  samples: number
  chapters: { title: string /** Sample at which it begins. */; start: number }[]
  metadata: BookMetadata
  cover: Cover | undefined
  isLarge: boolean
}

export const FRAME_SAMPLES = 1024
/** Frames a chunk: about ten seconds, so that the offset table stays small and players seek with one read. */
const CHUNK_FRAMES = 430
const NERO_LIMIT = 255
const TITLE_LIMIT = 255
const TEXT_TIMESCALE = 1000
const UNITY_MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)

/** Text samples of the QuickTime chapter track: length, UTF-8, and the atom that says it is UTF-8. */
export const chapterSamples = (chapters: MovieLayout['chapters']): Buffer[] =>
  chapters.map(({ title }) => {
    const text = cutUtf8(title, 0xffff)
    return Buffer.concat([u16(text.length), text, box('encd', u32(0x100))])
  })

/** moov with the audio at `audioOffset` and the chapter texts at `textOffset` of the file. Its length doesn't depend on the two. */
export const movieBox = (layout: MovieLayout, textOffset: number, audioOffset: number): Buffer => {
  const timed = versionFor(layout)
  const header = timed('mvhd', 0, (time) => [
    time(0),
    time(0),
    u32(layout.sampleRate),
    time(layout.samples),
    u32(0x10000),
    u16(0x100, 0),
    u32(0, 0),
    UNITY_MATRIX,
    u32(0, 0, 0, 0, 0, 0, 3),
  ])
  const extra = [
    metadataBox(layout.metadata, layout.cover),
    ...(layout.chapters.length > 0 ? [neroChapters(layout)] : []),
  ]
  const tracks = [
    audioTrack(layout, audioOffset),
    ...(layout.chapters.length > 0 ? [textTrack(layout, textOffset)] : []),
  ]
  return box('moov', header, ...tracks, box('udta', ...extra))
}

/** Full boxes with times: 32 bits, or 64 (version 1) for books of more than a day. */
const versionFor = ({ samples, priming }: MovieLayout) => {
  const isLong = samples + priming + 4 * FRAME_SAMPLES > 0x7fffffff
  const time = isLong ? (value: number) => u64(value) : (value: number) => u32(value)
  return (type: string, flags: number, payload: (time: (value: number) => Buffer) => Buffer[]) =>
    fullBox(type, isLong ? 1 : 0, flags, ...payload(time))
}

const audioTrack = (layout: MovieLayout, offset: number): Buffer => {
  const timed = versionFor(layout)
  const { frameSizes, sampleRate, channels, samples, priming, isLarge } = layout
  const mediaDuration = frameSizes.length * FRAME_SAMPLES
  const edit = timed('elst', 0, (time) => [u32(1), time(samples), time(priming), u16(1, 0)])
  const description = fullBox(
    'stsd',
    0,
    0,
    u32(1),
    box('mp4a', u32(0), u16(0, 1), u32(0, 0), u16(channels, 16, 0, 0), u32(sampleRate << 16), elementaryStream(layout)),
  )
  const chunkOffsets: number[] = []
  let at = offset
  for (const [i, size] of frameSizes.entries()) {
    if (i % CHUNK_FRAMES === 0) chunkOffsets.push(at)
    at += size
  }
  const rest = frameSizes.length % CHUNK_FRAMES
  const chunks = chunkOffsets.length
  const runs =
    rest === 0 || chunks === 1
      ? [[1, rest || CHUNK_FRAMES, 1]]
      : [
          [1, CHUNK_FRAMES, 1],
          [chunks, rest, 1],
        ]
  const sizes = Buffer.alloc(frameSizes.length * 4)
  for (const [i, size] of frameSizes.entries()) sizes.writeUInt32BE(size, i * 4)
  const table = box(
    'stbl',
    description,
    fullBox('stts', 0, 0, u32(1, frameSizes.length, FRAME_SAMPLES)),
    fullBox('stsc', 0, 0, u32(runs.length, ...runs.flat())),
    fullBox('stsz', 0, 0, u32(0, frameSizes.length), sizes),
    isLarge
      ? fullBox('co64', 0, 0, u32(chunks), u64(...chunkOffsets))
      : fullBox('stco', 0, 0, u32(chunks), u32(...chunkOffsets)),
    // Each frame needs the one before it to decode (ISO/IEC 14496-12, 10.1).
    fullBox('sgpd', 1, 0, fourCc('roll'), u32(2, 1), u16(0xffff)),
    fullBox('sbgp', 0, 0, fourCc('roll'), u32(1, frameSizes.length, 1)),
  )
  return box(
    'trak',
    trackHeader(layout, 1, 7, 0x100),
    box('edts', edit),
    ...(layout.chapters.length > 0 ? [box('tref', box('chap', u32(2)))] : []),
    box(
      'mdia',
      timed('mdhd', 0, (time) => [
        time(0),
        time(0),
        u32(sampleRate),
        time(mediaDuration),
        u16(packedLanguage(layout.metadata.language), 0),
      ]),
      handler('soun', 'Audio'),
      box('minf', fullBox('smhd', 0, 0, u32(0)), dataInformation(), table),
    ),
  )
}

/** Descriptors of ISO/IEC 14496-1 around the AudioSpecificConfig. */
const elementaryStream = ({ config, frameSizes, sampleRate }: MovieLayout): Buffer => {
  let total = 0
  let largest = 0
  for (const size of frameSizes) {
    total += size
    if (size > largest) largest = size
  }
  const perSecond = sampleRate / FRAME_SAMPLES
  const average = Math.round(((total * 8) / frameSizes.length) * perSecond)
  const descriptor = (tag: number, ...payload: Buffer[]) => {
    const body = Buffer.concat(payload)
    return Buffer.concat([u8(tag, 0x80, 0x80, 0x80, body.length), body])
  }
  const decoder = descriptor(
    4,
    u8(0x40, 0x15),
    u32(largest).subarray(1),
    u32(Math.round(largest * 8 * perSecond), average),
    descriptor(5, u16(config)),
  )
  return fullBox('esds', 0, 0, descriptor(3, u16(0), u8(0), decoder, descriptor(6, u8(2))))
}

/** The disabled text track that Apple's players take chapters from. */
const textTrack = (layout: MovieLayout, offset: number): Buffer => {
  const starts = [...layout.chapters.map(({ start }) => start), layout.samples].map((start) =>
    Math.round((start * TEXT_TIMESCALE) / layout.sampleRate),
  )
  const samples = chapterSamples(layout.chapters)
  const durations = samples.map((_, i) => u32(1, Math.max(0, starts[i + 1]! - starts[i]!)))
  const total = starts.at(-1)!
  const description = fullBox(
    'stsd',
    0,
    0,
    u32(1),
    // Centred, black on white; nothing of it is ever drawn.
    box(
      'text',
      u32(0),
      u16(0, 1),
      u32(1, 1),
      Buffer.alloc(6),
      u64(0),
      u64(0),
      u16(0, 0),
      u8(0),
      u16(0),
      u16(0, 0, 0),
      u8(0),
    ),
  )
  const table = box(
    'stbl',
    description,
    fullBox('stts', 0, 0, u32(samples.length), ...durations),
    fullBox('stsc', 0, 0, u32(1, 1, samples.length, 1)),
    fullBox('stsz', 0, 0, u32(0, samples.length), ...samples.map(({ length }) => u32(length))),
    layout.isLarge ? fullBox('co64', 0, 0, u32(1), u64(offset)) : fullBox('stco', 0, 0, u32(1, offset)),
  )
  const mediaHeader = box(
    'gmhd',
    fullBox('gmin', 0, 0, u16(0x40, 0x8000, 0x8000, 0x8000, 0, 0)),
    box('text', UNITY_MATRIX),
  )
  return box(
    'trak',
    trackHeader(layout, 2, 2, 0),
    box(
      'mdia',
      fullBox('mdhd', 0, 0, u32(0, 0, TEXT_TIMESCALE, total), u16(packedLanguage(layout.metadata.language), 0)),
      handler('text', 'Chapters'),
      box('minf', mediaHeader, dataInformation(), table),
    ),
  )
}

const trackHeader = (layout: MovieLayout, id: number, flags: number, volume: number): Buffer =>
  versionFor(layout)('tkhd', flags, (time) => [
    time(0),
    time(0),
    u32(id, 0),
    time(layout.samples),
    u32(0, 0),
    u16(0, 0, volume, 0),
    UNITY_MATRIX,
    u32(0, 0),
  ])

const handler = (type: string, name: string): Buffer =>
  fullBox('hdlr', 0, 0, u32(0), fourCc(type), u32(0, 0, 0), fourCc(name), u8(0))

const dataInformation = (): Buffer => box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)))

/** Nero's chapter list: starts in 100 ns, at most 255 of them with titles of at most 255 bytes. Players that know the text track show the rest. */
const neroChapters = ({ chapters, sampleRate }: MovieLayout): Buffer => {
  const listed = chapters.slice(0, NERO_LIMIT)
  const entries = listed.map(({ title, start }) => {
    const text = cutUtf8(title, TITLE_LIMIT)
    return Buffer.concat([u64(Math.round((start * 10_000_000) / sampleRate)), u8(text.length), text])
  })
  return fullBox('chpl', 1, 0, u32(0), u8(listed.length), ...entries)
}
