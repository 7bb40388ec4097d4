import { createHash } from 'node:crypto'
import { renameSync, rmSync } from 'node:fs'
import { Problem } from '../../kit/errors.ts'
import { adtsFrames } from './adts.ts'
import { bufferedFile } from './buffered-file.ts'
import { chapterSamples, FRAME_SAMPLES, movieBox, type MovieLayout } from './m4b-movie.ts'
import { type BookMetadata, type Cover, coverKind } from './m4b-tags.ts'
import { box, fourCc, mdatHeader, u32 } from './mp4-boxes.ts'
import { partialFile } from './partial-file.ts'

export interface M4bRequest {
  chapters: {
    /** An ADTS file as `render` writes it. */
    file: string
    title: string
    /** Seconds, as `render` gave it. */
    duration: number
  }[]
  metadata: BookMetadata
  cover?: Cover
  file: string
  /** Bytes from which 64-bit offsets are used; 4 GiB unless a test says otherwise. */
  largeFrom?: number
}

export interface M4bResult {
  /** Seconds. */
  duration: number
  bytes: number
  /** SHA-256 of the file in hex. */
  sha256: string
  /** Seconds at which each chapter begins. */
  chapters: { title: string; start: number }[]
}

/** Sample rates by index, ISO/IEC 14496-3 table 1.18. */
const SAMPLE_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350,
]
const FILE_TYPE = box('ftyp', fourCc('M4B '), u32(0x200), fourCc('M4B M4A mp42isom'))

/**
 * Joins encoded chapters into one audiobook without encoding anew. Each chapter's first frame is the encoder's priming: it is kept once, at the very start,
 * where an edit list hides it, and left out of every other chapter, so that chapters begin where they should to the sample and the book is at most a frame a
 * chapter longer than its chapters. The files are read twice; memory holds two bytes a frame and the index.
 */
export const assembleM4b = (request: M4bRequest): M4bResult => {
  if (request.chapters.length === 0) throw new Problem(400, 'no_chapters', 'An audiobook needs at least one chapter.')
  if (request.cover && !coverKind(request.cover.bytes))
    throw new Problem(415, 'unsupported_cover', 'The cover is neither a JPEG nor a PNG image.')
  const { frameSizes, config, starts, audioBytes } = scanChapters(request.chapters)
  const last = request.chapters.at(-1)!
  const sampleRate = SAMPLE_RATES[(config >> 7) & 15]!
  const encoded = (frameSizes.length - 1) * FRAME_SAMPLES
  const chapters = request.chapters.map(({ title }, i) => ({ title, start: starts[i]! }))
  // Only the last chapter's padding can be hidden; a duration that can't be true is not believed.
  const wanted = starts.at(-1)! + Math.round(last.duration * sampleRate)
  const samples = wanted <= encoded && wanted > encoded - 2 * FRAME_SAMPLES ? wanted : encoded
  const texts = Buffer.concat(chapterSamples(chapters))
  const dataBytes = texts.length + audioBytes
  const isLarge = dataBytes + 64 * frameSizes.length > (request.largeFrom ?? 0xffffffff)
  const layout: MovieLayout = {
    sampleRate,
    config,
    frameSizes,
    samples,
    chapters,
    isLarge,
    channels: (config >> 3) & 15,
    priming: FRAME_SAMPLES,
    metadata: request.metadata,
    cover: request.cover,
  }
  const header = mdatHeader(dataBytes, isLarge)
  const dataStart = FILE_TYPE.length + movieBox(layout, 0, 0).length + header.length
  const temporary = partialFile(request.file, process.pid)
  const hash = createHash('sha256')
  const sink = bufferedFile(temporary, (bytes) => hash.update(bytes))
  try {
    for (const bytes of [FILE_TYPE, movieBox(layout, dataStart, dataStart + texts.length), header, texts])
      sink.write(bytes)
    for (const [i, { file }] of request.chapters.entries()) {
      let isPriming = i > 0
      for (const { bytes } of adtsFrames(file)) {
        if (!isPriming) sink.write(bytes)
        isPriming = false
      }
    }
    sink.flush()
    sink.close()
    renameSync(temporary, request.file)
  } finally {
    sink.close()
    rmSync(temporary, { force: true })
  }
  return {
    duration: samples / sampleRate,
    bytes: dataStart + dataBytes,
    sha256: hash.digest('hex'),
    chapters: chapters.map(({ title, start }) => ({ title, start: start / sampleRate })),
  }
}

/** Sizes of all frames that stay, and the sample at which each chapter begins. */
const scanChapters = (chapters: M4bRequest['chapters']) => {
  let frameSizes = new Uint16Array(1 << 16)
  let count = 0
  let audioBytes = 0
  let config = -1
  const starts: number[] = []
  for (const [i, chapter] of chapters.entries()) {
    starts.push(Math.max(0, count - 1) * FRAME_SAMPLES)
    let frames = 0
    for (const frame of adtsFrames(chapter.file)) {
      if (config < 0) config = frame.config
      if (frame.config !== config)
        throw new Problem(
          422,
          'chapters_differ',
          `${chapter.file} has another sample rate, profile or channel layout than the chapters before it.`,
          { file: chapter.file },
        )
      if (frames++ === 0 && i > 0) continue
      if (count === frameSizes.length) {
        const longer = new Uint16Array(count * 2)
        longer.set(frameSizes)
        frameSizes = longer
      }
      frameSizes[count++] = frame.bytes.length
      audioBytes += frame.bytes.length
    }
    if (frames < 2)
      throw new Problem(422, 'unreadable_audio', `${chapter.file} holds no audio.`, { file: chapter.file })
  }
  return { frameSizes: frameSizes.subarray(0, count), config, starts, audioBytes }
}
