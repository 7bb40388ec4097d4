/** UTF-16 offsets. */
export interface TextSpan {
  start: number
  end: number
}

// A run between spaces from its first to its last letter or digit: "don't", "well-known", "3.5", "Mr".
const RUN = /[\p{L}\p{N}](?:[^\s—–…/]*[\p{L}\p{N}\p{M}])?/gu
const UNSPACED = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]/u

/** The words of a text in order. Scripts without spaces are cut by the dictionary of `Intl.Segmenter`. */
export function findWords(text: string, language: string): TextSpan[] {
  if (UNSPACED.test(text)) {
    return [...segmenter(language).segment(text)]
      .filter((piece) => piece.isWordLike)
      .map((piece) => ({ start: piece.index, end: piece.index + piece.segment.length }))
  }
  return Array.from(text.matchAll(RUN), (match) => ({ start: match.index, end: match.index + match[0].length }))
}

const segmenters = new Map<string, Intl.Segmenter>()

function segmenter(language: string): Intl.Segmenter {
  let known = segmenters.get(language)
  if (!known) {
    const [tag] = Intl.Segmenter.supportedLocalesOf([language].filter(isTag))
    segmenters.set(language, (known = new Intl.Segmenter(tag, { granularity: 'word' })))
  }
  return known
}

function isTag(language: string): boolean {
  try {
    return Intl.getCanonicalLocales(language).length > 0
  } catch {
    return false
  }
}
