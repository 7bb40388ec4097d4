import { sentenceEnds } from '../language/split-sentences.ts'
import type { BookChapter } from './book.ts'
import { type Cue, findCues } from './find-cues.ts'

/** A stretch of text that a reading system highlights while it is heard; offsets and seconds as in `Cue`. */
export type Highlight = Pick<Cue, 'start' | 'end' | 'from' | 'to'>

/**
 * How many highlights a book may have before sentences share them. EPUBCheck before version 5.0 (Debian 12 has 4.2.6, and shops run old
 * ones) puts one call on its stack for each text element of all the overlays of a book, until the last of them
 * (XRefChecker.checkReadingOrder, w3c/epubcheck issue 1358); neither files nor nesting nor the order of the spine changes that number.
 * On the 1 MiB of stack that Java 17 gives by default EPUBCheck 4.2.6 took 4,200 and died at 4,500; that method called alone reached 3,375
 * calls when the compiler kept pace and 5,894 interpreted. The frames' size hangs on how soon and how the compiler takes its turn, so
 * the limit lies below the smallest of these. (Java told to compile everything at once, with its first compiler only, dies at 3,000 too.)
 */
export const mostHighlights = 3000

/** A sentence with the words around its speech, whoever says which part; the lines of verse one by one. */
interface Sentence extends Highlight {
  /** Where its block ends. */
  block: number
}

function findSentences(chapter: BookChapter): Sentence[] {
  const ends = chapter.blocks.flatMap((block) =>
    block.kind === 'verse'
      ? [...chapter.text.slice(block.start, block.end).matchAll(/\n|$/g)].map((line) => ({
          end: block.start + line.index,
          block: block.end,
        }))
      : sentenceEnds(chapter.text, block.start, block.end).map((end) => ({ end, block: block.end })),
  )
  const sentences: Sentence[] = []
  let next = 0
  let open = -1
  for (const { start, end, from, to } of findCues(chapter, 'sentence')) {
    while (next < ends.length - 1 && (ends[next]?.end ?? 0) < end) next++
    const last = sentences.at(-1)
    if (last && open === next) Object.assign(last, { end, to })
    else sentences.push({ start, end, from, to, block: ends[next]?.block ?? end })
    open = next
  }
  return sentences
}

function fill(sentences: Sentence[], length: number): Sentence[] {
  const joined: Sentence[] = []
  for (const sentence of sentences) {
    const last = joined.at(-1)
    if (last && last.block === sentence.block && sentence.end - last.start <= length)
      Object.assign(last, { end: sentence.end, to: sentence.to })
    else joined.push({ ...sentence })
  }
  return joined
}

/** Sentences of a chapter, in which neighbours in a paragraph share a highlight of at most `length` characters. */
export const joinSentences = (chapter: BookChapter, length: number): Highlight[] => fill(findSentences(chapter), length)

/**
 * The smallest length of a shared highlight that leaves a book no more than `most` of them, in characters (UTF-16); 0 joins only the
 * parts of one sentence that several speak. Null where a highlight for each paragraph is still too many.
 */
export function chooseLength(chapters: BookChapter[], most: number): number | null {
  const book = chapters.map(findSentences)
  const count = (length: number) => book.reduce((sum, sentences) => sum + fill(sentences, length).length, 0)
  let low = 0
  let high = Math.max(0, ...chapters.flatMap(({ blocks }) => blocks.map(({ start, end }) => end - start)))
  if (count(high) > most) return null
  while (low < high) {
    const middle = (low + high) >> 1
    if (count(middle) > most) low = middle + 1
    else high = middle
  }
  return high
}
