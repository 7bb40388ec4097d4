import type { Gender } from './cast.ts'
import type { Mention, Mentions } from './find-mentions.ts'
import type { Utterance } from './find-utterances.ts'
import { honorific } from './honorifics.ts'
import { PERSON_NOUNS } from './person-nouns.ts'
import type { Book, Paragraph, Token } from './read-paragraphs.ts'
import { SPEECH_VERBS, WEAK_SPEECH_VERBS } from './speech-verbs.ts'

/** Where the narration points to somebody, from the strongest place to the weakest. */
export const SLOTS = [
  'inverted', // “…,” said Emma
  'after', // “…,” Emma said
  'before', // Emma said, “…”
  'subjectAfter', // “…” Emma rose.
  'subjectBefore', // Emma rose. “…”
  'inside', // elsewhere in the paragraph's narration
  'object', // to Emma, at Emma
  'trail', // subject of what follows the speech of the paragraph before
  'previous', // subject of the last sentence of a paragraph of narration before
  'previousAny',
  'next', // subject of the first sentence of a paragraph of narration after
] as const
export type Slot = (typeof SLOTS)[number]

export interface Cue {
  slot: Slot
  /** A person's index, or -1 for a pronoun or an unknown figure. */
  person: number
  gender: Gender | null
  /** 'I' */
  self: boolean
  plural: boolean
  /** 'mother' in 'said her mother' */
  noun: string | null
  /** Token of the paragraph, for its place. */
  paragraph: number
  from: number
}

export interface Cues {
  list: Cue[]
  /** A verb of speech that no subject goes with: `—dijo—`. */
  bareVerb: boolean
  /** The narration runs into the quotation by a comma or a colon. */
  leadsIn: boolean
}

const PREPOSITION =
  /^(?:to|of|with|at|for|from|by|in|on|upon|about|after|before|behind|beside|between|near|over|under|than|like|against|towards?|into|round|and|a|al|de|del|con|por|para|sobre|hacia|à|de|avec|zu|mit|von)$/u
const MODIFIER =
  /^(?:the|an|this|that|his|her|their|my|our|your|old|young|poor|good|little|other|el|la|su|mi|le|der|die|das|\p{Ll}+(?:ed|ing|ish|ful|ous|al|y))$/u
const PRONOUNS: Record<string, { gender: Gender | null; self: boolean; plural: boolean }> = Object.fromEntries([
  ...['he', 'él', 'il', 'er'].map((word) => [word, { gender: 'male', self: false, plural: false }]),
  ...['she', 'ella', 'elle', 'sie'].map((word) => [word, { gender: 'female', self: false, plural: false }]),
  ...['i', 'yo', 'je', 'ich'].map((word) => [word, { gender: null, self: true, plural: false }]),
  ...['they', 'we', 'ellos', 'ellas', 'ils', 'elles'].map((word) => [
    word,
    { gender: null, self: false, plural: true },
  ]),
])
/** Spanish says 'I' in the verb alone. */
const SELF_VERB =
  /^(?:dije|repuse|propuse|quise|pedí|respondí|contesté|pregunté|exclamé|grité|susurré|murmuré|repliqué|insistí|expliqué|admití|comenté|añadí|continué|proseguí|comencé|dudé|balbuceé|reconocí|confesé|mentí|protesté|digo|respondo|pregunto|contesto)$/u

interface Reference extends Omit<Cue, 'slot'> {
  at: number
  object: boolean
  possessive: boolean
  inverted: boolean
  direct: boolean
}

export interface CueReader {
  book: Book
  mentions: Mentions
}

