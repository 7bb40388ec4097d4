import type { LanguageModel } from 'ai'
import { type Answer, askModel, type ModelUsage, type Passage } from './ask-model.ts'
import { type Attribution, attributeSpeech } from './attribute-speech.ts'
import type { Cast, CastChapter, CastOptions } from './cast.ts'
import { formGender, formKey } from './cluster-names.ts'
import { composeCast } from './detect-cast.ts'
import { honorific } from './honorifics.ts'
import type { Person } from './person.ts'
import { type Scene, TAGS } from './rank-reader.ts'
import { readParagraphs } from './read-paragraphs.ts'
import { setScene } from './set-scene.ts'

export interface ModelCastOptions extends CastOptions {
  model: LanguageModel
  /** Lines of speech asked about in one request; 40 unless told. */
  linesPerRequest?: number
  /** Requests under way at once; 4 unless told. */
  concurrency?: number
}

/** After so many failures with no success the model is asked no more. */
const PATIENCE = 3
/** What the rules are worth where the model agrees, and where it overrules them. */
const AGREED = 0.97
const OVERRULED = 0.88
/** How sure a character's sex must be to contradict 'she said'. */
const CERTAIN_SEX = 0.5

/**
 * The rules' cast with a language model's judgement on who says each line. Every answer is checked: a name that is neither a known
 * character's nor in the passage, and a speaker whom the narration contradicts ('said X', 'she said'), are rejected and the
 * rules' answer stays. A model that fails costs nothing but its tokens: the cast is then the rules'.
 */
export async function detectCastWithModel(
  chapters: CastChapter[],
  options: ModelCastOptions,
): Promise<{ cast: Cast; usage: ModelUsage }> {
  options.signal?.throwIfAborted()
  const scene = setScene(readParagraphs(chapters, options.language))
  const attributions = attributeSpeech(scene)
  const usage: ModelUsage = { requests: 0, failed: 0, inputTokens: 0, outputTokens: 0, rejected: 0, accepted: 0 }
  const passages = makePassages(scene, attributions, options.linesPerRequest ?? 40)
  let next = 0
  let done = 0
  let failures = 0
  let answered = false
  const answers: (Answer[] | null)[] = passages.map(() => null)
  const work = async (): Promise<void> => {
    while (next < passages.length && (answered || failures < PATIENCE)) {
      const index = next++
      const passage = passages[index] as Passage
      const answer = await askModel(options.model, passage, usage, options.signal)
      answers[index] = answer
      if (answer) answered = true
      else failures++
      options.onProgress?.(++done, passages.length)
    }
  }
  await Promise.all(Array.from({ length: Math.min(options.concurrency ?? 4, passages.length) }, work))
  passages.forEach((passage, index) => {
    for (const { number, speaker } of answers[index] ?? []) {
      const known = passage.questions.some((question) => question.number === number)
      const person = known ? personNamed(scene.people, speaker, passage.text) : -1
      if (!known || speaker.trim() === '') continue
      if (person < 0 || contradicted(scene, number, person)) {
        usage.rejected++
        continue
      }
      usage.accepted++
      const rules = attributions[number] as Attribution
      attributions[number] =
        rules.person === person
          ? { ...rules, confidence: Math.max(rules.confidence, AGREED) }
          : { person, rule: 'model', confidence: OVERRULED }
    }
  })
  const name = typeof options.model === 'string' ? options.model : options.model.modelId
  return { cast: composeCast(scene, attributions, options, usage.accepted > 0 ? name : 'sieve/1'), usage }
}

/** Runs of lines within a chapter, each with the narration before, between and after them. */
function makePassages(scene: Scene, attributions: Attribution[], size: number): Passage[] {
  const { book, utterances, people } = scene
  const passages: Passage[] = []
  for (let from = 0; from < utterances.length; ) {
    const first = utterances[from]
    const chapter = book.paragraphs[first?.paragraph ?? 0]?.chapter ?? 0
    let to = from
    while (
      to < utterances.length &&
      to < from + size &&
      book.paragraphs[utterances[to]?.paragraph ?? 0]?.chapter === chapter
    )
      to++
    const around = (index: number): number => (book.paragraphs[index]?.chapter === chapter ? index : -1)
    const last = utterances[to - 1]?.last ?? 0
    const opening = [3, 2, 1, 0].map((back) => around((first?.paragraph ?? 0) - back)).find((index) => index >= 0) ?? 0
    const closing = around(last + 1) >= 0 ? last + 1 : last
    const start = book.paragraphs[opening]?.start ?? 0
    const end = book.paragraphs[closing]?.end ?? start
    const questions = utterances
      .slice(from, to)
      .map(({ parts }, index) => {
        const [paragraph, quotation] = parts[0] as [number, number]
        return { number: from + index, at: (book.paragraphs[paragraph]?.quotations[quotation]?.start ?? start) - start }
      })
      .toSorted((a, b) => a.at - b.at)
    const named = new Set(attributions.slice(Math.max(0, from - 40), to + 40).map(({ person }) => person))
    for (const mention of scene.mentions.all)
      if (mention.paragraph >= opening && mention.paragraph <= closing) named.add(mention.person)
    passages.push({
      text: book.chapters[chapter]?.text.slice(start, end) ?? '',
      questions,
      names: [...named].flatMap((person) => people[person]?.name ?? []),
    })
    from = to
  }
  return passages
}

/** The character of that name, or a new one where the passage has the name word for word; else -1. */
function personNamed(people: Person[], speaker: string, text: string): number {
  const plain = (name: string): string =>
    name
      .toLowerCase()
      .replace(/[.,]/gu, '')
      .replace(/^(?:the|a|an)\s+/u, '')
      .trim()
  const wanted = plain(speaker)
  if (wanted === '') return -1
  const named = people.findIndex((person) => plain(person.name) === wanted)
  const known =
    named >= 0 ? named : people.findIndex((person) => person.aliases.some((alias) => plain(alias) === wanted))
  if (known >= 0) return known
  const at = text.toLowerCase().indexOf(wanted)
  const bounded = at >= 0 && !/[\p{L}\p{N}]/u.test(`${text[at - 1] ?? ' '}${text[at + wanted.length] ?? ' '}`)
  if (!bounded || /^(?:i|he|she|it|they|we|you|narrator|unknown|nobody|someone)$/u.test(wanted)) return -1
  const words = wanted.split(/\s+/u)
  const title = words.length > 1 && honorific(words[0] as string) ? (words.shift() as string) : ''
  const gender = formGender({ title, words, he: 0, she: 0 })
  people.push({
    name: speaker.trim(),
    aliases: [speaker.trim()],
    keys: [formKey({ title, words })],
    nouns: [],
    gender,
    narrator: false,
    count: 1,
    maleness: gender === 'male' ? 1 : gender === 'female' ? -1 : 0,
  })
  return people.length - 1
}

/** Does the narration beside the line name another speaker, or one of the other sex? */
function contradicted({ cues, people }: Scene, number: number, person: number): boolean {
  const tags = (cues[number]?.list ?? []).filter((cue) => TAGS.has(cue.slot))
  const chosen = people[person] as Person
  const named = tags.filter((cue) => cue.person >= 0 && !cue.noun)
  if (named.length > 0) return !named.some((cue) => cue.person === person)
  if (tags.some((cue) => cue.self)) return people.some((one) => one.narrator) && !chosen.narrator
  const sex = tags.find((cue) => cue.gender !== null)?.gender
  return (sex === 'male' && chosen.maleness < -CERTAIN_SEX) || (sex === 'female' && chosen.maleness > CERTAIN_SEX)
}
