import { writeFileSync } from 'node:fs'
import { type Candidates, CONTEXT_FEATURES, FEATURES, featureRows } from '../src/engines/language/rank-features.ts'
import { type RankReader, rankReader, TAGS } from '../src/engines/language/rank-reader.ts'
import { type Rankers, rankPasses } from '../src/engines/language/attribute-speech.ts'
import { contextRows } from '../src/engines/language/rank-context.ts'
import { printRanker, probabilities, type Ranker } from '../src/engines/language/ranker.ts'
import { readParagraphs } from '../src/engines/language/read-paragraphs.ts'
import { setScene } from '../src/engines/language/set-scene.ts'
import { trainRanker } from './train-ranker.ts'
import {
  goldPeople,
  goldQuotations,
  listNovels,
  type Novel,
  readNovel,
  resolveName,
  speakerIndex,
} from './corpora/pdnc.ts'

const ALL = [...FEATURES, ...CONTEXT_FEATURES]
const HIDDEN = 24
const PASSES = ['first', 'second', 'third']
const TRAINING: Training = { passes: PASSES.length, epochs: 12, seed: 1 }

/** One novel in one setting, with the gold speakers as indexes of its people. */
export interface Sample {
  novel: Novel
  setting: 'a' | 'b'
  reader: RankReader
  candidates: Candidates[]
  /** Per utterance, the people who are its speaker; empty where gold says nothing. */
  gold: Set<number>[]
  /** Per utterance, its gold quotation's type. */
  types: string[]
}

export function sampleGiven(novel: Novel): Sample {
  const book = readParagraphs(novel.chapters, 'en', goldQuotations(novel))
  const reader = rankReader(setScene(book, goldPeople(novel)))
  const rows = reader.utterances.map((_, index) => featureRows(reader, index))
  const quoted = reader.utterances.map(({ parts }) => {
    const [paragraph, part] = parts[0] as [number, number]
    return novel.quotations[book.paragraphs[paragraph]?.quotations[part]?.unit ?? -1]
  })
  const gold = quoted.map((quotation) => {
    const index = quotation ? speakerIndex(novel, quotation.speaker) : -1
    return new Set(index >= 0 ? [index] : [])
  })
  return {
    novel,
    setting: 'a',
    reader,
    candidates: rows,
    gold,
    types: quoted.map((quotation) => quotation?.type ?? ''),
  }
}

/** The gold characters a found one stands for: by its name, else by its most frequent alias that is somebody's. */
export function resolvePerson(novel: Novel, person: { name: string; aliases: string[]; narrator?: boolean }): number[] {
  const found = [person.name, ...person.aliases].map((name) => resolveName(novel, name)).find((list) => list.length > 0)
  return (
    found ??
    (person.narrator
      ? novel.characters.flatMap(({ aliases }, index) =>
          aliases.some((alias) => /^_?narr/iu.test(alias)) ? [index] : [],
        )
      : [])
  )
}

export function sampleBare(novel: Novel): Sample {
  const book = readParagraphs(novel.chapters, 'en')
  const reader = rankReader(setScene(book))
  const rows = reader.utterances.map((_, index) => featureRows(reader, index))
  const resolved = reader.people.map((person) => resolvePerson(novel, person))
  const gold: Set<number>[] = []
  const types: string[] = []
  for (const utterance of reader.utterances) {
    const [index, part] = utterance.parts[0] as [number, number]
    const paragraph = book.paragraphs[index]
    const quotation = paragraph?.quotations[part]
    const base = novel.bases[paragraph?.chapter ?? 0] as number
    const start = base + (quotation?.start ?? 0)
    const end = base + (quotation?.end ?? 0)
    const match = novel.quotations.find((one) => one.spans.some(([from, to]) => from < end && to > start))
    const character = match ? speakerIndex(novel, match.speaker) : -1
    gold.push(
      new Set(character < 0 ? [] : resolved.flatMap((one, person) => (one.includes(character) ? [person] : []))),
    )
    types.push(match?.type ?? '')
  }
  return { novel, setting: 'b', reader, candidates: rows, gold, types }
}

/** A speaker whom nobody was found for, and whom the text only describes, is that description: 'said the porter'. */
function describedSpeaker({ reader, types }: Sample, index: number): number {
  if (types[index] === '') return -1
  const tag = reader.cues[index]?.list.find((cue) => TAGS.has(cue.slot))
  return tag && tag.person >= 0 && reader.people[tag.person]?.keys.length === 0 ? tag.person : -1
}

const groups = (
  samples: Sample[],
  rows: (sample: Sample) => Candidates[],
): { rows: Float32Array[]; gold: boolean[] }[] =>
  samples.flatMap((sample) =>
    rows(sample).flatMap(({ people, rows: list }, index) => {
      const meant = sample.gold[index] as Set<number>
      const described = meant.size === 0 ? describedSpeaker(sample, index) : -1
      const gold = people.map((person) => meant.has(person) || person === described)
      return gold.includes(true) && list.length > 1 ? [{ rows: list, gold }] : []
    }),
  )

interface Training {
  passes: number
  epochs: number
  seed: number
}

