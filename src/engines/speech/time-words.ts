import type { WordTiming } from './speech.ts'
import type { TextSpan } from './find-words.ts'

/** What a synthesiser reported, in order of time: a word began at an offset of the text, or sound stopped. */
export interface SpeechMark {
  /** Seconds. */
  at: number
  /** UTF-16 offset in the spoken text of the word that begins; null where a pause or the end begins. */
  offset: number | null
}

/**
 * Gives every word its time. A word that the synthesiser ran into the one before ("of the") has a share of their time by length;
 * a word ends where the next begins, or at the pause before it.
 * @param duration seconds of the whole audio
 */
export function timeWords(words: TextSpan[], marks: SpeechMark[], duration: number): WordTiming[] {
  const timings: WordTiming[] = []
  /** Times the words from the last timed one up to `past`. */
  const share = (past: number, from: number, to: number): void => {
    let left = 0
    for (let i = timings.length; i < past; i++) left += words[i]!.end - words[i]!.start
    let at = from
    for (let i = timings.length; i < past; i++) {
      const { start, end } = words[i]!
      const until = i === past - 1 ? to : at + ((to - at) * (end - start)) / left
      left -= end - start
      timings.push({ start, end, from: round(at), to: round(until) })
      at = until
    }
  }

  let cursor = 0
  let speaking = -1
  let since = 0
  let stopped: number | undefined
  for (const mark of marks) {
    const { offset } = mark
    if (offset !== null) while (cursor < words.length && words[cursor]!.end <= offset) cursor++
    const word = words[cursor]
    if (offset === null || !word || offset < word.start) {
      stopped ??= mark.at
      continue
    }
    if (cursor > speaking) {
      const at = Math.max(mark.at, since)
      share(cursor, since, Math.min(stopped ?? at, at))
      speaking = cursor
      since = at
    }
    // A pause inside a word is a part of it.
    stopped = undefined
  }
  share(words.length, since, Math.max(since, stopped ?? duration))
  return timings
}

/** A tenth of a millisecond: finer than any caption, and short in JSON. */
const round = (seconds: number): number => Math.round(seconds * 10_000) / 10_000
