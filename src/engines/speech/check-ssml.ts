import { SaxesParser } from 'saxes'
import { Problem } from '../../kit/errors.ts'
import { spokenRuns } from './spoken-runs.ts'

const NAMESPACE = 'http://www.w3.org/2001/10/synthesis'

/**
 * The elements of SSML 1.1 (W3C, 2010, chapters 3.1 and 3.2) that a segment may hold, with the attributes that each needs. Those that fetch
 * something from elsewhere (audio, lexicon, meta) are not among them.
 */
const ELEMENTS: Record<string, string[]> = {
  speak: ['version', 'xml:lang'],
  p: [],
  s: [],
  token: [],
  w: [],
  'say-as': ['interpret-as'],
  phoneme: ['ph'],
  sub: ['alias'],
  lang: ['xml:lang'],
  voice: [],
  emphasis: [],
  break: [],
  prosody: [],
  mark: ['name'],
  desc: [],
}
const WITH_TEXT_ONLY = new Set(['phoneme', 'sub', 'say-as'])
const EMPTY = new Set(['break', 'mark'])

/**
 * Makes sure that a document is SSML 1.1 that says a segment's text, word for word.
 * @throws Problem 400 ssml_invalid or ssml_mismatch, with `field` 'ssml' and, where the document is at fault, its `line` and `column`
 */
export function checkSsml(ssml: string, text: string): void {
  const parser = new SaxesParser({ xmlns: false, position: true })
  const refuse = (why: string): never => {
    throw new Problem(400, 'ssml_invalid', `ssml: ${why} (line ${parser.line}, column ${parser.column})`, {
      field: 'ssml',
      line: parser.line,
      column: parser.column,
    })
  }
  const open: string[] = []
  parser.on('error', (error) => refuse(`not well-formed: ${error.message.replace(/^\d+:\d+: /, '')}`))
  parser.on('doctype', () => refuse('a document type is not accepted'))
  parser.on('opentag', ({ name, attributes }) => {
    const parent = open.at(-1)
    if (parent === undefined && name !== 'speak') refuse(`it starts with <${name}>, not with <speak>`)
    if (parent !== undefined && name === 'speak') refuse('<speak> stands inside another element')
    const needed = ELEMENTS[name]
    if (!needed) return refuse(`<${name}> is no element of SSML 1.1 that a segment may hold`)
    const missing = needed.find((attribute) => attributes[attribute] === undefined)
    if (missing) refuse(`<${name}> needs the attribute ${missing}`)
    if (name === 'speak' && attributes.version !== '1.1' && attributes.version !== '1.0')
      refuse(`version is '${attributes.version}', not '1.1'`)
    if (name === 'speak' && attributes.xmlns !== NAMESPACE) refuse(`<speak> needs xmlns="${NAMESPACE}"`)
    if (parent && (WITH_TEXT_ONLY.has(parent) || EMPTY.has(parent))) refuse(`<${parent}> may not hold <${name}>`)
    open.push(name)
  })
  parser.on('text', (content) => {
    const within = open.at(-1)
    if (within && EMPTY.has(within) && content.trim()) refuse(`<${within}> may not hold text`)
  })
  parser.on('closetag', () => void open.pop())
  parser.write(ssml).close()
  try {
    spokenRuns({ text, ssml })
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    throw new Problem(400, error.type, `ssml: ${error.message}`, { field: 'ssml' })
  }
}
