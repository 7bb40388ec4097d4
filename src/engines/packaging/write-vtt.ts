import { type BookChapter, canonicalLanguage } from './book.ts'
import { findCues, timeOf } from './find-cues.ts'
import { cutCaption, wrapCaption } from './wrap-caption.ts'

/**
 * WebVTT of a chapter, a cue a sentence, cut where two lines of 42 columns don't hold it. Characters' lines carry their voice
 * (`<v Name>`). Cues never overlap and last a millisecond at least.
 */
export function writeVtt(chapter: BookChapter, language: string): string {
  const tag = canonicalLanguage(language)
  let end = 0
  const cues = findCues(chapter, 'sentence').flatMap((cue) =>
    cutCaption(chapter.text, cue.start, cue.end, tag).flatMap((piece) => {
      const text = clean(chapter.text.slice(piece.start, piece.end))
      if (!text) return []
      const time = timeOf(cue.segment, piece.start, piece.end)
      const from = Math.max(end, Math.round(time.from * 1000))
      end = Math.max(from + 1, Math.round(time.to * 1000))
      const speaker = clean(cue.segment.speaker ?? '')
      const voice = speaker ? `<v ${escape(speaker)}>` : ''
      return [`${timestamp(from)} --> ${timestamp(end)}\n${voice}${wrapCaption(text, tag).map(escape).join('\n')}\n`]
    }),
  )
  return ['WEBVTT\n', ...cues].join('\n')
}

const clean = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\s\u2028\u2029]+/gu, ' ')
    .trim()

// W3C WebVTT section 4.2.2: "&" and "<" are escaped in cue text, ">" too so that "-->" can't appear.
const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** hh:mm:ss.mmm of milliseconds. */
export function timestamp(milliseconds: number): string {
  const pad = (value: number, width: number) => String(Math.floor(value)).padStart(width, '0')
  const seconds = milliseconds / 1000
  return `${pad(seconds / 3600, 2)}:${pad((seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}.${pad(milliseconds % 1000, 3)}`
}
