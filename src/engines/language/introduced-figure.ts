import type { Scene } from './rank-reader.ts'
import { TAGS } from './rank-reader.ts'

const INDEFINITE = /^(?:a|an|another|un|una|une|ein|eine|otro|otra)$/u
/** Paragraphs back in which a figure is still new. */
const NEW = 8

/**
 * Somebody unnamed who has just come in ('entró una vieja') and is now said to speak ('gritó la vieja'): nobody else's
 * description. Answers the person's index, or -1.
 */
export function introducedFigure({ book, people, mentions, cues, utterances }: Scene, index: number): number {
  const tag = cues[index]?.list.find((cue) => TAGS.has(cue.slot))
  if (!tag?.noun || tag.person < 0 || people[tag.person]?.keys.length !== 0) return -1
  const here = utterances[index]?.paragraph ?? 0
  for (let at = here; at >= Math.max(0, here - NEW); at--) {
    for (const mention of mentions.of[at] ?? []) {
      if (mention.person !== tag.person || mention.quoted) continue
      const tokens = book.paragraphs[at]?.tokens ?? []
      for (let back = mention.from - 1; back >= mention.from - 4 && tokens[back]?.word; back--) {
        if (INDEFINITE.test(tokens[back]?.lower ?? '')) return tag.person
      }
    }
  }
  return -1
}
