import { block, type FlowBlock } from './flow.ts'
import type { Mark } from './manuscript.ts'

const numberLine = /^(?:\P{L}*\p{L}+\.?\s+)?(?:\d{1,3}|[IVXLC]+|[\p{L}-]+)[.:]?$/u

/** "CHAPTER I", a line break, "THE STORM": two headings. A title that is broken for its looks only stays one. */
export function splitHeading(text: string, level: number, marks: Mark[], link: boolean): FlowBlock[] {
  const more = link ? { link } : {}
  const [first = '', ...rest] = text.split('\n')
  if (!rest.length || first.length >= 40 || !numberLine.test(first.trim()))
    return [block('heading', text.replace(/\n/g, ' '), marks, { level, ...more })]
  const title = rest.join(' ')
  const inside = marks
    .filter((mark) => mark.start > first.length)
    .map((mark) => ({ ...mark, start: mark.start - first.length - 1, end: mark.end - first.length - 1 }))
  return [
    block('heading', first, [], { level, ...more }),
    block('heading', title, inside, { level: Math.min(6, level + 1), ...more }),
  ]
}
