import { sentenceEnds } from '../language/split-sentences.ts'
import type { BookChapter, BookSegment } from './book.ts'

/** A stretch of text and when it is heard. */
export interface Cue {
  /** UTF-16 offsets in the chapter's text; never across two blocks. */
  start: number
  end: number
  /** Seconds in the chapter's audio. */
  from: number
  to: number
  segment: BookSegment
}

export type CueLevel = 'word' | 'sentence'

/**
 * A chapter's cues in order. Where a segment has no word timings its sentences get their share of its time by length, which is an
 * estimate within the segment and exact at its ends; at word level such a segment falls back to sentences.
 */
export function findCues(chapter: BookChapter, level: CueLevel): Cue[] {
  const cues: Cue[] = []
  for (const segment of chapter.segments) {
    for (const block of chapter.blocks) {
      const piece = trim(chapter.text, Math.max(segment.start, block.start), Math.min(segment.end, block.end))
      if (!piece) continue
      const words = segment.words.filter(
        (word) => word.start >= piece.start && word.start < piece.end && word.end > word.start,
      )
      if (level === 'word' && words.length) cues.push(...cueWords(chapter.text, piece, segment, words))
      else cues.push(...cueSentences(chapter.text, piece, segment, block.kind === 'verse'))
    }
  }
  return cues
}

interface Range {
  start: number
  end: number
}

function trim(text: string, start: number, end: number): Range | null {
  while (start < end && /\s/.test(text.charAt(start))) start++
  while (end > start && /\s/.test(text.charAt(end - 1))) end--
  return start < end ? { start, end } : null
}

/** Sentences, and the lines of verse, which often has no stops. */
function cueSentences(text: string, piece: Range, segment: BookSegment, verse: boolean): Cue[] {
  const ends = new Set(sentenceEnds(text, piece.start, piece.end))
  if (verse) for (let at = piece.start; at < piece.end; at++) if (text[at] === '\n') ends.add(at)
  let begin = piece.start
  return [...ends]
    .sort((a, b) => a - b)
    .flatMap((end) => {
      const sentence = trim(text, begin, end)
      begin = end
      return sentence ? [{ ...sentence, ...timeOf(segment, sentence.start, sentence.end), segment }] : []
    })
}

/** When a range of a segment's text is heard: by its words, or else by its share of the segment. Seconds. */
export function timeOf(segment: BookSegment, start: number, end: number): { from: number; to: number } {
  const words = segment.words.filter((word) => word.start < end && word.end > start)
  const first = words[0]
  const last = words.at(-1)
  if (first && last && last.to > first.from) return { from: first.from, to: last.to }
  const perCharacter = (segment.to - segment.from) / Math.max(1, segment.end - segment.start)
  return {
    from: segment.from + (start - segment.start) * perCharacter,
    to: segment.from + (end - segment.start) * perCharacter,
  }
}

/** Words take the marks that touch them: quotation marks to the right, stops and dashes to the left. */
function cueWords(text: string, piece: Range, segment: BookSegment, words: BookSegment['words']): Cue[] {
  const cues: Cue[] = []
  for (const word of words) {
    const before = cues.at(-1)
    const wordStart = Math.max(word.start, before?.end ?? piece.start)
    const wordEnd = Math.min(word.end, piece.end)
    if (wordStart >= wordEnd) continue
    let start = piece.start
    if (before) {
      const gap = text.slice(before.end, wordStart)
      const space = gap.search(/\s/)
      const left = space < 0 ? gap.length : space
      const right = space < 0 ? 0 : (/\S*$/.exec(gap)?.[0].length ?? 0)
      before.end += left
      start = wordStart - right
    }
    cues.push({ start, end: wordEnd, from: word.from, to: word.to, segment })
  }
  const last = cues.at(-1)
  if (last) last.end = piece.end
  return cues
}
