import { SaxesParser } from 'saxes'
import { Problem } from '../../kit/errors.ts'

/** A stretch of the spoken text that is said in one way. The texts of a segment's runs, joined, are its text. */
export interface SpokenRun {
  /** UTF-16 offset in the spoken text. */
  start: number
  text: string
  /** Said in place of the text. */
  alias?: string
  /** How the text is pronounced; `alphabet` is 'ipa' or 'x-sampa'. */
  phoneme?: { alphabet: string; ph: string }
  emphasis?: 'strong' | 'moderate' | 'reduced' | 'none'
  /** BCP 47, where it is not the segment's. */
  language?: string
  /** Seconds of silence after it. */
  pause?: number
}

type Manner = Omit<SpokenRun, 'start' | 'text' | 'pause'>

/** Unit for unit the same text, with what XML 1.0 (section 2.2) can't hold made a space: control characters, lone surrogates, non-characters. */
export function speakable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffe\uffff]/g, ' ').replace(/\p{Surrogate}/gu, ' ')
}

/**
 * The runs of an SSML 1.1 document. Elements that say nothing of a word (speak, p, s, prosody, voice, mark, …) are looked through.
 * @throws Problem 400 `ssml_invalid` for what is not well-formed, or not SSML
 */
export function readSsml(ssml: string): SpokenRun[] {
  const runs: SpokenRun[] = []
  const manners: Manner[] = [{}]
  let offset = 0
  let depth = 0
  const parser = new SaxesParser({ xmlns: false })
  parser.on('error', (error) => {
    throw new Problem(400, 'ssml_invalid', `The SSML is not well-formed: ${error.message}`)
  })
  parser.on('doctype', () => {
    throw new Problem(400, 'ssml_invalid', 'SSML with a document type is not accepted.')
  })
  parser.on('opentag', ({ name, attributes }) => {
    if (depth++ === 0 && name !== 'speak')
      throw new Problem(400, 'ssml_invalid', `SSML starts with <speak>, not with <${name}>.`)
    const manner: Manner = { ...manners.at(-1)! }
    const language = attributes['xml:lang']
    if (language && depth > 1) manner.language = language
    if (name === 'sub' && attributes.alias !== undefined) manner.alias = attributes.alias
    if (name === 'phoneme' && attributes.ph)
      manner.phoneme = { alphabet: attributes.alphabet ?? 'ipa', ph: attributes.ph }
    if (name === 'emphasis') manner.emphasis = emphasisLevel(attributes.level)
    if (name === 'break')
      runs.push({ start: offset, text: '', pause: breakSeconds(attributes.time, attributes.strength) })
    manners.push(manner)
  })
  parser.on('closetag', () => {
    depth--
    manners.pop()
  })
  const hear = (text: string): void => {
    if (depth === 0 || !text) return
    const last = runs.at(-1)
    const manner = manners.at(-1)!
    const plain = !manner.alias && !manner.phoneme
    if (last && plain && last.pause === undefined && sameManner(last, manner)) last.text += text
    else runs.push({ start: offset, text, ...manner })
    offset += text.length
  }
  parser.on('text', hear)
  parser.on('cdata', hear)
  parser.write(ssml).close()
  return runs
}

/**
 * The runs of a request: of its SSML when it has one, otherwise its text as it is.
 * @throws Problem 400 `ssml_mismatch` when the SSML's text is not the request's: timings would point nowhere
 */
export function spokenRuns(request: { text: string; ssml?: string }): SpokenRun[] {
  const text = speakable(request.text)
  if (request.ssml === undefined) return [{ start: 0, text }]
  const runs = readSsml(request.ssml)
  if (runs.map((run) => run.text).join('') !== text)
    throw new Problem(400, 'ssml_mismatch', 'The SSML says another text than the segment.')
  return runs
}

function sameManner(a: Manner, b: Manner): boolean {
  return !a.alias && !a.phoneme && a.emphasis === b.emphasis && a.language === b.language
}

function emphasisLevel(level: string | undefined): SpokenRun['emphasis'] {
  return level === 'strong' || level === 'reduced' || level === 'none' ? level : 'moderate'
}

const STRENGTHS: Record<string, number> = {
  none: 0,
  'x-weak': 0.1,
  weak: 0.2,
  medium: 0.4,
  strong: 0.8,
  'x-strong': 1.5,
}

function breakSeconds(time: string | undefined, strength: string | undefined): number {
  const match = time?.match(/^\+?(\d*\.?\d+)(ms|s)$/)
  if (match) return Number(match[1]) / (match[2] === 'ms' ? 1000 : 1)
  return STRENGTHS[strength ?? 'medium'] ?? 0.4
}