/** What the narration around an utterance says about its speaker. */
export function findCues(reader: CueReader, utterance: Utterance): Cues {
  const { paragraphs } = reader.book
  const cues: Cues = { list: [], bareVerb: false, leadsIn: false }
  const own = new Map<number, number[]>()
  for (const [paragraph, quotation] of utterance.parts) own.set(paragraph, [...(own.get(paragraph) ?? []), quotation])
  for (const [index, quotations] of own) {
    const paragraph = paragraphs[index] as Paragraph
    for (const quotation of quotations) around(reader, index, paragraph, quotation, quotations, cues)
  }
  const first = utterance.paragraph
  const before = paragraphs[first - 1]
  if (before && before.chapter === paragraphs[first]?.chapter && !before.heading) {
    const to = before.tokens.length
    const tail = before.quotations.length > 0 ? lastIndex(before.tokens, (token) => token.quotation >= 0) + 1 : 0
    if (tail < to) {
      const from = lastSentence(before.tokens, tail, to)
      const refs = references(reader, first - 1, from, to).filter((ref) => !ref.object)
      if (tail > 0) push(cues, refs.slice(0, 1), 'trail')
      else {
        push(cues, refs.slice(0, 1), 'previous')
        push(
          cues,
          references(reader, first - 1, 0, to).filter((ref) => !ref.object),
          'previousAny',
        )
        if (before.tokens.at(-1)?.text === ':') cues.leadsIn = true
      }
    }
  }
  const after = paragraphs[utterance.last + 1]
  if (after && after.quotations.length === 0 && !after.heading && after.chapter === paragraphs[first]?.chapter) {
    const to = firstSentence(after.tokens, 0, after.tokens.length)
    push(
      cues,
      references(reader, utterance.last + 1, 0, to)
        .filter((ref) => !ref.object)
        .slice(0, 1),
      'next',
    )
  }
  return cues
}

function around(
  reader: CueReader,
  index: number,
  paragraph: Paragraph,
  quotation: number,
  own: number[],
  cues: Cues,
): void {
  const { tokens } = paragraph
  const begin = tokens.findIndex((token) => token.quotation === quotation)
  if (begin < 0) return
  let end = begin
  while (end < tokens.length && tokens[end]?.quotation === quotation) end++
  let stop = end
  while (stop < tokens.length && tokens[stop]?.quotation === -1) stop++
  let start = begin
  while (start > 0 && tokens[start - 1]?.quotation === -1) start--

  if (stop > end) {
    const limit = firstSentence(tokens, end, stop)
    const tagged = sentenceCues(reader, index, end, limit, true, cues)
    const shared = stop < tokens.length && !own.includes(tokens[stop]?.quotation ?? -1)
    if (!shared || !tagged)
      push(
        cues,
        references(reader, index, limit, stop).filter((ref) => !ref.object),
        'inside',
      )
  }
  if (begin > start) {
    const mine = start === 0 || own.includes(tokens[start - 1]?.quotation ?? -1)
    const limit = lastSentence(tokens, start, begin)
    if (limit > start || start === 0 || !mine) {
      if (/^[,:]$/u.test(lastMark(tokens, start, begin))) cues.leadsIn = true
      sentenceCues(reader, index, limit, begin, false, cues)
    }
    if (start === 0)
      push(
        cues,
        references(reader, index, start, limit).filter((ref) => !ref.object),
        'inside',
      )
  }
}

/** Cues of the one sentence that touches a quotation. Answers whether it has a verb of speech. */
function sentenceCues(reader: CueReader, index: number, from: number, to: number, after: boolean, cues: Cues): boolean {
  const { tokens } = reader.book.paragraphs[index] as Paragraph
  const refs = references(reader, index, from, to)
  let verb = -1
  for (let i = from; i < to && verb < 0; i++) if (isSpeechVerb(tokens, i, from, after)) verb = i
  const free = refs.filter((ref) => !ref.object && !ref.possessive)
  const inverted = verb >= 0 ? free.find((ref) => ref.inverted && ref.at <= verb + 5) : undefined
  const direct = verb >= 0 ? (inverted ?? free.find((ref) => ref.at < verb)) : undefined
  const subject = inverted ?? direct ?? (verb >= 0 && after ? undefined : free[0])
  if (verb >= 0 && SELF_VERB.test(tokens[verb]?.lower ?? '')) {
    cues.list.push({
      slot: after ? 'after' : 'before',
      person: -1,
      gender: null,
      self: true,
      plural: false,
      noun: null,
      paragraph: index,
      from: verb,
    })
  } else if (verb >= 0 && !subject) cues.bareVerb = true
  if (subject) {
    const slot =
      verb < 0
        ? after
          ? 'subjectAfter'
          : 'subjectBefore'
        : !after
          ? 'before'
          : subject === inverted
            ? 'inverted'
            : 'after'
    push(cues, [subject], slot)
  }
  push(
    cues,
    free.filter((ref) => ref !== subject),
    'inside',
  )
  push(
    cues,
    refs.filter((ref) => ref.object),
    'object',
  )
  return verb >= 0
}

