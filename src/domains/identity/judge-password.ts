import { createHash } from 'node:crypto'
import type { ZxcvbnFactory } from '@zxcvbn-ts/core'
import { Problem } from '../../kit/errors.ts'
import type { Context } from '../../kit/operation.ts'

const shortest = 12
/** Of 0–4: more than 10^8 guesses, "safely unguessable" against a slow hash. */
const weakestScore = 3

let estimator: Promise<ZxcvbnFactory> | undefined

/** Its word lists are large, so they are loaded with the first password that is chosen. */
async function openEstimator(): Promise<ZxcvbnFactory> {
  const [{ ZxcvbnFactory }, common, english] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
    import('@zxcvbn-ts/language-en'),
  ])
  return new ZxcvbnFactory({
    dictionary: { ...common.dictionary, ...english.dictionary },
    graphs: common.adjacencyGraphs,
    translations: english.translations,
  })
}

/**
 * Refuses a password that is short, easily guessed, made of what is known about its owner, or known to have leaked.
 * @throws Problem 400 weak_password with `limit`, or with `score` and `suggestions`
 */
export async function requireStrong(
  { services }: Context,
  password: string,
  about: (string | null | undefined)[],
): Promise<void> {
  const weak = (detail: string, extra: object = {}) =>
    new Problem(400, 'weak_password', `password: ${detail}`, { field: 'password', ...extra })
  if (password.length < shortest) throw weak(`at least ${shortest} characters`, { limit: shortest })
  const known = about
    .flatMap((text) => (text ? [text, ...text.split(/[^\p{L}\p{N}]+/u)] : []))
    .filter((word) => word.length > 2)
  // The estimator takes three parts for hard to guess, whatever they are.
  const own = known
    .toSorted((a, b) => b.length - a.length)
    .reduce((rest, word) => rest.replaceAll(word.toLowerCase(), ''), password.toLowerCase())
  if (own.length < password.length && own.replaceAll(/[^\p{L}\p{N}]/gu, '').length < 6)
    throw weak('is made of what others know about you')
  estimator ??= openEstimator()
  // Its time grows with the length; what a hundred characters don't make strong the rest won't.
  const { score, feedback } = (await estimator).check(password.slice(0, 100), ['voicepress', ...known])
  if (score < weakestScore)
    throw weak(feedback.warning || 'too easy to guess', { score, suggestions: feedback.suggestions })
  if (services.config.BREACHED_PASSWORDS_URL && (await hasLeaked(services.config.BREACHED_PASSWORDS_URL, password)))
    throw weak('is in a list of passwords that leaked elsewhere; choose another')
}

/**
 * Asks a range service (Have I Been Pwned's interface): it gets the first five digits of the SHA-1 and answers all that begin so, with
 * padding. One that doesn't answer within two seconds keeps nobody from choosing a password.
 */
export async function hasLeaked(service: string, password: string): Promise<boolean> {
  const hash = createHash('sha1').update(password).digest('hex').toUpperCase()
  try {
    const response = await fetch(new URL(`/range/${hash.slice(0, 5)}`, service), {
      headers: { 'add-padding': 'true' },
      signal: AbortSignal.timeout(2000),
    })
    if (!response.ok) return false
    return (await response.text()).split('\n').some((line) => {
      const [rest, count] = line.trim().split(':')
      return rest === hash.slice(5) && Number(count) > 0
    })
  } catch {
    return false
  }
}
