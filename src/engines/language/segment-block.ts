import { sentenceEnds } from './split-sentences.ts'

/** UTF-16 offsets. */
export interface Span {
  start: number
  end: number
}

export interface Stretch extends Span {
  speech: boolean
}

const WORD = /[\p{L}\p{N}]/u
const CLAUSE_END = /[;:,—–)]["'”’»]*\s/gu

/**
 * Cuts one block into stretches of speech and of narration, each no longer than `target` characters where its sentences
 * allow. A sentence is cut, at a clause or else at a space, only if it alone is longer than `hard`. What lies between
 * two stretches is white space; a stretch always has a word, so dashes and marks that stand alone go with a neighbour.
 * The result depends on the block alone: an edit elsewhere leaves it as it is.
 */
export function segmentBlock(text: string, block: Span, quotations: Span[], target: number, hard: number): Stretch[] {
  const stretches: Stretch[] = []
  let at = block.start
  for (const quotation of quotations) {
    if (quotation.start > at) stretches.push({ start: at, end: quotation.start, speech: false })
    stretches.push({ start: quotation.start, end: quotation.end, speech: true })
    at = quotation.end
  }
  if (at < block.end) stretches.push({ start: at, end: block.end, speech: false })
  return joinWordless(text, stretches).flatMap((stretch) => cutStretch(text, stretch, target, hard))
}

function joinWordless(text: string, stretches: Stretch[]): Stretch[] {
  const joined: Stretch[] = []
  let pending: number | null = null
  for (const stretch of stretches) {
    const content = text.slice(stretch.start, stretch.end)
    const last = joined.at(-1)
    if (WORD.test(content)) {
      joined.push({ ...stretch, start: pending ?? stretch.start })
      pending = null
    } else if (content.trim() !== '') {
      if (last) last.end = stretch.end
      else pending ??= stretch.start
    }
  }
  if (joined.length === 0 && pending !== null) {
    joined.push({ start: pending, end: stretches.at(-1)?.end ?? pending, speech: false })
  }
  return joined
}

function cutStretch(text: string, stretch: Stretch, target: number, hard: number): Stretch[] {
  const pieces: Stretch[] = []
  let from = stretch.start
  let until = stretch.start
  const flush = (): void => {
    const piece = trim(text, from, until)
    if (piece) pieces.push({ ...piece, speech: stretch.speech })
    from = until
  }
  for (const end of sentenceEnds(text, stretch.start, stretch.end)) {
    if (until > from && end - from > target) flush()
    until = end
    while (until - from > hard) {
      const whole = until
      until = clauseEnd(text, from, from + hard)
      flush()
      until = whole
    }
  }
  flush()
  return joinWordless(text, pieces)
}

/** Where to cut text that has no sentence end before `limit`: after a clause, else at a space, else between characters. */
function clauseEnd(text: string, from: number, limit: number): number {
  const part = text.slice(from, limit)
  const least = part.length / 2
  let cut = -1
  for (const found of part.matchAll(CLAUSE_END)) if (found.index >= least) cut = found.index + found[0].length
  if (cut < 0) cut = part.search(/\s\S*$/u)
  if (cut <= 0) return /[\uD800-\uDBFF]/u.test(part.at(-1) ?? '') && part.length > 1 ? limit - 1 : limit
  return from + cut
}

export function trim(text: string, start: number, end: number): Span | null {
  let from = start
  let until = end
  while (from < until && /\s/u.test(text[from] as string)) from++
  while (until > from && /\s/u.test(text[until - 1] as string)) until--
  return from < until ? { start: from, end: until } : null
}
