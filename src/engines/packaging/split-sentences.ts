// A full stop after these ends no sentence when a capital follows. Lower case, without the stop.
const abbreviations = new Set(
  (
    'mr mrs ms dr prof rev hon st sr sra srta d dña dr dra ud uds vd vds gen col capt cap lt sgt cpl maj adm gov sen rep pres messrs mme mlle mons ' +
    'mt ft jr no nos núm vol vols ch fig figs pp p ed eds cf vs viz esq bros hr fr frau nr bd'
  ).split(' '),
)

/** Ranges of sentences, UTF-16 offsets within `text`, white space at their ends left out. */
export function splitSentences(text: string, language: string): { start: number; end: number }[] {
  const ranges: { start: number; end: number }[] = []
  let open: number | null = null
  for (const { index, segment } of new Intl.Segmenter(language, { granularity: 'sentence' }).segment(text)) {
    const begin: number = open ?? index
    const whole = text.slice(begin, index + segment.length)
    const rest = text.slice(index + segment.length)
    if (rest.trim() && endsOpen(segment, rest)) {
      open = begin
      continue
    }
    open = null
    const trimmed = whole.trim()
    if (!trimmed) continue
    const start = begin + whole.indexOf(trimmed)
    ranges.push({ start, end: start + trimmed.length })
  }
  return ranges
}

function endsOpen(piece: string, rest: string): boolean {
  if (piece.endsWith('\n')) return false
  // A sentence of closing marks or a dash alone belongs to what surrounds it.
  if (!/[\p{L}\p{N}]/u.test(piece) || !/[\p{L}\p{N}]/u.test(rest)) return true
  const last = /(?:^|[^\p{L}])(\p{L}+)\.\s*$/u.exec(piece)?.[1]
  if (!last) return false
  return abbreviations.has(last.toLowerCase()) || /^\p{Lu}$/u.test(last)
}
