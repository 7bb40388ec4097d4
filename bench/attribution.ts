import { attributeSpeech } from '../src/engines/language/attribute-speech.ts'
import { detectCast } from '../src/engines/language/detect-cast.ts'
import { readParagraphs } from '../src/engines/language/read-paragraphs.ts'
import { setScene } from '../src/engines/language/set-scene.ts'
import {
  type GoldQuotation,
  goldPeople,
  goldQuotations,
  listNovels,
  type Novel,
  readNovel,
  resolveName,
  speakerIndex,
} from './corpora/pdnc.ts'

export type Tally = Record<string, { right: number; all: number }>

/** (a): the gold quotations and the gold cast (names, aliases, genders) are given; only who says what is found. */
export function scoreGiven(novel: Novel): Tally {
  const scene = setScene(readParagraphs(novel.chapters, 'en', goldQuotations(novel)), goldPeople(novel))
  const tally: Tally = {}
  const said = new Map<number, number>()
  attributeSpeech(scene).forEach(({ person }, index) => {
    const [paragraph, part] = scene.utterances[index]?.parts[0] ?? [0, 0]
    const unit = scene.book.paragraphs[paragraph]?.quotations[part]?.unit
    if (unit !== undefined) said.set(unit, person)
  })
  novel.quotations.forEach((quotation, unit) =>
    count(tally, quotation, said.get(unit) === speakerIndex(novel, quotation.speaker) && said.get(unit) !== undefined),
  )
  return tally
}

/**
 * (b): from the bare text. Each found character stands for the gold character that its name names, else the one that its most
 * frequent alias names which is anybody's; a name of several gold characters stands for each. A gold quotation is right
 * when of the speech segments that overlap it the speaker with the most characters in it stands for its speaker. A
 * quotation that no speech segment overlaps is wrong, and so are group and unknowable speakers unless named so.
 */
export async function scoreBare(novel: Novel): Promise<Tally> {
  const cast = await detectCast(novel.chapters, { language: 'en' })
  const meant = new Map(
    cast.characters.map((character) => {
      const named = [character.name, ...character.aliases]
        .map((name) => resolveName(novel, name))
        .find((list) => list.length > 0)
      return [character.id, named ?? []] as const
    }),
  )
  const speech = cast.segments.flatMap((segments, chapter) => {
    const base = novel.bases[chapter] as number
    return segments
      .filter(({ kind }) => kind === 'speech')
      .map(({ start, end, speaker }) => ({ start: start + base, end: end + base, speaker }))
  })
  const tally: Tally = {}
  for (const quotation of novel.quotations) {
    const shares = new Map<string | null, number>()
    for (const [start, end] of quotation.spans) {
      for (let at = firstEndingAfter(speech, start); at < speech.length && (speech[at]?.start ?? end) < end; at++) {
        const segment = speech[at] as (typeof speech)[number]
        shares.set(
          segment.speaker,
          (shares.get(segment.speaker) ?? 0) + Math.min(end, segment.end) - Math.max(start, segment.start),
        )
      }
    }
    const speaker = [...shares].toSorted((a, b) => b[1] - a[1])[0]?.[0]
    count(
      tally,
      quotation,
      speaker ? (meant.get(speaker) ?? []).includes(speakerIndex(novel, quotation.speaker)) : false,
    )
  }
  return tally
}

function firstEndingAfter(segments: { end: number }[], position: number): number {
  let low = 0
  let high = segments.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((segments[middle]?.end ?? 0) <= position) low = middle + 1
    else high = middle
  }
  return low
}

function count(tally: Tally, { type }: GoldQuotation, right: boolean): void {
  for (const key of ['all', type.toLowerCase()]) {
    const cell = (tally[key] ??= { right: 0, all: 0 })
    cell.all++
    if (right) cell.right++
  }
}

const TYPES = ['explicit', 'anaphoric', 'implicit', 'all']
const percent = (cell?: { right: number; all: number }): string =>
  (cell ? ((100 * cell.right) / cell.all).toFixed(1) : '–').padStart(6)
const row = (tally: Tally): string => TYPES.map((type) => percent(tally[type])).join('')

/** `attribution [FOLDER]`: accuracy on every novel below FOLDER that lies in the format of the Project Dialogism Novel Corpus. */
export async function run(args: string[]): Promise<void> {
  const folder = args[0] ?? new URL('../../shared/data/pdnc', import.meta.url).pathname
  const totals: [Tally, Tally] = [{}, {}]
  const accuracies: [number[], number[]] = [[], []]
  console.log('Speaker attribution, % of the gold quotations whose speaker is right.')
  console.log(
    '(a) gold quotations and cast given; (b) from the bare text: the speaker with the most characters in a gold quotation counts,',
  )
  console.log(
    '    mapped to the gold character that its name, else its most frequent known alias, names; missed quotations are wrong.',
  )
  console.log(`${''.padEnd(30)}    (a) ${''.padEnd(18)}   (b)`)
  console.log(`${'novel'.padEnd(30)}  expl. anaph. impl.   all   expl. anaph. impl.   all   s(a)  s(b)`)
  for (const name of listNovels(folder)) {
    const novel = readNovel(folder, name)
    const started = performance.now()
    const given = scoreGiven(novel)
    const middle = performance.now()
    const bare = await scoreBare(novel)
    const ended = performance.now()
    ;[given, bare].forEach((tally, index) => {
      accuracies[index as 0 | 1].push((tally.all?.right ?? 0) / Math.max(1, tally.all?.all ?? 0))
      for (const [type, cell] of Object.entries(tally)) {
        const sum = ((totals[index] as Tally)[type] ??= { right: 0, all: 0 })
        sum.right += cell.right
        sum.all += cell.all
      }
    })
    const seconds = (ms: number): string => (ms / 1000).toFixed(2).padStart(6)
    console.log(`${name.padEnd(30)} ${row(given)}  ${row(bare)} ${seconds(middle - started)}${seconds(ended - middle)}`)
  }
  console.log(`${'all quotations'.padEnd(30)} ${row(totals[0])}  ${row(totals[1])}`)
  const mean = (values: number[]): string =>
    ((100 * values.reduce((sum, value) => sum + value, 0)) / Math.max(1, values.length)).toFixed(1)
  console.log(`mean of the novels: (a) ${mean(accuracies[0])} (b) ${mean(accuracies[1])}`)
}
