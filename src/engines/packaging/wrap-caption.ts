// Columns of a caption line, as broadcasters have it for Latin script; wide characters take two.
const columns = 42

const wide = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60]/u
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u

export function columnsOf(text: string): number {
  let sum = 0
  for (const character of text) if (!/\p{M}/u.test(character)) sum += wide.test(character) ? 2 : 1
  return sum
}

/** Lines of a caption: one, or two as even as they can be. Longer lines only where there is no place to break. */
export function wrapCaption(text: string, language: string): string[] {
  if (columnsOf(text) <= columns) return [text]
  const place = bestBreak(text, language, false)
  return place === null ? [text] : [text.slice(0, place).trim(), text.slice(place).trim()]
}

/** Cuts a range of `text` into pieces that two lines hold, at clauses where it can. UTF-16 offsets, white space at the ends left out. */
export function cutCaption(
  text: string,
  start: number,
  end: number,
  language: string,
): { start: number; end: number }[] {
  const piece = text.slice(start, end)
  const content = piece.trim()
  if (!content) return []
  const from = start + piece.indexOf(content)
  const range = { start: from, end: from + content.length }
  if (wrapCaption(content, language).every((line) => columnsOf(line) <= columns)) return [range]
  const place = bestBreak(content, language, true)
  if (place === null) return [range]
  return [
    ...cutCaption(text, range.start, range.start + place, language),
    ...cutCaption(text, range.start + place, range.end, language),
  ]
}

/** The place to break that is nearest to the middle; a clause's end may lie a fifth of the text away from a better one. */
function bestBreak(text: string, language: string, atClauses: boolean): number | null {
  const middle = text.length / 2
  let best: number | null = null
  let least = Infinity
  for (const place of breaks(text, language)) {
    const clause = atClauses && /[,;:.!?—–)\]”’»、。]\s*$/u.test(text.slice(Math.max(0, place - 4), place))
    const cost = Math.abs(place - middle) - (clause ? text.length / 5 : 0)
    if (cost >= least) continue
    best = place
    least = cost
  }
  return best
}

function breaks(text: string, language: string): number[] {
  const places: number[] = []
  for (const { index } of new Intl.Segmenter(language, { granularity: 'word' }).segment(text)) {
    if (!index || !text.slice(0, index).trim() || !text.slice(index).trim()) continue
    const before = text.charAt(index - 1)
    const after = text.charAt(index)
    if (/[\s—]/.test(before) && !/[\s\p{Pe}\p{Pf}]/u.test(after)) places.push(index)
    else if (
      (unspaced.test(before) && !/\p{P}/u.test(after)) ||
      (unspaced.test(after) && /[、。！？」』]/u.test(before))
    )
      places.push(index)
  }
  return places
}
