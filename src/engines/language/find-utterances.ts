import type { Book } from './read-paragraphs.ts'

/** What one speaker says in one go: the quotations of a paragraph, or of several while the mark stays open. */
export interface Utterance {
  /** Index of the paragraph it begins in, and of the last. */
  paragraph: number
  last: number
  /** Quotations as [paragraph, index]. */
  parts: [number, number][]
}

export function findUtterances(book: Book): Utterance[] {
  const utterances: Utterance[] = []
  const byUnit = new Map<number, Utterance>()
  let carried: Utterance | null = null
  for (const [index, paragraph] of book.paragraphs.entries()) {
    let current: Utterance | null = null
    for (const [at, quotation] of paragraph.quotations.entries()) {
      if (quotation.unit !== undefined) {
        const known = byUnit.get(quotation.unit)
        if (known) {
          known.parts.push([index, at])
          known.last = index
          continue
        }
      } else if (at === 0 && carried && quotation.start - paragraph.start < 3) {
        current = carried
      }
      if (!current || quotation.unit !== undefined) {
        current = { paragraph: index, last: index, parts: [] }
        utterances.push(current)
        if (quotation.unit !== undefined) byUnit.set(quotation.unit, current)
      }
      current.parts.push([index, at])
      current.last = index
    }
    carried =
      current && paragraph.quotations.at(-1)?.open && paragraph.quotations.at(-1)?.unit === undefined ? current : null
  }
  return utterances
}
