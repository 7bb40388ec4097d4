import { Problem } from './errors.ts'

/** More than any input of ours has; what is nested deeper only exhausts the stack of those who walk it, PostgreSQL's too. */
const deepest = 64

/**
 * JSON as we take it: nested at most 64 deep, of text that can be stored.
 * @throws Problem 400 invalid_json, or invalid_input with the `field` whose text has NUL or half a surrogate pair
 */
export function parseJson(text: string): unknown {
  if (depthOf(text) > deepest)
    throw new Problem(400, 'invalid_json', `The JSON is nested more than ${deepest} levels deep.`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Problem(400, 'invalid_json', `This is not JSON: ${(error as Error).message}`)
  }
  // Only escapes can bring them: the text itself was decoded from UTF-8.
  if (/\\u(0000|d[89a-f])/i.test(text)) {
    const field = unstorable(value)
    if (field !== undefined)
      throw new Problem(400, 'invalid_input', `${field}: has a character that cannot be stored`, { field })
  }
  return value
}

function depthOf(text: string): number {
  let depth = 0
  let most = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (quoted) {
      if (code === 0x5c) at++
      else if (code === 0x22) quoted = false
    } else if (code === 0x22) quoted = true
    else if (code === 0x5b || code === 0x7b) most = Math.max(most, ++depth)
    else if (code === 0x5d || code === 0x7d) depth--
  }
  return most
}

/** Path of the first text, or name, with NUL or half a surrogate pair. */
function unstorable(value: unknown, path: string[] = []): string | undefined {
  const isBroken = (text: string) => text.includes('\u0000') || !text.isWellFormed()
  if (typeof value === 'string') return isBroken(value) ? path.join('.') || 'body' : undefined
  if (value === null || typeof value !== 'object') return undefined
  for (const [name, inner] of Object.entries(value)) {
    if (isBroken(name)) return path.join('.') || 'body'
    const found = unstorable(inner, [...path, name])
    if (found !== undefined) return found
  }
  return undefined
}
