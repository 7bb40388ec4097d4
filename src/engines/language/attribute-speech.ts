import type { Cue } from './find-cues.ts'
import { type Candidates, CONTEXT_FEATURES, FEATURES, featureRows } from './rank-features.ts'
import { type RankReader, rankReader, type Scene } from './rank-reader.ts'
import { introducedFigure } from './introduced-figure.ts'
import { contextRows } from './rank-context.ts'
import { parseRanker, probabilities, type Ranker } from './ranker.ts'
import { FIRST_PASS } from './weights/first-pass.ts'
import { SECOND_PASS } from './weights/second-pass.ts'
import { THIRD_PASS } from './weights/third-pass.ts'

export interface Attribution {
  /** Index of the person, or -1. */
  person: number
  rule:
    | 'speech_tag'
    | 'first_person'
    | 'pronoun'
    | 'description'
    | 'vocative'
    | 'action'
    | 'alternation'
    | 'context'
    | 'model'
    | 'unknown'
  confidence: number
}

/** One for each pass; each but the first sees what the one before thinks of the neighbouring utterances. */
export type Rankers = Ranker[]

/** How sure a figure who has just come in is the speaker whom a tag describes. */
const INTRODUCED = 0.7

let stored: Rankers | undefined
export const storedRankers = (): Rankers =>
  (stored ??= [FIRST_PASS, SECOND_PASS, THIRD_PASS].map((table, pass) =>
    parseRanker(table, pass === 0 ? FEATURES : [...FEATURES, ...CONTEXT_FEATURES]),
  ))

/** Each candidate's probability after the last pass. */
export function rankPasses(reader: RankReader, candidates: Candidates[], rankers: Rankers): number[][] {
  const [first, ...later] = rankers
  let scores = candidates.map(({ rows }) => probabilities(first as Ranker, rows))
  for (const ranker of later)
    scores = contextRows(reader, candidates, scores).map(({ rows }) => probabilities(ranker, rows))
  return scores
}

/** Who says each utterance of a scene: ranked by what stands around it, then again by who seems to speak before and after. */
export function attributeSpeech(scene: Scene, rankers = storedRankers()): Attribution[] {
  const reader = rankReader(scene)
  const candidates = scene.utterances.map((_, index) => featureRows(reader, index))
  const scores = rankPasses(reader, candidates, rankers)
  const chosen = candidates.map(({ people }, index) => {
    const list = scores[index] as number[]
    const top = Math.max(...list)
    const figure = introducedFigure(scene, index)
    if (figure >= 0) return { person: figure, confidence: Math.max(INTRODUCED, list[people.indexOf(figure)] ?? 0) }
    return { person: people[list.indexOf(top)] ?? -1, confidence: people.length > 0 ? top : 0 }
  })
  return chosen.map(({ person, confidence }, index): Attribution => {
    if (person < 0) return { person, rule: 'unknown', confidence: 0 }
    return {
      person,
      rule: ruleOf(scene, index, person, chosen[index - 2]?.person, reader.spoken[index - 1]?.addressed),
      confidence,
    }
  })
}

function ruleOf(
  { people, cues }: Scene,
  index: number,
  person: number,
  before: number | undefined,
  addressed: Set<number> | undefined,
): Attribution['rule'] {
  const list = cues[index]?.list ?? []
  const tag = (cue: Cue): boolean => cue.slot === 'inverted' || cue.slot === 'after' || cue.slot === 'before'
  const tags = list.filter(tag)
  if (tags.some((cue) => cue.person === person && !cue.noun)) return 'speech_tag'
  if (tags.some((cue) => cue.self) && people[person]?.narrator) return 'first_person'
  if (tags.some((cue) => cue.noun)) return 'description'
  if (tags.some((cue) => cue.gender !== null)) return 'pronoun'
  if (list.some((cue) => cue.slot.startsWith('subject') && cue.person === person)) return 'action'
  if (addressed?.has(person)) return 'vocative'
  return before === person ? 'alternation' : 'context'
}
