import { beforeEach, describe, expect, test } from 'vitest'
import { Problem } from '../../kit/errors.ts'
import type { RetryOptions } from './call-provider.ts'
import { sendJson, type Loopback } from './loopback.ts'
import type { SpeechEngine } from './speech.ts'

export const KEY = 'sk-very-secret-key-1234'
/** Quick enough for tests. */
export const QUICK: RetryOptions = { attempts: 3, firstWait: 0.01, longestWait: 5, timeout: 0.4 }

export interface ProviderContract {
  server: () => Loopback
  open: (retry: RetryOptions) => SpeechEngine
  voice: string
  name: string
}

/** How every provider's client stands what a network and a busy server do. */
export function survivesItsProvider({ server, open, voice, name }: ProviderContract): void {
  const ask = { text: 'Hello there.', voice, language: 'en', settings: {} }
  const failure = async (retry = QUICK): Promise<Problem> => {
    const error = await open(retry)
      .synthesize(ask)
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Problem)
    const problem = error as Problem
    expect(problem.message).toContain(name)
    expect(JSON.stringify(problem)).not.toContain(KEY)
    return problem
  }

  describe('when the provider fails', () => {
    beforeEach(() => {
      server().calls.length = 0
      server().instead.length = 0
    })

    test.each([429, 500, 503, 408, 409])('%i passes: the call is made again', async (status) => {
      server().instead.push((response) => sendJson(response, status, { error: { message: 'busy' } }))
      expect((await open(QUICK).synthesize(ask)).audio.length).toBeGreaterThan(0)
      expect(server().calls).toHaveLength(2)
      expect(server().calls[1]!.body).toBe(server().calls[0]!.body)
    })

    test('Retry-After is waited for', async () => {
      server().instead.push((response) => sendJson(response, 429, {}, { 'retry-after': '1' }))
      await open(QUICK).synthesize(ask)
      const [first, second] = server().calls.map(({ at }) => at)
      expect(second! - first!).toBeGreaterThan(950)
    })

    test('a wait longer than allowed ends the call at once, and says when to come back', async () => {
      server().instead.push((response) =>
        sendJson(response, 429, { error: { message: 'slow down' } }, { 'retry-after': '3600' }),
      )
      expect(await failure()).toMatchObject({
        type: 'provider_busy',
        status: 503,
        extra: { retryAfter: 3600, providerStatus: 429 },
      })
      expect(server().calls).toHaveLength(1)
    })

    test('a server that stays busy is given up after the last attempt', async () => {
      for (let i = 0; i < 3; i++)
        server().instead.push((response) => sendJson(response, 500, { detail: 'out of memory' }))
      const problem = await failure()
      expect(problem).toMatchObject({ type: 'provider_busy', extra: { providerStatus: 500 } })
      expect(problem.message).toContain('out of memory')
      expect(server().calls).toHaveLength(3)
    })

    test.each([400, 401, 403, 404, 422])(
      '%i is final, with the provider’s words and without the key',
      async (status) => {
        server().instead.push((response) => sendJson(response, status, { error: { message: `Bad key ${KEY}: no` } }))
        const problem = await failure()
        expect(problem).toMatchObject({ type: 'provider_refused', status: 502, extra: { providerStatus: status } })
        expect(problem.message).toMatch(/Bad key •••: no/)
        expect(server().calls).toHaveLength(1)
      },
    )

    test('an empty account is final though it says 429', async () => {
      server().instead.push((response) =>
        sendJson(response, 429, { error: { message: 'You exceeded your quota', code: 'insufficient_quota' } }),
      )
      expect(await failure()).toMatchObject({ type: 'provider_refused' })
      expect(server().calls).toHaveLength(1)
    })

    test('a body that breaks off is asked for again, and named when it stays so', async () => {
      const breakOff: Loopback['instead'][number] = (response) => {
        response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': '100000' })
        response.write(Buffer.alloc(1000), () => response.destroy())
      }
      server().instead.push(breakOff)
      expect((await open(QUICK).synthesize(ask)).audio.length).toBeGreaterThan(0)
      server().instead.push(breakOff, breakOff, breakOff)
      expect(await failure()).toMatchObject({ type: 'provider_unreachable', status: 502 })
    })

    test('a server that hangs is a time-out', async () => {
      server().instead.push(
        () => {},
        (response) => void response.writeHead(200, { 'content-type': 'audio/wav' }).write('RIFF'),
      )
      expect(await failure({ ...QUICK, attempts: 2, timeout: 0.15 })).toMatchObject({
        type: 'provider_timeout',
        status: 504,
      })
      expect(server().calls).toHaveLength(2)
    })

    test('an answer of another type is no audio', async () => {
      server().instead.push(
        (response) =>
          void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Sign in to the Wi-Fi</h1>'),
      )
      expect(await failure()).toMatchObject({ type: 'provider_answer_invalid', status: 502 })
    })

    test('an abort while it waits ends the wait', async () => {
      server().instead.push((response) => sendJson(response, 429, {}, { 'retry-after': '4' }))
      const controller = new AbortController()
      const reason = new Error('enough')
      const call = open(QUICK).synthesize({ ...ask, signal: controller.signal })
      setTimeout(() => controller.abort(reason), 50)
      await expect(call).rejects.toBe(reason)
      expect(server().calls).toHaveLength(1)
    })
  })
}
