import type { Quotation } from './mark-quotations.ts'

const OPENING_DASH = /^(?:[—–―]|--|-(?=\s))\s*(?=[\p{L}\p{N}¡¿"“«'‘…._(*])/u
const DASH = /\s*(?:[—–―]|--)|(?<=\s)-(?=\s)/gu
/** A narrator's clause inside Spanish speech begins with a verb of speech, or with any verb in the past. */
const INCISE_VERB =
  /^(?:se |le |les |me |nos |lo |la )*(?:di(?:jo|jeron|je|ce|cen|go|jimos)|\p{L}+(?:ó|aron|ieron|aba|aban|ía|ían|é|í)|hizo|hizo|repuso|puso|quiso|pidió|rió|fue|era|estuvo|tuvo|intervino|contradijo|pregunta|responde|contesta|exclama|murmura|susurra|grita|añade|disse|falou|perguntou|respondeu|fit|dit)(?=[\s,.;:—–―-]|$)/iu
/** `dit Pierre`, `répondit-il`, `demanda la vieille`: French needs no closing dash after it. */
const FRENCH_INCISE =
  /(?<=[,!?…»]\s)(?:s[’'])?(?:\p{L}+(?:a|it|ut|ait|irent|èrent|e|ai|is)(?:-t)?-(?:il|elle|ils|elles|je|on)|(?:dit|fit|répondit|demanda|s’écria|s'écria|reprit|cria|murmura|ajouta|répliqua|continua|interrompit|poursuivit|observa|remarqua|déclara|soupira|balbutia|hurla|souffla|chuchota|lança|expliqua|protesta|insista) (?:\p{Lu}|le |la |l[’']|les |un |une |mon |ma |son |sa |M\. |Mme ))[^.,!?…—–]*/gu

export function opensWithDash(text: string): boolean {
  return OPENING_DASH.test(text)
}

/**
 * Speech of a paragraph that opens with a dialogue dash: `—Hola —dijo Juan—. ¿Qué tal?` has two stretches of speech.
 * A dash after a space opens the narrator's clause, the next one closes it; a clause with no verb is the speaker's own aside.
 */
export function dashSpeech(text: string, language: string): Quotation[] {
  const found: Quotation[] = []
  let from = 0
  const say = (start: number, end: number): void => {
    const until = start + text.slice(start, end).trimEnd().length
    const first = until - text.slice(start, until).trimStart().length
    if (/[\p{L}\p{N}]/u.test(text.slice(first, until))) found.push({ start: first, end: until, open: false })
  }
  const dashes = [...text.matchAll(DASH)].filter((dash) => dash.index > 0)
  for (let i = 0; i < dashes.length; i++) {
    const dash = dashes[i] as RegExpExecArray
    const after = dash.index + dash[0].length
    if (dash.index < from || !/^\s/u.test(dash[0]) || !isIncise(text, dash.index, after)) continue
    say(from, dash.index)
    const closing = dashes
      .slice(i + 1)
      .find((other) => !/^\s/u.test(other[0]) || /^\s/u.test(text[other.index + other[0].length] ?? ' '))
    if (!closing) {
      from = text.length
      break
    }
    from = closing.index + closing[0].length
    while (from < text.length && /[.,;:!?…]/u.test(text[from] as string)) from++
  }
  say(from, text.length)
  return language.startsWith('fr') ? found.flatMap((speech) => cutFrenchIncises(text, speech)) : found
}

function isIncise(text: string, at: number, after: number): boolean {
  const clause = text.slice(after).trimStart()
  if (INCISE_VERB.test(clause)) return true
  return /[.!?…]$/u.test(text.slice(0, at)) && /^\p{Lu}/u.test(clause)
}

function cutFrenchIncises(text: string, speech: Quotation): Quotation[] {
  const pieces: Quotation[] = []
  let from = speech.start
  for (const found of text.slice(speech.start, speech.end).matchAll(FRENCH_INCISE)) {
    const start = speech.start + found.index
    if (start > from) pieces.push({ start: from, end: from + text.slice(from, start).trimEnd().length, open: false })
    from = start + found[0].length
    while (from < speech.end && /[.,;:!?…\s]/u.test(text[from] as string)) from++
  }
  if (from < speech.end) pieces.push({ start: from, end: speech.end, open: false })
  return pieces
}
