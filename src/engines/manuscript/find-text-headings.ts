import { classifyHeading, type Heading } from './classify-heading.ts'
import { block, estimateWords, type FlowBlock } from './flow.ts'

interface Candidate {
  index: number
  heading: Heading
  /** The lines that make up the number, then those of the title, then what follows in the same paragraph. */
  head: string
  title: string
  rest: string[]
}

const upper = (text: string): boolean => /\p{Lu}/u.test(text) && text === text.toUpperCase()
const sentenceEnd = /[.!?,;:…]["'”’»)_*]*$/
const speechStart = /^["'“‘«—–\-_¡¿]/
const levels = { part: 1, chapter: 2, matter: 2, numeral: 3, other: 3 } as const

/**
 * Finds headings in text that has no markup for them: numbered units, known sections and bare numbers that count up,
 * each on lines of its own. Lists of the same headings (a table of contents) stay text.
 */
export function findTextHeadings(blocks: FlowBlock[]): FlowBlock[] {
  const candidates = blocks.flatMap((current, index) => readCandidate(current, index) ?? [])
  const listed = findListed(blocks, candidates)
  let kept = candidates.filter((candidate) => !listed.has(candidate))
  const numerals = kept.filter(({ heading }) => heading.is === 'numeral')
  if (!countsUp(numerals)) kept = kept.filter(({ heading }) => heading.is !== 'numeral')
  const titles = findTitlesBelow(blocks, kept)
  return rewrite(blocks, kept, titles, !kept.some(({ heading }) => heading.is === 'chapter'))
}

function readCandidate(current: FlowBlock, index: number): Candidate | undefined {
  if (current.kind === 'heading' || current.kind === 'scene_break' || current.kind === 'caption' || current.link)
    return undefined
  const lines = current.lines ?? [current.text]
  const [first = '', second = ''] = lines
  if (first.length > 160) return undefined
  let used = 1
  let heading = classifyHeading(first)
  let head = first
  if (heading.is === 'other' && second.length < 12 && /^\p{L}{3,10}$/u.test(first.trim())) {
    const joined = classifyHeading(`${first} ${second}`)
    if (joined.is === 'chapter' || joined.is === 'part') {
      heading = joined
      head = `${first.trim()} ${second.trim()}`
      used = 2
    }
  }
  const rest = lines.slice(used)
  if (heading.is === 'other') return undefined
  if (heading.is === 'matter') {
    const text = first.trim()
    if (rest.length || text.length > 70 || !/^[\p{Lu}_*"]/u.test(text) || (sentenceEnd.test(text) && !upper(text)))
      return undefined
    return { index, heading, head: first, title: '', rest: [] }
  }
  if (heading.is === 'numeral') {
    if (rest.length > 2 || (heading.title && (heading.title.length > 80 || sentenceEnd.test(heading.title))))
      return undefined
  } else if (heading.title.length > 100 && sentenceEnd.test(heading.title)) return undefined
  if (rest.length && rest.some((line) => sameUnit(classifyHeading(line), heading))) return undefined
  const joined = rest.join(' ')
  const isTitle =
    rest.length > 0 &&
    rest.length <= 5 &&
    joined.length <= 300 &&
    (upper(joined) || rest.length <= 3) &&
    (!sentenceEnd.test(joined) || upper(joined) || (rest.length === 1 && /[?!]$/.test(joined) && joined.length < 80)) &&
    (upper(joined) || !speechStart.test(joined.trim()))
  if (rest.length && !isTitle && heading.is === 'numeral') return undefined
  return { index, heading, head, title: isTitle ? joined : '', rest: isTitle ? [] : rest }
}

const sameUnit = (a: Heading, b: Heading): boolean =>
  a.is === b.is && a.is !== 'other' && a.is !== 'matter' && b.is !== 'matter' && b.is !== 'other' && a.unit === b.unit

const key = ({ heading }: Candidate): string =>
  heading.is === 'matter'
    ? heading.matter.kind
    : heading.is === 'other'
      ? ''
      : `${heading.unit} ${heading.value ?? heading.word}`

/** Three headings with next to nothing between them, each of which comes again later, are a list. */
function findListed(blocks: FlowBlock[], candidates: Candidate[]): Set<Candidate> {
  const listed = new Set<Candidate>()
  const last = new Map<string, number>()
  candidates.forEach((candidate, position) => last.set(key(candidate), position))
  let run: number[] = []
  const close = (): void => {
    const again = run.filter((position) => (last.get(key(candidates[position]!)) ?? 0) > position)
    if (run.length >= 3 && again.length >= 2) for (const position of again) listed.add(candidates[position]!)
    run = []
  }
  candidates.forEach((candidate, position) => {
    const previous = candidates[position - 1]
    if (previous) {
      let words = previous.rest.length * 8
      for (let index = previous.index + 1; index < candidate.index && words <= 15; index += 1)
        words += estimateWords(blocks[index]?.text ?? '')
      if (words > 15) close()
    }
    run.push(position)
  })
  close()
  return listed
}

function countsUp(numerals: Candidate[]): boolean {
  if (numerals.length < 2) return false
  let previous = 0
  let wrong = 0
  for (const { heading } of numerals) {
    const value = heading.is === 'numeral' ? heading.value : 0
    if (value !== previous + 1 && value !== 1) wrong += 1
    previous = value
  }
  return wrong <= numerals.length / 10
}

/** A short line below most of the numbered headings is their title; below a few only, it is text. */
function findTitlesBelow(blocks: FlowBlock[], kept: Candidate[]): Set<number> {
  const numbered = kept.filter(
    (candidate) =>
      candidate.heading.is === 'chapter' || candidate.heading.is === 'numeral' || candidate.heading.is === 'part',
  )
  const heads = new Set(kept.map(({ index }) => index))
  const untitled = numbered.filter(({ heading, title, rest }) => !heading.title && !title && !rest.length)
  const below = untitled.filter(({ index }) => {
    const next = blocks[index + 1]
    if (!next || heads.has(index + 1) || next.kind === 'scene_break' || next.kind === 'caption' || !blocks[index + 2])
      return false
    const text = next.text.trim()
    if (upper(text) && text.length <= 250) return text.length > 2
    return (
      text.length <= 100 &&
      (next.lines?.length ?? 1) <= 2 &&
      !sentenceEnd.test(text) &&
      !speechStart.test(text) &&
      /^[\p{Lu}\d]/u.test(text)
    )
  })
  const titled = numbered.length - untitled.length + below.length
  // Where nearly every chapter has a title, "Who Stole the Tarts?" is one, too.
  if (titled >= Math.max(3, numbered.length * 0.7))
    for (const { index } of untitled) {
      const next = blocks[index + 1]
      if (
        next &&
        !heads.has(index + 1) &&
        next.kind === 'paragraph' &&
        next.text.length <= 80 &&
        (next.lines?.length ?? 1) === 1 &&
        /[?!]$/.test(next.text) &&
        !speechStart.test(next.text)
      )
        below.push(untitled.find((other) => other.index === index)!)
    }
  const sure = below.length >= Math.max(2, untitled.length * 0.5)
  return new Set(
    below.filter(({ index }) => sure || upper(blocks[index + 1]?.text ?? '')).map(({ index }) => index + 1),
  )
}

function rewrite(
  blocks: FlowBlock[],
  kept: Candidate[],
  titles: Set<number>,
  numeralsAreChapters: boolean,
): FlowBlock[] {
  const byIndex = new Map(kept.map((candidate) => [candidate.index, candidate]))
  return blocks.flatMap((current, index) => {
    const candidate = byIndex.get(index)
    const above = byIndex.get(index - 1)
    if (!candidate && titles.has(index) && above)
      return [
        {
          ...current,
          kind: 'heading' as const,
          text: current.text.replace(/\n/g, ' '),
          level: (levels[above.heading.is] ?? 2) + 1,
        },
      ]
    if (!candidate) return [current]
    const level = candidate.heading.is === 'numeral' && numeralsAreChapters ? 2 : levels[candidate.heading.is]
    if (!candidate.title && !candidate.rest.length)
      return [{ ...current, kind: 'heading' as const, level, text: current.text.replace(/\n/g, ' ') }]
    // Marks lie in the whole paragraph's text; headings lose theirs, the paragraph below keeps what it holds.
    const { start, anchors, gap, role } = current
    const head = block('heading', clean(candidate.head), [], { level, start, anchors, gap, role })
    if (candidate.title) return [head, block('heading', clean(candidate.title), [], { level: level + 1, role })]
    const text = clean(candidate.rest.join(' '))
    const offset = current.text.length - text.length
    const marks = current.marks
      .filter((mark) => mark.start >= offset)
      .map((mark) => ({ ...mark, start: mark.start - offset, end: mark.end - offset }))
    return [head, { ...block('paragraph', text, marks, { role }), lines: candidate.rest }]
  })
}

const clean = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/(^|[\s(])_+|_+($|[\s).,;:!?])/g, '$1$2')
    .trim()
