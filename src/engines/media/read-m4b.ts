import { type Box, boxesIn, findBox, type MovieFile, openMovie } from './read-boxes.ts'

/** What an audiobook file says of itself. */
export interface M4bContents {
  /** From the text track where there is one, otherwise from Nero's list. Seconds. */
  chapters: { title: string; start: number }[]
  quickTimeChapters: number
  neroChapters: number
  /** iTunes tags by their four-character code ('©nam') or freeform name ('ISBN'); numbers as text. */
  tags: Record<string, string>
  cover: { mediaType: 'image/jpeg' | 'image/png'; bytes: number } | null
  isFastStart: boolean
}

interface Chapter {
  title: string
  start: number
}

const CHAPTER_LIMIT = 100_000
const JPEG = 13
const PNG = 14
const INTEGERS = new Set([21, 22])

/** Reads chapters, tags and cover of an MP4 family file; null when it isn't one. Broken parts are left out. */
export const readM4b = (file: string): M4bContents | null => {
  const opened = openMovie(file)
  if (!opened) return null
  try {
    const { movie } = opened
    const quickTime = quickTimeChapters(opened)
    const nero = neroChapters(movie)
    return {
      chapters: quickTime.length > 0 ? quickTime : nero,
      quickTimeChapters: quickTime.length,
      neroChapters: nero.length,
      ...readItems(movie),
      isFastStart: opened.isFastStart,
    }
  } finally {
    opened.close()
  }
}

const quickTimeChapters = (file: MovieFile): Chapter[] => {
  const { movie } = file
  const tracks = [...boxesIn(movie, 0, movie.length)].filter(({ type }) => type === 'trak')
  const wanted = new Set<number>()
  for (const track of tracks) {
    const reference = findBox(movie, track, 'tref/chap')
    for (const id of reference ? u32s(movie, reference.from, reference.to) : []) wanted.add(id)
  }
  const track = tracks.find((candidate) => {
    const header = findBox(movie, candidate, 'tkhd')
    if (!header || header.to - header.from < 24) return false
    return (
      wanted.has(movie.readUInt32BE(header.from + (movie[header.from] === 1 ? 20 : 12))) &&
      findBox(movie, candidate, 'mdia/minf/stbl')
    )
  })
  return track ? textSamples(file, track) : []
}

/** Samples of a text track with the times at which they begin. */
const textSamples = (file: MovieFile, track: Box): Chapter[] => {
  const { movie } = file
  const table = findBox(movie, track, 'mdia/minf/stbl')!
  const header = findBox(movie, track, 'mdia/mdhd')
  const numbers = (type: string): number[] => {
    const found = findBox(movie, table, type)
    return found ? u32s(movie, found.from + 4, found.to) : []
  }
  if (!header || header.to - header.from < 24) return []
  const timescale = movie.readUInt32BE(header.from + (movie[header.from] === 1 ? 20 : 12)) || 1
  const [fixedSize = 0, count = 0, ...sizes] = numbers('stsz')
  const [, ...durations] = numbers('stts')
  const [, ...runs] = numbers('stsc')
  const large = findBox(movie, table, 'co64')
  const offsets = large ? u64s(movie, large.from + 8, large.to) : numbers('stco').slice(1)
  const chapters: Chapter[] = []
  let time = 0
  let durationRun = 0
  let durationLeft = durations[0] ?? 0
  for (const [chunk, offset] of offsets.entries()) {
    let position = offset
    for (
      let left = samplesInChunk(runs, chunk + 1);
      left > 0 && chapters.length < Math.min(count, CHAPTER_LIMIT);
      left--
    ) {
      const size = fixedSize || (sizes[chapters.length] ?? 0)
      const sample = file.read(position, Math.min(size, 0x10000))
      const length = sample.length >= 2 ? sample.readUInt16BE(0) : 0
      chapters.push({ title: decodeText(sample.subarray(2, 2 + length)), start: time / timescale })
      position += size
      while (durationLeft === 0 && durationRun + 2 < durations.length) durationLeft = durations[(durationRun += 2)] ?? 0
      time += durations[durationRun + 1] ?? 0
      if (durationLeft > 0) durationLeft--
    }
  }
  return chapters
}

/** From stsc's runs of (first chunk, samples a chunk, description). */
const samplesInChunk = (runs: number[], chunk: number): number => {
  let samples = 0
  for (let i = 0; i + 2 < runs.length && runs[i]! <= chunk; i += 3) samples = runs[i + 1]!
  return samples
}

const decodeText = (bytes: Buffer): string => {
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  return bytes.toString('utf8')
}

const neroChapters = (movie: Buffer): Chapter[] => {
  const list = findBox(movie, { from: 0, to: movie.length }, 'udta/chpl')
  if (!list || list.to - list.from < 9) return []
  const chapters: Chapter[] = []
  let at = list.from + (movie[list.from] === 1 ? 8 : 4)
  const count = movie[at++]!
  while (chapters.length < count && at + 9 <= list.to) {
    const start = Number(movie.readBigUInt64BE(at)) / 10_000_000
    const end = at + 9 + movie[at + 8]!
    if (end > list.to) break
    chapters.push({ title: movie.toString('utf8', at + 9, end), start })
    at = end
  }
  return chapters
}

const readItems = (movie: Buffer): Pick<M4bContents, 'tags' | 'cover'> => {
  const tags: Record<string, string> = {}
  let cover: M4bContents['cover'] = null
  const meta = findBox(movie, { from: 0, to: movie.length }, 'udta/meta')
  const list = meta && findBox(movie, { from: meta.from + 4, to: meta.to }, 'ilst')
  for (const item of list ? boxesIn(movie, list.from, list.to) : []) {
    const data = findBox(movie, item, 'data')
    if (!data || data.to - data.from < 8) continue
    const type = movie.readUInt32BE(data.from) & 0xffffff
    const value = movie.subarray(data.from + 8, data.to)
    if (item.type === 'covr') cover = { mediaType: type === PNG ? 'image/png' : 'image/jpeg', bytes: value.length }
    else if (type === JPEG || type === PNG) continue
    else if (INTEGERS.has(type))
      tags[item.type] = value.length > 0 && value.length <= 6 ? String(value.readUIntBE(0, value.length)) : ''
    else tags[nameOf(movie, item)] = value.toString('utf8')
  }
  return { tags, cover }
}

const nameOf = (movie: Buffer, item: Box): string => {
  const name = item.type === '----' ? findBox(movie, item, 'name') : null
  return name && name.to - name.from > 4 ? movie.toString('utf8', name.from + 4, name.to) : item.type
}

const u32s = (bytes: Buffer, from: number, to: number): number[] => {
  const values: number[] = []
  for (let at = from; at + 4 <= to; at += 4) values.push(bytes.readUInt32BE(at))
  return values
}

const u64s = (bytes: Buffer, from: number, to: number): number[] => {
  const values: number[] = []
  for (let at = from; at + 8 <= to; at += 8) values.push(Number(bytes.readBigUInt64BE(at)))
  return values
}
