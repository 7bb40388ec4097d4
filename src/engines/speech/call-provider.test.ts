import { afterAll, beforeAll, expect, test } from 'vitest'
import { providerFetch, retryAfter } from './call-provider.ts'
import { serveLoopback, type Loopback } from './loopback.ts'

let server: Loopback
beforeAll(async () => {
  server = await serveLoopback((_, response) => void response.writeHead(200, { 'content-type': 'audio/wav' }).end('ok'))
})
afterAll(() => server.close())

const now = Date.UTC(2026, 10, 21, 12)

test.each([
  [{ 'retry-after': '7' }, 7],
  [{ 'retry-after': 'Sat, 21 Nov 2026 12:00:30 GMT' }, 30],
  [{ 'retry-after': 'Sat, 21 Nov 2026 11:00:00 GMT' }, 0],
  [{ 'retry-after': 'soon' }, undefined],
  [{ 'retry-after-ms': '1500', 'retry-after': '9' }, 1.5],
  [{}, undefined],
])('Retry-After %j is %s seconds', (headers, seconds) => {
  expect(retryAfter(new Headers(headers as Record<string, string>), now)).toBe(seconds)
})

test('a date is waited for', async () => {
  server.instead.push(
    (response) => void response.writeHead(503, { 'retry-after': new Date(Date.now() + 2000).toUTCString() }).end(),
  )
  const call = providerFetch({ name: 'A', secrets: [], accepts: /audio/, retry: { firstWait: 0.01 } })
  await call(server.url)
  expect(server.calls[1]!.at - server.calls[0]!.at).toBeGreaterThan(900)
})

test('waits grow, and no call is made after the last attempt', async () => {
  server.calls.length = 0
  for (let i = 0; i < 4; i++) server.instead.push((response) => void response.writeHead(500).end('<html>no</html>'))
  const call = providerFetch({ name: 'A', secrets: [], accepts: /audio/, retry: { attempts: 4, firstWait: 0.04 } })
  await expect(call(server.url)).rejects.toThrow('A is not able to answer now (500): Internal Server Error')
  const waits = server.calls.slice(1).map(({ at }, i) => at - server.calls[i]!.at)
  expect(waits).toHaveLength(3)
  for (const [i, wait] of waits.entries()) expect(wait).toBeGreaterThan(20 * 2 ** i - 5)
})

test('keys that a provider repeats, whole or in part, are hidden', async () => {
  server.instead.push(
    (response) =>
      void response
        .writeHead(401)
        .end('{"error":{"message":"Key abcdef12 (sk-pr***f3a) of Bearer abcdef12 is wrong"}}'),
  )
  const call = providerFetch({ name: 'A', secrets: ['abcdef12', undefined, ''], accepts: /audio/ })
  await expect(call(server.url)).rejects.toThrow('A refused the call (401): Key ••• (•••) of Bearer ••• is wrong')
})

test('a server that isn’t there can’t be reached', async () => {
  const gone = await serveLoopback(() => {})
  await gone.close()
  const call = providerFetch({ name: 'A', secrets: [], accepts: /audio/, retry: { attempts: 2, firstWait: 0.01 } })
  await expect(call(gone.url)).rejects.toMatchObject({
    type: 'provider_unreachable',
    message: expect.stringContaining('ECONNREFUSED'),
  })
})
