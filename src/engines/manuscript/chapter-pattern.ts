import { RE2JS, RE2JSException } from 're2js'
import { Problem } from '../../kit/errors.ts'

const maxPatternLength = 500
const maxLineLength = 300
/** Time for all lines of a book; each by itself takes time in proportion to its length. */
const maxMilliseconds = 2_000

function refuse(detail: string, cause?: unknown): never {
  throw new Problem(422, 'invalid_chapter_pattern', detail, { field: 'chapterPattern' }, { cause })
}

/**
 * Finds the lines that a person's regular expression matches, with at most the first 300 characters of a line looked at.
 * The pattern is RE2's (github.com/google/re2/wiki/Syntax), which never goes back over what it has read: V8's own engine takes time that doubles
 * with each character of a pattern like `(|)(|)(|)b`, and is not always stopped by a time limit. Lookaround and back-references are the price.
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
  let compiled: RE2JS
  try {
    compiled = compile(source ?? pattern, flags ?? '')
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    refuse(`chapterPattern is not a regular expression that is understood here: ${error.message}.`, error)
  }
  if (compiled.matcher('').find()) refuse('chapterPattern matches an empty line, so every line would start a chapter.')
  const found = new Map<number, string>()
  const until = performance.now() + maxMilliseconds
  for (const [index, line] of lines.entries()) {
    const bounded = line.slice(0, maxLineLength)
    // RE2's \s knows ASCII only; a no-break space in a heading is a space.
    const match = compiled.matcher(bounded.replaceAll(/\p{Zs}/gu, ' '))
    if (match.find() && match.end() > match.start()) found.set(index, bounded.slice(match.start(), match.end()))
    if (performance.now() > until) refuse('chapterPattern takes too long on this text.')
  }
  return found
}

const known: Record<string, number> = { i: RE2JS.CASE_INSENSITIVE, m: RE2JS.MULTILINE, s: RE2JS.DOTALL }

/** Python's inline flag is common in patterns that people carry over, and understood; global and sticky would skip lines. */
const compile = (source: string, flags: string): RE2JS =>
  RE2JS.compile(
    RE2JS.translateRegExp(source),
    [...flags].reduce((all, flag) => all | (known[flag] ?? 0), 0),
  )
