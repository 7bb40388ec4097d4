import { dashSpeech, opensWithDash } from './dialogue-dashes.ts'
import type { Span } from './segment-block.ts'
import { SPEECH_VERBS, WEAK_SPEECH_VERBS } from './speech-verbs.ts'

/** How a book marks speech; found once for the whole book. */
export interface QuotationStyle {
  /** Single marks (‘…’ or '…') are the outer ones, as British books have it. */
  single: boolean
  /** A paragraph that opens with a dash is speech. */
  dash: boolean
  language: string
}

/** A stretch of speech with its marks. `open`: it goes on in the next paragraph, where the mark is repeated. */
export interface Quotation extends Span {
  open: boolean
  /** Quotations of one number are one utterance; without numbers the paragraphs tell. */
  unit?: number
}

const CLOSERS: Record<string, string> = {
  '“': '”',
  '„': '“”',
  '«': '»',
  '»': '«',
  '‹': '›',
  '›': '‹',
  '「': '」',
  '『': '』',
  '‘': '’',
  '‚': '‘’',
  '"': '"',
  "'": "'",
}
const SINGLE = new Set(['‘', '‚', "'", '‹', '›'])
const DASH_LANGUAGES = /^(es|ca|gl|pt|fr|it|ro|ru|uk|pl|cs|sk|tr|el|hu|sv|da|no|nb|fi)\b/u
const ELISION = /^['’](?:tis|twas|twere|twill|em|til|cause|bout|round|gainst|neath|un|ere|nuff|tain|tisn|twasn)\b/iu

/** Reads the marks of the paragraphs' first characters, where speech shows best. */
export function quotationStyle(paragraphs: string[], language: string): QuotationStyle {
  let single = 0
  let double = 0
  let dash = 0
  for (const text of paragraphs) {
    const first = text[0] ?? ''
    if (opensWithDash(text)) dash++
    else if ((first === '‘' || first === "'") && !ELISION.test(text)) single++
    else if (/["“„«»]/u.test(first)) double++
  }
  const anyDouble = double > 0 ? double : paragraphs.filter((text) => /["“„«]/u.test(text)).length
  return {
    single: single > anyDouble,
    dash: dash > 0 && (DASH_LANGUAGES.test(language) || dash > 4 * (single + double)),
    language,
  }
}

/** The speech of one paragraph, in order, without overlaps. Unbalanced marks never reach past the paragraph. */
export function markQuotations(text: string, style: QuotationStyle): Quotation[] {
  if (style.dash && opensWithDash(text)) return dashSpeech(text, style.language)
  if (/^»\s?\p{L}/u.test(text) && !text.includes('«')) {
    return [{ start: 0, end: text.length, open: true }]
  }
  const found: Quotation[] = []
  let opened = -1
  let closers = ''
  for (let at = 0; at < text.length; at++) {
    const mark = text[at] as string
    if (opened >= 0) {
      if (closers.includes(mark) && closes(text, at, mark)) {
        found.push({ start: opened, end: at + 1, open: false })
        opened = -1
      } else if (mark === '"' && closers === '"' && opensHere(text, at) && at > opened + 1) {
        found.push({ start: opened, end: at, open: false })
        opened = at
      }
    } else if (isOpener(text, at, mark, style)) {
      opened = at
      closers = CLOSERS[mark] as string
    }
  }
  if (opened >= 0 && staysOpen(text, opened)) found.push({ start: opened, end: text.length, open: true })
  return found.filter((quotation) => isSpeech(text, quotation))
}

function isOpener(text: string, at: number, mark: string, style: QuotationStyle): boolean {
  if (!(mark in CLOSERS)) return false
  if (SINGLE.has(mark) && mark !== '‹' && !style.single) return false
  if (mark === '»' || mark === '›') return opensHere(text, at) && text.includes(CLOSERS[mark] as string, at + 1)
  if (mark === "'") return opensHere(text, at) && !ELISION.test(text.slice(at, at + 9))
  if (mark === '"')
    return (
      at === 0 ||
      opensHere(text, at) ||
      (/\S/u.test(text[at + 1] ?? ' ') && !/[\p{L}\d.,!?]/u.test(text[at - 1] ?? ' '))
    )
  return true
}

function opensHere(text: string, at: number): boolean {
  const before = text[at - 1] ?? ' '
  const after = text[at + 1] ?? ' '
  return /[\s([{—–\-_*]/u.test(before) && /[^\s)\]}.,;:!?]/u.test(after)
}

function closes(text: string, at: number, mark: string): boolean {
  if (mark === '"') return !opensHere(text, at)
  if (mark !== '’' && mark !== "'") return true
  const before = text[at - 1] ?? ' '
  const after = text[at + 1] ?? ' '
  if (/[\p{L}\d]/u.test(after)) return false
  if (/[.,!?;:…—–\-)_*"”]/u.test(before)) return true
  if (/\s/u.test(before)) return false
  // A letter before and a space after: a plural's apostrophe, unless no better end follows.
  const rest = text.slice(at + 1)
  const better = rest.search(/[.,!?;:…—–-]['’](?![\p{L}\d])/u)
  const next = rest.search(/(?:^|[\s([—–])['‘](?=\p{L})/u)
  return better < 0 || (next >= 0 && next < better)
}

function staysOpen(text: string, opened: number): boolean {
  const before = text.slice(0, opened).trimEnd()
  return before === '' || /[,:.!?—–-]$/u.test(before)
}

/** Speech, and not a title, a term or a word held up at arm's length. */
function isSpeech(text: string, { start, end, open }: Quotation): boolean {
  if (open) return true
  const inner = text.slice(start + 1, end - 1).trim()
  if (!/[\p{L}\p{N}]/u.test(inner)) return false
  const before = text.slice(0, start).trimEnd()
  if (before === '' || /[,:;.!?…—–)\]_*"”-]$/u.test(before)) return true
  if (introduces(before)) return true
  const words = inner.split(/\s+/u).length
  if (/[,!?…—–-]$/u.test(inner) || /[!?]/u.test(inner)) return true
  return /^\p{Lu}/u.test(inner) ? words > 4 && /[.,]$/u.test(inner) : words > 8
}

/** `she answered "Undoubtedly"`: a verb of speech leads in without a comma. What is called so and so is a name. */
function introduces(before: string): boolean {
  const word = before.match(/\p{L}+$/u)?.[0].toLowerCase() ?? ''
  return SPEECH_VERBS.has(word) && !WEAK_SPEECH_VERBS.has(word) && !/^(?:quoted?|echoe?d?|repeat(?:ed)?)$/u.test(word)
}
