import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestApp, openTestApp } from './app.ts'

let app: TestApp
beforeAll(async () => {
  app = await openTestApp({ work: false })
})
afterAll(() => app.close())

const ask = (method: string, path: string, headers: Record<string, string> = {}) =>
  fetch(app.url + path, { method, headers, redirect: 'manual' })
const authorization = () => `Bearer ${app.admin.token}`

/** Sends bytes as they are, and gives the whole reply. */
const raw = (text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let reply = ''
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1', () => socket.end(text))
    socket.on('data', (chunk) => {
      reply += String(chunk)
    })
    socket.on('close', () => resolve(reply)).on('error', reject)
  })

describe('headers of every reply', () => {
  const paths = [
    '/',
    '/app.js',
    '/docs',
    '/docs/scalar.js',
    '/openapi.json',
    '/healthz',
    '/readyz',
    '/metrics',
    '/v1/me',
    '/v1/projects/nothing',
    '/nowhere',
    '/%',
  ]
  test.each(paths)('%s', async (path) => {
    const { headers } = await ask('GET', path)
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).toMatch(/default-src '(none|self)'/)
    expect(policy).not.toMatch(/unsafe-eval|script-src[^;]*unsafe|\*/)
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
      'x-request-id': expect.any(String),
    })
    expect(headers.get('x-powered-by') ?? headers.get('server')).toBeNull()
  })

  test('the page itself has no inline script or style', async () => {
    const response = await ask('GET', '/')
    expect(response.headers.get('content-security-policy')).toContain("default-src 'self'")
    expect(await response.text()).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son[a-z]+=|\sstyle=/)
  })

  test('https is asked for only where it is spoken', async () => {
    expect((await ask('GET', '/healthz')).headers.has('strict-transport-security')).toBe(false)
    const behindProxy = await openTestApp({ work: false, environment: { VOICEPRESS_TRUST_PROXY: 'true' } })
    const { headers } = await behindProxy.http.inject({
      url: '/healthz',
      headers: { 'x-forwarded-proto': 'https', 'x-forwarded-for': 'nonsense' },
    })
    expect(headers['strict-transport-security']).toMatch(/max-age/)
    const signedIn = await behindProxy.http.inject({
      method: 'POST',
      url: '/v1/sessions',
      payload: { email: 'owner@example.com', password: 'correct horse battery' },
      headers: { 'x-forwarded-proto': 'https', 'x-forwarded-for': 'nonsense' },
    })
    expect(signedIn.headers['set-cookie']).toMatch(/^__Host-voicepress=.*; Secure$/)
    await behindProxy.close()
  })
})

describe('methods', () => {
  test('HEAD answers what GET would, without a body', async () => {
    for (const path of ['/', '/openapi.json', '/v1/me', '/healthz']) {
      const [head, get] = await Promise.all(
        ['HEAD', 'GET'].map((method) => ask(method, path, { authorization: authorization() })),
      )
      expect
        .soft([path, head?.status, head?.headers.get('content-type')])
        .toEqual([path, get?.status, get?.headers.get('content-type')])
      expect.soft(await head?.text()).toBe('')
    }
    expect((await ask('HEAD', '/v1/me')).status).toBe(401)
  })

  test('OPTIONS tells what a path knows, and other methods are refused with it', async () => {
    const options = await ask('OPTIONS', '/v1/projects')
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS, POST'])
    const refused = await ask('PUT', `/v1/projects/${crypto.randomUUID()}`, { authorization: authorization() })
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'DELETE, GET, HEAD, OPTIONS, PATCH'])
    expect(await refused.json()).toMatchObject({ type: 'urn:voicepress:problem:method_not_allowed', status: 405 })
    expect((await ask('OPTIONS', '/nowhere')).status).toBe(404)
    expect(
      (
        await ask('OPTIONS', '/v1/projects', {
          origin: 'https://elsewhere.example',
          'access-control-request-method': 'POST',
        })
      ).headers.has('access-control-allow-origin'),
    ).toBe(false)
  })

  test.each([
    'TRACE / HTTP/1.1\r\nHost: x\r\n\r\n',
    'NONSENSE / HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    'hello\r\n\r\n',
    `GET / HTTP/1.1\r\nHost: x\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`,
  ])('a request that is none is refused: %j', async (text) => {
    const reply = await raw(text)
    expect(reply).toMatch(/^HTTP\/1\.1 4\d\d /)
    expect(reply).not.toMatch(/\.[jt]s:\d+|node_modules/)
  })
})

test('the page is found again by its validator', async () => {
  const { headers } = await app.http.inject('/app.js')
  const again = await app.http.inject({ url: '/app.js', headers: { 'if-none-match': headers.etag } })
  expect(again.statusCode).toBe(304)
})
