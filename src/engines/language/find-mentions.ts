import { formKey } from './cluster-names.ts'
import { bare, isVocative, nameRuns } from './find-names.ts'
import type { Person } from './person.ts'
import type { Book, Paragraph, Token } from './read-paragraphs.ts'

export interface Mention {
  paragraph: number
  /** Tokens of the paragraph, past-last excluded. */
  from: number
  to: number
  /** Place in the book, counted in tokens. */
  position: number
  person: number
  quoted: boolean
  possessive: boolean
  vocative: boolean
}

export interface Mentions {
  all: Mention[]
  /** Per paragraph. */
  of: Mention[][]
  /** Position of each paragraph's first token. */
  offsets: number[]
}

const DETERMINERS = /^(?:the|a|an|this|that|his|her|their|my|our|another|el|la|un|una|su|mi|le|une|der|die|das)$/u

/** Where each person is named or described. A name that several share goes to whoever was there last, else to the better known. */
export function findMentions(book: Book, people: Person[], isName: (word: string) => boolean): Mentions {
  const byKey = new Map<string, number[]>()
  const byNoun = new Map<string, number[]>()
  const put = (map: Map<string, number[]>, key: string, person: number): void => {
    const list = map.get(key)
    if (!list) map.set(key, [person])
    else if (!list.includes(person)) list.push(person)
  }
  people.forEach((person, index) => {
    for (const key of person.keys) put(byKey, key, index)
    for (const noun of person.nouns) put(byNoun, noun, index)
  })
  const lastSeen = new Float64Array(people.length).fill(-Infinity)
  const mentions: Mentions = { all: [], of: [], offsets: [] }
  let offset = 0
  const choose = (list: number[], position: number): number =>
    list.length === 1
      ? (list[0] as number)
      : list.reduce((best, one) => {
          const score = (person: number): number =>
            Math.exp(((lastSeen[person] as number) - position) / 400) +
            0.2 * Math.log1p((people[person] as Person).count) * 0.1
          return score(one) > score(best) ? one : best
        })
  for (const [index, paragraph] of book.paragraphs.entries()) {
    const here: Mention[] = []
    mentions.of.push(here)
    mentions.offsets.push(offset)
    const record = (from: number, to: number, list: number[], possessive: boolean): void => {
      const position = offset + from
      const person = choose(list, position)
      const quoted = (paragraph.tokens[from] as Token).quotation >= 0
      here.push({
        paragraph: index,
        from,
        to,
        position,
        person,
        quoted,
        possessive,
        vocative: quoted && isVocative(paragraph.tokens, from, to),
      })
      lastSeen[person] = position
    }
    const taken = new Set<number>()
    for (const run of nameRuns(paragraph.tokens, isName)) {
      const list = lookUp(byKey, run)
      if (!list) continue
      for (let i = run.from; i < run.to; i++) taken.add(i)
      record(run.from, run.to, list, run.possessive)
    }
    if (byNoun.size > 0) {
      for (const [at, token] of paragraph.tokens.entries()) {
        const list = byNoun.get(bare(token))
        if (!list || taken.has(at) || !described(paragraph, at)) continue
        record(at, at + 1, list, bare(token) !== token.lower)
      }
    }
    here.sort((a, b) => a.from - b.from)
    mentions.all.push(...here)
    offset += paragraph.tokens.length
  }
  return mentions
}

function described(paragraph: Paragraph, at: number): boolean {
  for (let back = at - 1; back >= Math.max(0, at - 4); back--) {
    const token = paragraph.tokens[back] as Token
    if (DETERMINERS.test(token.lower)) return true
    if (!token.word && token.text !== ',') return false
  }
  return false
}

/** The form as written, else without its title, else its first or last word alone. */
function lookUp(byKey: Map<string, number[]>, run: { title: string; words: string[] }): number[] | undefined {
  const { title, words } = run
  return (
    byKey.get(formKey(run)) ??
    (title || words.length > 1 ? byKey.get(formKey({ title: '', words })) : undefined) ??
    (words.length > 1
      ? (byKey.get(formKey({ title, words: [words.at(-1) as string] })) ??
        byKey.get(formKey({ title, words: [words[0] as string] })) ??
        byKey.get(formKey({ title: '', words: [words[0] as string] })) ??
        byKey.get(formKey({ title: '', words: [words.at(-1) as string] })))
      : undefined)
  )
}
