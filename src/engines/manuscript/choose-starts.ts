import { classifyHeading, type Heading } from './classify-heading.ts'
import { estimateWords, type FlowBlock, type SectionStart } from './flow.ts'

const ending = /^(the end|finis|fin|ende|fine|fim|konec|конец|einde|end of (book|volume|part|vol)\b.{0,20})[.!]?$/i
const byline = /^(by|von|por|par|di|de|af|av|door|traducid[oa] por|translated by|illustrated by|edited by)\s+\p{Lu}/iu

export interface Headed {
  index: number
  heading: Heading
  level: number
  block: FlowBlock
}

export function listHeadings(blocks: FlowBlock[]): Headed[] {
  return blocks.flatMap((current, index) =>
    current.kind === 'heading' && !current.link && !current.role && current.text.trim()
      ? [{ index, heading: classifyHeading(current.text), level: current.level ?? 2, block: current }]
      : [],
  )
}

const mostCommon = (values: number[]): number | undefined => {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0]
}

/** Words of running text between two blocks. */
function wordsBetween(blocks: FlowBlock[], from: number, to: number, enough: number): number {
  let words = 0
  for (let index = from; index < to && words < enough; index += 1) {
    const current = blocks[index]
    if (current && current.kind !== 'heading' && current.kind !== 'caption') words += estimateWords(current.text)
  }
  return words
}

/**
 * Sections start at headings: at the numbered ones where there are any, with everything of their level and above;
 * otherwise at the shallowest level that occurs more than once.
 */
export function startsFromHeadings(blocks: FlowBlock[]): Map<number, SectionStart> {
  const headings = listHeadings(blocks).filter(({ block }) => !ending.test(block.text.trim()))
  const starts = new Map<number, SectionStart>()
  const numbered = headings.filter(({ heading }) => heading.is === 'chapter')
  const numerals = headings.filter(({ heading }) => heading.is === 'numeral')
  const others = headings.filter(({ heading }) => heading.is === 'other')
  const useNumerals = numbered.length === 0 && numerals.length > 1
  const counted = numbered.length ? numbered : useNumerals ? numerals : []
  const all = headings.map(({ level }) => level).toSorted((a, b) => a - b)
  const chapterLevel = counted.length
    ? (mostCommon(counted.map(({ level }) => level)) ?? 2)
    : // One heading deep below another, each alone on its level, is an outline and no row of chapters.
      (all.find(
        (level) => level <= (all[0] ?? 1) + 1 && headings.filter((other) => other.level === level).length > 1,
      ) ??
      all[0] ??
      1)
  // Unnumbered headings that are many more than the numbered ones of their level are subheadings set alike.
  const alike = others.filter(({ level }) => level === chapterLevel).length
  const othersCount = counted.length === 0 || alike <= counted.length * 2 + 4
  let previous: Headed | undefined
  let previousStarts = false
  for (const current of headings) {
    const { heading, level, index } = current
    const touching = previous !== undefined && wordsBetween(blocks, previous.index + 1, index, 1) === 0
    let begins: boolean
    if (heading.is === 'chapter' || heading.is === 'part')
      begins = heading.is === 'part' || level <= chapterLevel + 1 || counted.length < 3
    else if (heading.is === 'numeral')
      begins = useNumerals ? level <= chapterLevel + 1 : level <= chapterLevel && numbered.length === 0
    else if (heading.is === 'matter') begins = level <= Math.max(chapterLevel, 2)
    else begins = level < chapterLevel || (level === chapterLevel && othersCount)
    if (begins && touching && previous && previousStarts && heading.is === 'other' && belongsTo(previous, current))
      begins = false
    if (begins) starts.set(index, { source: 'semantics', depth: level })
    previous = current
    previousStarts = begins || (previousStarts && touching)
  }
  return starts
}

/** A heading right below another one is its title when that is only a number, its byline, or set smaller below a part. */
function belongsTo(above: Headed, below: Headed): boolean {
  const untitled = 'title' in above.heading && !above.heading.title
  if (above.heading.is === 'chapter' || above.heading.is === 'numeral') return untitled
  if (above.heading.is === 'part') return untitled && below.level >= above.level
  return byline.test(below.block.text)
}

/** Numbered headings that navigation does not know of: how many sections the headings alone would give. */
export function countNumbered(blocks: FlowBlock[]): number {
  return listHeadings(blocks).filter(({ heading }) => heading.is === 'chapter').length
}