function isSpeechVerb(tokens: Token[], at: number, from: number, after: boolean): boolean {
  const word = tokens[at]?.lower ?? ''
  if (!SPEECH_VERBS.has(word)) return false
  if (!WEAK_SPEECH_VERBS.has(word)) return true
  return !after || at - from < 6
}

function push(cues: Cues, refs: Reference[], slot: Slot): void {
  for (const { person, gender, self, plural, noun, paragraph, from } of refs) {
    cues.list.push({ slot, person, gender, self, plural, noun, paragraph, from })
  }
}

function references({ book, mentions }: CueReader, index: number, from: number, to: number): Reference[] {
  const { tokens } = book.paragraphs[index] as Paragraph
  const named = new Map<number, Mention>()
  for (const mention of mentions.of[index] as Mention[])
    if (mention.from >= from && mention.from < to) named.set(mention.from, mention)
  const found: Reference[] = []
  for (let at = from; at < to; at++) {
    const token = tokens[at] as Token
    if (token.quotation >= 0) continue
    const mention = named.get(at)
    const pronoun = mention ? undefined : PRONOUNS[token.lower]
    const noun =
      !pronoun &&
      (!token.capital || /^(?:the|el|la|der|die)$/u.test(tokens[at - 1]?.lower ?? '')) &&
      PERSON_NOUNS.has(token.lower)
        ? token.lower
        : null
    if (!mention && !pronoun && !noun) continue
    let lead = at - 1
    while (
      lead >= from &&
      lead > at - 5 &&
      (mention || noun) &&
      MODIFIER.test(tokens[lead]?.lower ?? '') &&
      !SPEECH_VERBS.has(tokens[lead]?.lower ?? '')
    )
      lead--
    const before = lead >= from ? (tokens[lead]?.lower ?? '') : ''
    if (noun && !mention && lead === at - 1 && !/^[,.—]?$/u.test(before)) continue
    const inverted =
      SPEECH_VERBS.has(before) || (/^[\p{Ll}]+ly$/u.test(before) && SPEECH_VERBS.has(tokens[lead - 1]?.lower ?? ''))
    found.push({
      at,
      paragraph: index,
      from: at,
      person: mention?.person ?? -1,
      gender: pronoun?.gender ?? (noun ? (PERSON_NOUNS.get(noun) ?? null) : null),
      self: pronoun?.self ?? false,
      plural: pronoun?.plural ?? false,
      noun,
      object: !pronoun && PREPOSITION.test(before),
      possessive: mention?.possessive ?? false,
      inverted,
      direct: false,
    })
    if (mention) at = mention.to - 1
  }
  return found
}

const ends = (tokens: Token[], at: number): boolean =>
  /^[.!?;…]$/u.test(tokens[at]?.text ?? '') &&
  !(tokens[at]?.text === '.' && honorific(tokens[at - 1]?.lower ?? '') !== undefined)

function firstSentence(tokens: Token[], from: number, to: number): number {
  for (let at = from + 1; at < to; at++) if (ends(tokens, at)) return at + 1
  return to
}

function lastSentence(tokens: Token[], from: number, to: number): number {
  for (let at = to - 2; at > from; at--)
    if (ends(tokens, at) && tokens.slice(at + 1, to).some((token) => token.word)) return at + 1
  return from
}

function lastMark(tokens: Token[], from: number, to: number): string {
  return to > from ? ((tokens[to - 1] as Token).word ? '' : (tokens[to - 1] as Token).text) : ''
}

function lastIndex(tokens: Token[], test: (token: Token) => boolean): number {
  for (let at = tokens.length - 1; at >= 0; at--) if (test(tokens[at] as Token)) return at
  return -1
}