/** A ranker for each pass. Every later one learns on what earlier ones say of novels that they were not trained on. */
export function train(samples: Sample[], { passes, epochs, seed }: Training): Rankers {
  const folds = 3
  const names = [...new Set(samples.map((sample) => sample.novel.name))]
  const parts = Array.from({ length: folds }, (_, fold) => new Set(names.filter((_, index) => index % folds === fold)))
  let rows = new Map(samples.map((sample) => [sample, sample.candidates]))
  const rankers: Rankers = []
  for (let pass = 0; pass < passes; pass++) {
    const size = pass === 0 ? FEATURES.length : ALL.length
    const learn = (some: Sample[], salt: number): Ranker =>
      trainRanker(
        groups(some, (sample) => rows.get(sample) as Candidates[]),
        size,
        HIDDEN,
        { epochs, seed: seed + salt },
      )
    rankers.push(learn(samples, 10 * pass))
    if (pass === passes - 1) break
    const next = new Map<Sample, Candidates[]>()
    parts.forEach((held, fold) => {
      const ranker = learn(
        samples.filter((sample) => !held.has(sample.novel.name)),
        10 * pass + fold + 1,
      )
      for (const sample of samples.filter((one) => held.has(one.novel.name))) {
        const scores = (rows.get(sample) as Candidates[]).map(({ rows: list }) => probabilities(ranker, list))
        next.set(sample, contextRows(sample.reader, sample.candidates, scores))
      }
    })
    rows = next
  }
  return rankers
}

/** Share of right utterances by type. */
export function accuracy(sample: Sample, scores: number[][]): Record<string, [number, number]> {
  const table: Record<string, [number, number]> = {}
  sample.candidates.forEach(({ people }, index) => {
    const type = sample.types[index] as string
    if (type === '' && sample.setting === 'b') return
    const list = scores[index] as number[]
    const best = people[list.indexOf(Math.max(...list))] ?? -1
    for (const key of ['all', type]) {
      const cell = (table[key] ??= [0, 0])
      cell[1]++
      if ((sample.gold[index] as Set<number>).has(best)) cell[0]++
    }
  })
  return table
}

/**
 * `node bench/train-attribution.ts FOLDER [--cross N]` trains the attribution's weights on the novels of FOLDER and writes them; with
 * `--cross` it leaves every Nth part of the novels out in turn, trains on the rest, and prints what it scores on them instead.
 */
async function run(args: string[]): Promise<void> {
  const folder =
    args.find((arg) => !arg.startsWith('--') && !/^\d+$/u.test(arg)) ??
    new URL('../../shared/data/pdnc', import.meta.url).pathname
  const cross = args.includes('--cross') ? Number(args[args.indexOf('--cross') + 1]) : 0
  const names = listNovels(folder)
  const samples = names.flatMap((name) => {
    const novel = readNovel(folder, name)
    return [sampleGiven(novel), sampleBare(novel)]
  })
  for (const setting of ['a', 'b']) {
    const these = samples.filter((sample) => sample.setting === setting)
    const reach = these
      .flatMap((sample) =>
        sample.candidates.map(
          ({ people }, index) =>
            [
              sample.types[index] !== '',
              people.some((person) => (sample.gold[index] as Set<number>).has(person)),
            ] as const,
        ),
      )
      .filter(([counted]) => counted)
    console.log(
      `(${setting}) speaker among the candidates: ${((100 * reach.filter(([, found]) => found).length) / reach.length).toFixed(1)} %`,
    )
  }
  if (cross > 0) {
    const totals = { a: {} as Record<string, [number, number]>, b: {} as Record<string, [number, number]> }
    const firsts = { a: [0, 0] as [number, number], b: [0, 0] as [number, number] }
    for (let fold = 0; fold < cross; fold++) {
      const held = new Set(names.filter((_, index) => index % cross === fold))
      const trained = train(
        samples.filter((sample) => !held.has(sample.novel.name)),
        TRAINING,
      )
      for (const sample of samples.filter((one) => held.has(one.novel.name))) {
        const before = accuracy(sample, rankPasses(sample.reader, sample.candidates, trained.slice(0, 1)))
        const after = accuracy(sample, rankPasses(sample.reader, sample.candidates, trained))
        firsts[sample.setting][0] += before.all?.[0] ?? 0
        firsts[sample.setting][1] += before.all?.[1] ?? 0
        for (const [key, [right, all]] of Object.entries(after)) {
          const cell = (totals[sample.setting][key] ??= [0, 0])
          cell[0] += right
          cell[1] += all
        }
        console.log(
          `${sample.setting} ${sample.novel.name.padEnd(30)} ${percent(before.all)} → ${percent(after.all)}   explicit ${percent(after.Explicit)} anaphoric ${percent(after.Anaphoric)} implicit ${percent(after.Implicit)}`,
        )
      }
    }
    for (const setting of ['a', 'b'] as const)
      console.log(
        setting,
        percent(firsts[setting]),
        Object.entries(totals[setting])
          .map(([key, cell]) => `${key} ${percent(cell)}`)
          .join('  '),
      )
    return
  }
  const rankers = train(samples, TRAINING)
  rankers.forEach((ranker, pass) => {
    const name = PASSES[pass] as string
    writeFileSync(
      new URL(`../src/engines/language/weights/${name}-pass.ts`, import.meta.url),
      `/** Written by \`node bench/train-attribution.ts\`: a line a feature, as ranker.ts reads them. */\nexport const ${name.toUpperCase()}_PASS = \`\n${printRanker(ranker, pass === 0 ? FEATURES : ALL)}\n\`\n`,
    )
  })
}

const percent = (cell: [number, number] | undefined): string =>
  (cell && cell[1] > 0 ? ((100 * cell[0]) / cell[1]).toFixed(1) : '–').padStart(5)

if (import.meta.main) await run(process.argv.slice(2))
