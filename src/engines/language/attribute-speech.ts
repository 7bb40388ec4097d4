import type { Cue } from './find-cues.ts'
import { CONTEXT_FEATURES, FEATURES, featureRows, rankReader, type Scene } from './rank-features.ts'
import { contextRows } from './rank-context.ts'
import { parseRanker, probabilities, type Ranker } from './ranker.ts'
import { FIRST_PASS, SECOND_PASS } from './ranker-weights.ts'

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
    | 'unknown'
  confidence: number
}

export interface Rankers {
  first: Ranker[]
  second: Ranker[]
}

let stored: Rankers | undefined
export const storedRankers = (): Rankers =>
  (stored ??= {
    first: [parseRanker(FIRST_PASS, FEATURES)],
    second: [parseRanker(SECOND_PASS, [...FEATURES, ...CONTEXT_FEATURES])],
  })

/** Who says each utterance of a scene: ranked by what stands around it, then again by who seems to speak before and after. */
export function attributeSpeech(scene: Scene, rankers = storedRankers()): Attribution[] {
  const reader = rankReader(scene)
  const candidates = scene.utterances.map((_, index) => featureRows(reader, index))
  const first = candidates.map(({ rows }) => probabilities(rankers.first, rows))
  const second = contextRows(reader, candidates, first).map(({ rows }) => probabilities(rankers.second, rows))
  const chosen = candidates.map(({ people }, index) => {
    const scores = second[index] as number[]
    const top = Math.max(...scores)
    return { person: people[scores.indexOf(top)] ?? -1, confidence: people.length > 0 ? top : 0 }
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
