import { givenNameGender } from './given-names.ts'
import { honorific } from './honorifics.ts'
import type { Book, Token } from './read-paragraphs.ts'
import { PLAIN_SPEECH_VERBS } from './speech-verbs.ts'

/** One way a name is written, and what its surroundings say about its bearer. */
export interface NameForm {
  /** Lower-case words without honorific, possessive and article: ['elizabeth', 'bennet']. */
  words: string[]
  /** As first written, without possessive: 'Elizabeth Bennet'. */
  shown: string
  /** Lower-case, no full stop: 'mrs'; '' for none. */
  title: string
  count: number
  narrated: number
  /** Paragraphs of narration it stands in. */
  seen: number[]
  /** Beside a verb of speech. */
  tagged: number
  vocative: number
  /** After at, in, from …: a place more than a person. */
  placed: number
  /** Before a verb in the past. */
  acting: number
  /** After the or a. */
  articled: number
  he: number
  she: number
}

const NOT_NAMES = new Set(
  `i i'm i'll i'd i've i’m o oh ah god heaven heavens lord lords christ jesus sir madam ma'am sirs english french german italian spanish american irish scotch scottish welsh dutch russian roman greek latin indian chinese turkish
englishman frenchman englishmen christian catholic protestant jew jewish bible christmas easter sunday monday tuesday wednesday thursday friday saturday january february march april june july august september october november december
chapter volume book part street road lane house hall church park square castle abbey cottage hotel station bridge river hill farm inn club bank college school university north south east west england london france paris europe
mr mrs miss dr mademoiselle monsieur madame yes no well now then why what who how when where the a an and but or if so he she it they we you his her my your our their this that these those there here
papa mamma mama mother father mum mom daddy aunt uncle grandma grandpa
dios señor señora usted ustedes ud uds inglés francés español lunes martes miércoles jueves viernes sábado domingo enero febrero capítulo yo él ella qué quién cómo cuándo dónde sí no pero y el la los las un una`.split(
    /\s+/u,
  ),
)
const PLACE_BEFORE = new Set('at in from near into towards toward via en desde hacia à in nach'.split(' '))
const PARTICLES = new Set('de du del la le van von der den di da dos del'.split(' '))

export const bare = (token: Token): string => token.lower.replace(/['’]s$|['’]$/u, '')

/** Words that the book writes with a capital where nothing but a name asks for one. */
export function nameWords(book: Book): (word: string) => boolean {
  const counts = new Map<string, { lower: number; middle: number; opening: number }>()
  for (const paragraph of book.paragraphs) {
    if (paragraph.heading) continue
    for (const token of paragraph.tokens) {
      if (!token.word || (token.text.length > 2 && token.text === token.text.toUpperCase())) continue
      const word = bare(token)
      let entry = counts.get(word)
      if (!entry) counts.set(word, (entry = { lower: 0, middle: 0, opening: 0 }))
      if (!token.capital) entry.lower++
      else if (token.opens) entry.opening++
      else entry.middle++
    }
  }
  return (word) => {
    if (NOT_NAMES.has(word)) return false
    const entry = counts.get(word)
    if (!entry) return false
    if (entry.middle === 0) return entry.opening > 1 && entry.lower === 0 && givenNameGender(word) !== null
    return entry.middle >= 2 * entry.lower || (givenNameGender(word) !== null && entry.middle > entry.lower)
  }
}

export interface NameRun {
  /** First and past-last token. */
  from: number
  to: number
  title: string
  words: string[]
  shown: string
  possessive: boolean
}

/** The names of one paragraph, longest first from the left: 'Mr. John Knightley', 'Lady Catherine de Bourgh'. */
export function nameRuns(tokens: Token[], isName: (word: string) => boolean): NameRun[] {
  const runs: NameRun[] = []
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token
    if (!token.word || !(token.capital || honorific(token.lower))) continue
    const run = readName(tokens, at, isName)
    if (!run) continue
    runs.push(run)
    at = run.to - 1
  }
  return runs
}

