/** Words that end in a full stop without ending a sentence: titles, ranks, months, references; English, Spanish, French, German. */
const ABBREVIATIONS = new Set(
  `mr mrs ms messrs mme mlle mm dr drs prof rev revd hon st ste sr sra srta srs sras sres dn dña d da ud uds vd vds lic ing arq gral
cnel tte sgto cap capt captain col gen lt lieut sgt corp pvt maj adm cmdr gov sen rep pres supt insp esq jr bros
no nos núm nº vol vols ch chap cap caps fig figs pp pág págs ed eds art sec ap apdo tel av avda ave blvd rd
jan feb mar apr jun jul aug sept sep oct nov dec ene abr ago dic
vs viz p cf ca eg ie al approx dept est inc ltd co corp mt ft in lb oz hr hrs min
bzw usw ggf hr fr frl bd evtl nr str`.split(/\s+/),
)
/** These may close a sentence too: they hold it open only before a lower-case word or a number. */
const MAY_CLOSE = new Set('etc jr esq inc ltd co no in al min ed art est usw d mar da fig sec'.split(' '))

const OPENING_WORD = /^(?:he|she|it|the|they|but|and|then|we|you|there|this|that|so|when)\b/iu

const TERMINATOR = /[.!?…。！？]+(?:\s*[.!?…])*/gu
const CLOSER = /["'”’»›)\]}_*」』）】》〉]/u
/** Chinese and Japanese put no space after these. Past a closing mark the sentence may go on (「本当？」と言った。), unless another quotation opens. */
const UNSPACED = /[。！？]$/u
const OPENS_QUOTATION = /[「『“‘（]/u
const OPENING = /^["'“‘«‹„¿¡([—–_*-]+/u

/** Is the full stop at `at` part of an abbreviation or an initial rather than an end? */
function isAbbreviation(text: string, at: number, next: string): boolean {
  let from = at
  while (from > 0 && /[\p{L}\p{M}º]/u.test(text[from - 1] as string)) from--
  const word = text.slice(from, at)
  if (word === '') return false
  const before = text[from - 1]
  if (word.length === 1 && /\p{Lu}/u.test(word) && word !== 'I') return true
  if (word === 'I' && (before === '.' || (before === ' ' && /^\p{Lu}\.?\s*\p{Lu}/u.test(next)))) return before === '.'
  if (word === 'p') return /^\d/u.test(next)
  if (word.length === 1 && before === '.') return /^[\p{Ll}\d]/u.test(next)
  const lower = word.toLowerCase()
  if (!ABBREVIATIONS.has(lower)) return false
  if (lower === 'st' && OPENING_WORD.test(next)) return false
  if (MAY_CLOSE.has(lower)) return /^[\p{Ll}\d]/u.test(next)
  return true
}

/**
 * Ends of the sentences of `text` between `start` and `end`, in ascending order; the last is always `end`.
 * An end lies after the closing marks that belong to the sentence. Offsets are UTF-16.
 */
export function sentenceEnds(text: string, start = 0, end = text.length): number[] {
  const ends: number[] = []
  TERMINATOR.lastIndex = start
  for (let found = TERMINATOR.exec(text); found && found.index < end; found = TERMINATOR.exec(text)) {
    let stop = Math.min(end, found.index + found[0].trimEnd().length)
    const closers = stop
    while (stop < end && CLOSER.test(text[stop] as string)) stop++
    if (stop >= end) break
    const follows = text[stop] as string
    const isUnspaced = UNSPACED.test(found[0]) && (stop === closers || OPENS_QUOTATION.test(follows))
    if (!isUnspaced && !/\s/u.test(follows)) continue
    const rest = text.slice(stop, Math.min(end, stop + 24)).trimStart()
    const next = rest.replace(OPENING, '')
    if (rest === '' || /^\p{Ll}/u.test(next)) continue
    if (found[0] === '.' && isAbbreviation(text, found.index, next)) continue
    ends.push(stop)
  }
  ends.push(end)
  return ends
}
