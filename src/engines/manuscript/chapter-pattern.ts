import { runInNewContext } from 'node:vm'
import { Problem } from '../../kit/errors.ts'

const maxPatternLength = 500
const maxLineLength = 300
/** A pattern gets this long for all lines of a book; backtracking that takes longer is stopped from outside. */
const maxMilliseconds = 2_000

function refuse(detail: string, cause?: unknown): never {
  throw new Problem(422, 'invalid_chapter_pattern', detail, { field: 'chapterPattern' }, { cause })
}

/**
 * Finds the lines that a person's regular expression matches, with at most the first 300 characters of a line looked at.
 * The match runs under V8's own time limit, the only one that stops a regular expression in the middle.
 * @returns index of each line that matches, with the matched text.
 * @throws Problem `invalid_chapter_pattern`, `field: 'chapterPattern'`, when it is too long, malformed, or takes over 2 s.
 */
export function matchChapterLines(pattern: string, lines: string[]): Map<number, string> {
  if (pattern.length > maxPatternLength)
    refuse(`chapterPattern is ${pattern.length} characters long; at most ${maxPatternLength} are read.`)
  if (!pattern.trim()) refuse('chapterPattern is empty.')
  const { source, flags } = /^\/(?<source>.+)\/(?<flags>[a-z]*)$/s.exec(pattern)?.groups ?? {
    source: pattern,
    flags: '',
  }
  let compiled: RegExp
  try {
    compiled = compile(source ?? pattern, flags ?? '')
  } catch (error) {
    refuse(`chapterPattern is not a regular expression: ${(error as Error).message}.`, error)
  }
  if (compiled.test('')) refuse('chapterPattern matches an empty line, so every line would start a chapter.')
  const bounded = lines.map((line) => line.slice(0, maxLineLength))
  let found: [number, string][]
  try {
    found = runInNewContext(
      'const found = []; for (let i = 0; i < lines.length; i++) { const match = pattern.exec(lines[i]); if (match && match[0]) found.push([i, match[0]]) } found',
      { lines: bounded, pattern: compiled },
      { timeout: maxMilliseconds },
    ) as [number, string][]
  } catch (error) {
    refuse('chapterPattern takes too long on this text; a repetition inside a repetition is the usual cause.', error)
  }
  return new Map(found)
}

/** Python's inline flag is common in patterns that people carry over; global and sticky would skip lines. */
function compile(source: string, flags: string): RegExp {
  const inline = /^\(\?([ims]+)\)/.exec(source)
  const wanted = [...new Set(`${flags}${inline?.[1] ?? ''}`.replace(/[gyumv]/g, ''))].join('')
  const body = inline ? source.slice(inline[0].length) : source
  try {
    return new RegExp(body, `${wanted}u`)
  } catch {
    return new RegExp(body, wanted)
  }
}
