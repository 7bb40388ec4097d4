import { classifyHeading } from './classify-heading.ts'
import type { FlowBlock } from './flow.ts'

const byline = /^(?:by|von|por|par|di|door|av|af|от|автор:?)\s+(\p{Lu}[\p{L}.'’ -]{2,80})$/iu

/** Title and author as a title page sets them, in the few short lines before the first section. */
export function guessTitle(blocks: FlowBlock[]): { title?: string; authors: string[] } {
  const result: { title?: string; authors: string[] } = { authors: [] }
  const lines: string[] = []
  for (const current of blocks.filter(({ role }) => !role).slice(0, 12)) {
    if (current.kind === 'scene_break' || current.kind === 'caption') continue
    if (current.style === 'title') result.title ??= current.text
    if (current.style === 'author') result.authors.push(current.text)
    const own = (current.lines ?? current.text.split('\n')).map((line) => line.trim()).filter(Boolean)
    if (own.length > 4 || own.some((line) => line.length > 90) || classifyHeading(own[0] ?? '').is !== 'other') break
    lines.push(...own)
  }
  lines.forEach((line, index) => {
    const found = byline.exec(line) ?? (/^(by|von|por|par|di)$/i.test(line) ? [line, lines[index + 1]] : null)
    if (found?.[1] && result.authors.length === 0) result.authors.push(...found[1].split(/\s+(?:and|und|y|et)\s+/))
  })
  const first = lines[0]
  // A line above nearly nothing is as likely the text itself.
  if (blocks.length < 10 && !blocks.some(({ kind }) => kind === 'heading')) return result
  if (first && !/[.!?:,;]["”']?$/.test(first) && !/^(produced by|title:|by\b|copyright)/i.test(first))
    result.title ??= first
  if (!result.title) {
    const produced = /^(produced by|e-?text prepared by|transcribed)/i.test(first ?? '')
    const next = produced ? lines[1] : undefined
    if (next && next.length < 80) result.title = next
  }
  return result
}
