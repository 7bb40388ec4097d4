import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '../../kit/errors.ts'

export interface RetryOptions {
  /** Calls in all. */
  attempts?: number
  /** Seconds before the second call; doubled before each further one, and taken at random between half and all of it. */
  firstWait?: number
  /** Longest wait in seconds. A provider that asks for more (Retry-After) ends the call. */
  longestWait?: number
  /** Seconds that one call may take, its answer's body included. */
  timeout?: number
}

export interface ProviderLink {
  /** How the provider is named to a person. */
  name: string
  /** Never shown: keys that the provider may repeat in its messages. */
  secrets: (string | undefined)[]
  /** Content types of an answer that can be used. */
  accepts: RegExp
  retry?: RetryOptions
}

const DEFAULTS = { attempts: 5, firstWait: 0.5, longestWait: 60, timeout: 120 }

/** Statuses that may pass: request time-out, conflict, too many requests, and the server's own faults (RFC 9110, RFC 6585). */
const mayPass = (status: number): boolean => status === 408 || status === 409 || status === 429 || status >= 500

/**
 * `fetch` for one provider: with retries (exponential, with jitter; Retry-After in seconds or as a date is honoured), a time-out for each call, the body read whole, and every failure as
 * a `Problem` with the provider's name, status and message: `provider_refused` (502), `provider_busy` (503), `provider_timeout` (504), `provider_unreachable` and
 * `provider_answer_invalid` (502). An abort rejects with the signal's reason.
 */
export function providerFetch(link: ProviderLink): typeof fetch {
  const retry = { ...DEFAULTS, ...link.retry }
  return async (input, init = {}) => {
    const signal = init.signal ?? undefined
    for (let attempt = 1; ; attempt++) {
      const failure = await callOnce(link, retry.timeout, input, init)
      if (failure instanceof Response) return failure
      if (!failure.passing || attempt >= retry.attempts) throw failure.problem
      const wait = Math.min(retry.longestWait, retry.firstWait * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2)
      if ((failure.after ?? 0) > retry.longestWait) throw failure.problem
      await delay(Math.max(wait, failure.after ?? 0) * 1000, undefined, { signal }).catch(() =>
        signal?.throwIfAborted(),
      )
    }
  }
}

interface Failure {
  problem: Problem
  passing: boolean
  /** Seconds that the provider asks for. */
  after?: number
}

async function callOnce(
  link: ProviderLink,
  timeout: number,
  input: string | URL | Request,
  init: RequestInit,
): Promise<Response | Failure> {
  const signal = init.signal ?? undefined
  const limit = AbortSignal.timeout(timeout * 1000)
  try {
    const response = await fetch(input, { ...init, signal: signal ? AbortSignal.any([signal, limit]) : limit })
    const bytes = new Uint8Array(await response.arrayBuffer())
    if (!response.ok) return refusal(link, response, bytes)
    const type = response.headers.get('content-type') ?? ''
    if (!link.accepts.test(type))
      return wrongAnswer(link, response.status, `it answered with ${type || 'no content type'}`)
    if (bytes.length === 0) return { ...wrongAnswer(link, response.status, 'its answer is empty'), passing: true }
    return new Response(bytes, { status: response.status, headers: response.headers })
  } catch (error) {
    signal?.throwIfAborted()
    if (limit.aborted) {
      const detail = `${link.name} did not answer within ${timeout} s.`
      return {
        passing: true,
        problem: new Problem(504, 'provider_timeout', detail, { provider: link.name }, { cause: error }),
      }
    }
    // undici says 'fetch failed' or 'terminated' and puts the reason into the cause.
    const reason =
      error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error)
    const detail = `${link.name} can't be reached: ${hide(link, reason || 'the connection failed')}.`
    return { passing: true, problem: new Problem(502, 'provider_unreachable', detail, { provider: link.name }) }
  }
}

function refusal(link: ProviderLink, response: Response, bytes: Uint8Array): Failure {
  const { code, message } = readError(new TextDecoder().decode(bytes.subarray(0, 20_000)))
  const said = hide(link, message || response.statusText || 'no reason given').slice(0, 500)
  // An empty account is answered with 429 too, and doesn't pass by waiting.
  const passing = mayPass(response.status) && code !== 'insufficient_quota' && code !== 'quota_exceeded'
  const after = retryAfter(response.headers)
  const extra = {
    provider: link.name,
    providerStatus: response.status,
    ...(after === undefined ? {} : { retryAfter: after }),
  }
  const detail = `${link.name} ${passing ? 'is not able to answer now' : 'refused the call'} (${response.status}): ${said}`
  return {
    passing,
    after,
    problem: new Problem(passing ? 503 : 502, passing ? 'provider_busy' : 'provider_refused', detail, extra),
  }
}

function wrongAnswer(link: ProviderLink, status: number, why: string): Failure {
  const detail = `${link.name} gave no usable answer: ${why}.`
  return {
    passing: false,
    problem: new Problem(502, 'provider_answer_invalid', detail, { provider: link.name, providerStatus: status }),
  }
}

/** Seconds to wait by RFC 9110 section 10.2.3, or by OpenAI's finer `retry-after-ms`. */
export function retryAfter(headers: Headers, now = Date.now()): number | undefined {
  const milliseconds = Number(headers.get('retry-after-ms') ?? Number.NaN)
  if (milliseconds >= 0) return milliseconds / 1000
  const value = headers.get('retry-after')?.trim()
  if (!value) return undefined
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value)
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000)
}

/** The message in the shapes that providers use: {error: {message, code}}, {detail: {message, status}}, {detail: '…'}, {detail: [{msg}]}, {message}, plain text. */
function readError(body: string): { code?: string; message: string } {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    return { message: body.startsWith('<') ? '' : body.trim() }
  }
  const outer = asRecord(json)
  const inner = outer.error ?? outer.detail ?? outer
  const record = asRecord(Array.isArray(inner) ? inner[0] : inner)
  const message = [typeof inner === 'string' ? inner : undefined, record.message, record.msg, outer.message].find(
    (one) => typeof one === 'string',
  )
  const code = [record.code, record.status, record.type].find((one) => typeof one === 'string')
  return { code: code as string | undefined, message: (message as string | undefined) ?? '' }
}

const asRecord = (value: unknown): Record<string, unknown> =>
  value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {}

function hide(link: ProviderLink, text: string): string {
  let safe = text
  for (const secret of link.secrets) if (secret && secret.length > 3) safe = safe.replaceAll(secret, '•••')
  // Providers repeat keys in part: 'Incorrect API key provided: sk-pr***f3a'.
  return safe.replaceAll(/\b(sk|xi|key)[-_][\w*•-]{4,}/g, '•••').replaceAll(/\bBearer\s+\S+/gi, 'Bearer •••')
}