function readName(tokens: Token[], at: number, isName: (word: string) => boolean): NameRun | null {
  const titles: string[] = []
  const shown: string[] = []
  const words: string[] = []
  let to = at
  let possessive = false
  for (let i = at; i < tokens.length; i++) {
    const token = tokens[i] as Token
    const word = bare(token)
    const title = words.length === 0 ? honorific(token.lower) : undefined
    const next = tokens[i + 1]
    if (title && (token.capital || /^\p{Ll}/u.test(title.shown)) && titles.length < 3) {
      const follows = next?.text === '.' ? tokens[i + 2] : next
      if (follows?.capital && (isName(bare(follows)) || isTitled(follows, title.shown))) {
        titles.push(word)
        if (next?.text === '.') i++
        to = i + 1
        continue
      }
    }
    const titled = words.length === 0 && titles.length > 0
    if (
      token.capital &&
      token.word &&
      (isName(word) || (titled && !honorific(token.lower)) || surnamed(words, token) || isInitial(tokens, i, isName))
    ) {
      words.push(word)
      shown.push(token.text.replace(/['’]s?$/u, ''))
      to = i + 1
      possessive = word !== token.lower || (next?.lower === 's' && next.start > token.end)
      if (possessive) break
      if (isInitial(tokens, i, isName)) {
        shown[shown.length - 1] += '.'
        i++
      }
      continue
    }
    const particle = PARTICLES.has(token.lower) && words.length > 0
    if (particle && next?.capital && isName(bare(next))) {
      words.push(token.lower)
      shown.push(token.text)
      continue
    }
    break
  }
  if (words.length === 0) return null
  return { from: at, to, title: titles.at(-1) ?? '', words, shown: shown.join(' '), possessive }
}

const FUNCTION_WORDS = new Set(
  'is was were are am be been has have had do does did will would shall should may might can could must not of in on at to for from by with as than or nor but when while where who whom whose which what how why all any some such so too very de y e o que con por para en fue era es no'.split(
    ' ',
  ),
)

/** 'Harvey Stone': after a known given name a capital makes a surname of any word. */
const surnamed = (words: string[], token: Token): boolean =>
  words.length === 1 &&
  !token.opens &&
  givenNameGender(words[0] as string) !== null &&
  !NOT_NAMES.has(bare(token)) &&
  !FUNCTION_WORDS.has(token.lower) &&
  !honorific(token.lower)

/** After 'Mr.' any capital makes a name, after 'Sister' only what is a name elsewhere. */
const isTitled = (token: Token, title: string): boolean =>
  /\.$|^Miss$|^se/u.test(title) && token.word && token.lower !== 'i'

function isInitial(tokens: Token[], at: number, isName: (word: string) => boolean): boolean {
  const token = tokens[at] as Token
  const after = tokens[at + 2]
  return /^\p{Lu}$/u.test(token.text) && tokens[at + 1]?.text === '.' && after?.capital === true && isName(bare(after))
}

/** Every written form of every name in the book, with its evidence. */
export function findNames(book: Book, isName: (word: string) => boolean): Map<string, NameForm> {
  const forms = new Map<string, NameForm>()
  for (const [place, paragraph] of book.paragraphs.entries()) {
    if (paragraph.heading) continue
    const runs = nameRuns(paragraph.tokens, isName)
    for (const [index, run] of runs.entries()) {
      const key = `${run.title}|${run.words.join(' ')}`
      let form = forms.get(key)
      if (!form) {
        form = {
          words: run.words,
          shown: run.shown,
          title: run.title,
          count: 0,
          narrated: 0,
          seen: [],
          tagged: 0,
          vocative: 0,
          placed: 0,
          acting: 0,
          articled: 0,
          he: 0,
          she: 0,
        }
        forms.set(key, form)
      }
      if (paragraph.tokens[run.from]?.quotation === -1) form.seen.push(place)
      weigh(form, paragraph.tokens, run, runs[index + 1]?.from ?? paragraph.tokens.length)
    }
  }
  return forms
}

function weigh(form: NameForm, tokens: Token[], run: NameRun, nextName: number): void {
  form.count++
  const before = tokens[run.from - 1]
  const after = tokens[run.to]
  const quoted = (tokens[run.from] as Token).quotation >= 0
  if (before && PLACE_BEFORE.has(before.lower)) form.placed++
  if (before && /^(?:the|a|an|el|la|los|las)$/u.test(before.lower)) form.articled++
  if (quoted) {
    if (isVocative(tokens, run.from, run.to)) form.vocative++
    return
  }
  form.narrated++
  if (
    after &&
    !run.possessive &&
    /^(?:\p{Ll}+ed|had|took|came|sat|stood|went|gave|made|began|knew|felt|thought|ran|saw|\p{Ll}+(?:ó|aba|ía))$/u.test(
      after.text,
    )
  )
    form.acting++
  const lead = before && /^(?:the|el|la|le)$/u.test(before.lower) ? tokens[run.from - 2] : before
  if (
    !run.possessive &&
    ((lead && PLAIN_SPEECH_VERBS.has(lead.lower)) || (after && PLAIN_SPEECH_VERBS.has(after.lower)))
  )
    form.tagged++
  for (let i = run.to; i < Math.min(nextName, run.to + 30); i++) {
    const token = tokens[i] as Token
    if (token.quotation >= 0) continue
    if (/^(?:he|him|his|himself)$/u.test(token.lower)) {
      form.he++
      break
    }
    if (/^(?:she|her|hers|herself)$/u.test(token.lower)) {
      form.she++
      break
    }
  }
}

/** Set off by commas or marks inside speech: "Come, Emma, sit down." */
export function isVocative(tokens: Token[], from: number, to: number): boolean {
  let left = from - 1
  while (
    left >= 0 &&
    /^(?:my|dear|dearest|mi|querida?|old|poor|good|oh|o|ah|no|yes|well|señora?|don|doña|young|little|miss|and|dearest)$/u.test(
      tokens[left]?.lower ?? '',
    )
  )
    left--
  const quotation = tokens[from]?.quotation
  const opens =
    left < 0 || tokens[left]?.quotation !== quotation || /^[,.!?;:"'“‘«¡¿—–…\-(_]$/u.test(tokens[left]?.text ?? '')
  const after = tokens[to]
  const closes = !after || after.quotation !== quotation || /^[,.!?;:"'”’»—–…\-)_]$/u.test(after.text)
  return opens && closes
}
