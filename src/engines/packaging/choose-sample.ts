import type { BookChapter } from './book.ts'

/** ACX audio submission requirements: a retail sample of at most five minutes. Seconds. */
export const longestSample = 5 * 60

// A part's title page is no taste of a book.
const leastChapter = 60

export interface Sample {
  /** Index in the book's chapters. */
  chapter: number
  /** Segments of it, `end` exclusive. */
  segments: { start: number; end: number }
  /** Seconds in the chapter's audio. */
  from: number
  to: number
}

/**
 * Where the retail sample lies: from the start of the first chapter of the body that lasts a minute (the longest where none does), up to
 * the last segment that ends within `limit` seconds. The default leaves room for head and tail. null when nothing is short enough.
 */
export function chooseSample(chapters: BookChapter[], limit = longestSample - 10): Sample | null {
  const spoken = chapters.filter((chapter) => chapter.segments.length)
  const body = spoken.filter((chapter) => chapter.role === 'body')
  const candidates = body.length ? body : spoken
  const longest = candidates.toSorted((a, b) => b.audio.duration - a.audio.duration)[0]
  const chapter = candidates.find(({ audio }) => audio.duration >= leastChapter) ?? longest
  const first = chapter?.segments[0]
  if (!chapter || !first) return null
  const end = chapter.segments.findLastIndex((segment) => segment.to - first.from <= limit) + 1
  const last = chapter.segments[end - 1]
  return last
    ? { chapter: chapters.indexOf(chapter), segments: { start: 0, end }, from: first.from, to: last.to }
    : null
}
