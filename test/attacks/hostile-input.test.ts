import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AnyOperation } from '../../src/kit/operation.ts'
import { type Person, type TestApp, openTestApp } from '../app.ts'
import { queryAsOwner } from '../sign-in.ts'

let app: TestApp
let admin: Person
let viewer: Person
beforeAll(async () => {
  app = await openTestApp({ work: false, environment: { VOICEPRESS_RATE_LIMITS: 'false' } })
  admin = await app.addPerson(app.admin.tenant, 'hostile-admin@example.com', ['admin'])
  viewer = await app.addPerson(app.admin.tenant, 'hostile-viewer@example.com', ['viewer'])
})
afterAll(() => app.close())

const operations = (): AnyOperation[] => [...app.kernel.operations.values()]

describe('what is too large or too deep', () => {
  const post = (payload: string) =>
    app.http.inject({
      method: 'POST',
      url: '/v1/projects',
      headers: { authorization: `Bearer ${admin.token}`, 'content-type': 'application/json' },
      payload,
    })
  test('is refused and leaves the server standing', async () => {
    expect((await post(JSON.stringify({ title: 'x'.repeat(9 * 1024 * 1024) }))).statusCode).toBe(413)
    for (const depth of [1_000, 100_000, 2_000_000])
      for (const [open, close] of [
        ['[', ']'],
        ['{"a":', '}'],
      ] as const) {
        const deep = `${open.repeat(depth)}1${close.repeat(depth)}`
        if (deep.length > 8 * 1024 * 1024) continue
        expect.soft((await post(`{"title":"deep","settings":${deep}}`)).statusCode, `${depth} ${open}`).toBe(400)
      }
    const many = `{${Array.from({ length: 200_000 }, (_, count) => `"k${count}":1`).join(',')}}`
    expect((await post(many)).statusCode).toBe(400)
    const long = await app.http.inject({
      method: 'GET',
      url: `/v1/projects?after=${'a'.repeat(60_000)}`,
      headers: { authorization: `Bearer ${admin.token}` },
    })
    expect(long.statusCode).toBeLessThan(500)
    expect((await app.http.inject('/healthz')).statusCode).toBe(200)
  })
})

describe('what looks like SQL, a header or a path', () => {
  const hostile = [
    "' or 1=1 --",
    "'; drop table users; --",
    '1; select pg_sleep(5)',
    '$1',
    '" or ""="',
    "\\'; --",
    'null',
    '%27',
    "' union select password_hash from users --",
    '../../../../etc/passwd',
    '..%2f..%2f',
    'a\r\nX-Injected: yes',
    '%0d%0aX-Injected:%20yes',
  ]

  test('is a value like any other, wherever it stands', async () => {
    const before = await queryAsOwner(app, 'select count(*)::int as count from users')
    for (const operation of operations())
      for (const text of hostile) {
        const url = operation.path.replaceAll(/:[a-z_]+/g, encodeURIComponent(text))
        const query = Object.keys(operation.input.shape)
          .map((name) => `${name}=${encodeURIComponent(text)}`)
          .join('&')
        const reply = await app.http.inject({
          method: operation.method,
          url: `${url}?${query}`,
          headers: { authorization: `Bearer ${viewer.token}`, 'idempotency-key': text.replaceAll(/[\r\n]/g, ' ') },
        })
        expect.soft(reply.statusCode, `${operation.name} ${text}: ${reply.body.slice(0, 200)}`).toBeLessThan(500)
        expect.soft(reply.headers['x-injected'], operation.name).toBeUndefined()
        expect.soft(reply.body, operation.name).not.toMatch(/ at .*\.ts:\d+|node_modules|SELECT|syntax error/)
      }
    expect(await queryAsOwner(app, 'select count(*)::int as count from users')).toEqual(before)
  })

  test('in the name of a file is not in the names of our files, nor in a header', async () => {
    const { id } = await admin.call('POST', '/v1/projects', { title: 'a\r\nX-Injected: yes' })
    for (const name of [
      '../../../etc/passwd',
      '..\\..\\boot.ini',
      '/etc/shadow',
      'C:\\con',
      'a"; filename="b.html',
      'x\u202etxt.exe',
      '%2e%2e%2fx.txt',
      'ü\u0000.txt',
      '.',
      '..',
      '',
    ]) {
      const { status } = await admin.upload(`/v1/projects/${id}/manuscript`, name, 'A short text.')
      if (status !== 200) continue
      const reply = await app.http.inject({
        method: 'GET',
        url: `/v1/projects/${id}/manuscript`,
        headers: { authorization: `Bearer ${admin.token}` },
      })
      expect.soft(reply.headers['x-injected'], name).toBeUndefined()
      expect
        .soft(String(reply.headers['content-disposition']), name)
        .toMatch(/^attachment; filename="[\x20\x21\x23-\x5b\x5d-\x7e]*"; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]*$/)
    }
    const [{ manuscript_blob: blob }] = (await queryAsOwner(app, 'select manuscript_blob from projects where id = $1', [
      id,
    ])) as [{ manuscript_blob: string }]
    expect(blob).toMatch(new RegExp(`^tenants/${admin.tenant}/projects/${id}/manuscripts/[0-9a-f]{64}(\\.[a-z0-9]+)?$`))
  })

  test.each([
    '/../package.json',
    '/..%2fpackage.json',
    '/%2e%2e/package.json',
    '/%2e%2e%2f%2e%2e%2fetc/passwd',
    '/docs/..%2f..%2fpackage.json',
    '/assets/../../package.json',
    '/..\\package.json',
    '//etc/passwd',
    '/.env',
    '/.git/config',
    '/%00',
    '/src/app.ts',
  ])('%s shows no file of ours', async (url) => {
    const reply = await app.http.inject(url)
    expect(reply.statusCode).toBeLessThan(500)
    expect(reply.body).not.toMatch(/"dependencies"|root:x:|\[core\]|openApp/)
  })
})

test('a redirect leads to a path of ours, however the wish for another is written', () => {
  const { input } = app.kernel.operations.get('oidc.begin') as AnyOperation
  const mine = 'https://site.example'
  const pieces = fc.constantFrom(
    '/',
    '\\',
    '//',
    '/\\',
    '\t',
    '\n',
    '\r',
    ' ',
    '%2f',
    '%5c',
    '%09',
    '@',
    ':',
    '?',
    '#',
    '.',
    '..',
    'evil.example',
    'https:',
    'javascript:',
    'http://',
    '\u2028',
    '\u0000',
    '\uff0f',
    ';',
  )
  const takes = (value: string) => input.safeParse({ key: 'provider', return_to: value }).success
  expect(takes('/')).toBe(true)
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join('')),
        fc.array(pieces, { maxLength: 6 }).map((parts) => `/${parts.join('')}`),
        fc.webUrl(),
        fc.string(),
      ),
      (value) =>
        !takes(value) || (URL.canParse(value, mine) && new URL(value, mine).origin === mine && !/[\r\n]/.test(value)),
    ),
    { numRuns: 20_000 },
  )
})
