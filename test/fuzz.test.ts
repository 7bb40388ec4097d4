import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { domains } from '../src/app.ts'
import { type AnyOperation, isReadOnly } from '../src/kit/operation.ts'
import { type Person, type TestApp, openTestApp } from './app.ts'
import { fillTables } from './fill-tables.ts'
import { type JsonSchema, inputSchema } from './sample-input.ts'

let app: TestApp
let authorization: string
let administrator: Person
/** Of rows that there are. */
let ids: string[]
beforeAll(async () => {
  app = await openTestApp({ work: false })
  const filled = await fillTables(app.kernel.urls.owner, 'fuzzed')
  ids = [...filled.ids.values()]
  administrator = await app.addPerson(filled.tenant, 'fuzz@example.com', ['admin'])
  // A key, for a session might be told to end itself.
  authorization = `Bearer ${(await administrator.call('POST', '/v1/api-keys', { name: 'fuzz', scopes: ['*'] })).key}`
})
afterAll(() => app.close())

const texts = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  'x\udfff\ud800',
  '\u202e\u200b\ufeff',
  '👩‍🚀🇪🇸',
  'e\u0301',
  '\r\nX-Injected: yes\r\n\r\n',
  '%00',
  '%2e%2e%2f',
  '\\',
  '"',
  "'",

  "'; drop table users; --",
  '1 or 1=1',
  '$1',
  '${7*7}',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '../../../../etc/passwd',
  'C:\\con\\nul',
  '__proto__',
  'constructor',
  'null',
  'undefined',
  'NaN',
  '-1',
  '1e999',
  '9'.repeat(400),

  'x'.repeat(70_000),
  'é'.repeat(5_001),
  '2026-13-45',
  '9999-12-31T23:59:59Z',
  '-271821-04-20T00:00:00Z',
  '0001-01-01T00:00:00+18:00',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  '00000000-0000-0000-0000-000000000000',
]
const numbers = [0, -0, -1, 0.1, 1e21, -1e308, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, 5e-324]
const nested = (depth: number): unknown => Array.from({ length: depth }).reduce<unknown>((inner) => ({ a: [inner] }), 1)
const hostile: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(...texts),
  fc.constantFrom<unknown>(...numbers),
  fc.constantFrom<unknown>(null, true, [], {}, [[]], [null], { a: { b: 1 } }, nested(20), {
    ['__proto__']: { admin: true },
  }),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.json({ maxDepth: 3 }).map((text) => JSON.parse(text)),
)

/** Values that a schema takes, mostly. */
function valid(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return fc.oneof(...choices.map(valid))
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  const low = schema.minimum ?? schema.exclusiveMinimum ?? -1000
  switch (type) {
    case 'string':
      if (schema.format === 'uuid')
        return fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...ids) }, { weight: 1, arbitrary: fc.uuid() })
      if (schema.format === 'email') return fc.constantFrom('a@example.com', 'b@example.com', 'Ä@example.com')
      if (schema.format === 'date-time')
        return fc.constantFrom('2026-01-02T03:04:05Z', '9999-12-31T23:59:59Z', '0001-01-01T00:00:00Z')
      if (schema.format === 'date') return fc.constantFrom('2026-01-02', '9999-12-31', '0001-01-01')
      return fc.oneof(
        fc.string({ minLength: schema.minLength ?? 0, maxLength: Math.max(60, schema.minLength ?? 0) }),
        fc.constantFrom(...texts.filter((text) => !text.includes('\u0000') && text.length < 60)),
      )
    case 'integer':
      return fc.oneof(
        fc.integer({ min: low, max: Math.min(schema.maximum ?? 1000, low + 1000) }),
        fc.constant(schema.maximum ?? 1),
      )
    case 'number':
      return fc.oneof(
        fc.double({ min: low, max: schema.maximum ?? 1e9, noNaN: true }),
        fc.constant(schema.maximum ?? 1e300),
      )
    case 'boolean':
      return fc.boolean()
    case 'array':
      return schema.prefixItems
        ? fc.tuple(...schema.prefixItems.map(valid))
        : fc.array(valid(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: 3 })
    case 'object':
      return fc.record(
        Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, property]) => [name, valid(property)])),
        { requiredKeys: schema.required ?? [] },
      )
    case 'null':
      return fc.constant(null)
    default:
      return hostile
  }
}

/** An input of which every part fits or, now and then, does not. */
function inputOf(operation: AnyOperation): fc.Arbitrary<Record<string, unknown>> {
  const { properties = {}, required = [] } = inputSchema(operation.input)
  const part = (schema: JsonSchema) =>
    fc.oneof({ weight: 4, arbitrary: valid(schema) }, { weight: 1, arbitrary: hostile })
  const parts = Object.fromEntries(
    Object.entries(properties)
      .filter(([, schema]) => schema.format !== 'binary')
      .map(([name, schema]) => [name, part(schema)]),
  )
  return fc
    .tuple(
      fc.record(parts, { requiredKeys: required.filter((name) => name in parts) }),
      fc.option(fc.tuple(fc.constantFrom('surplus', '__proto__', 'tenant_id', 'toString'), hostile), {
        freq: 8,
        nil: undefined,
      }),
    )
    .map(([input, surplus]) => (surplus ? Object.fromEntries([...Object.entries(input), surplus]) : input))
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed()

async function send(operation: AnyOperation, input: Record<string, unknown>, headers: Record<string, string> = {}) {
  const rest = { ...input }
  const url = operation.path.replaceAll(/:([a-z_]+)/g, (_, name: string) => {
    const value = encodeURIComponent(asText(rest[name] ?? ''))
    delete rest[name]
    return value
  })
  const inBody = !isReadOnly(operation) && operation.method !== 'DELETE'
  const query = inBody
    ? ''
    : `?${new URLSearchParams(Object.entries(rest).map(([name, value]): [string, string] => [name, asText(value)]))}`
  const takesFile = Object.values(
    operation.input.shape as Record<string, { meta(): { format?: string } | undefined }>,
  ).some((field) => field.meta()?.format === 'binary')
  const body = !inBody
    ? {}
    : takesFile
      ? multipart(rest, 'book.txt')
      : { payload: JSON.stringify(rest), headers: { 'content-type': 'application/json' } }
  return app.http.inject({
    method: operation.method,
    url: url + query,
    ...body,
    headers: { authorization, ...body.headers, ...headers },
  })
}

function multipart(fields: Record<string, unknown>, filename: string, content = 'Chapter 1\n\nIt rained.\n') {
  const boundary = 'boundary-of-the-fuzz-test'
  const parts = [
    ...Object.entries(fields).map(
      ([name, value]) => `content-disposition: form-data; name="${name}"\r\n\r\n${asText(value)}`,
    ),
    `content-disposition: form-data; name="file"; filename="${filename}"\r\ncontent-type: text/plain\r\n\r\n${content}`,
  ]
  return {
    payload: `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`,
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  }
}

/** A reply is the operation's, or a problem that says what is wrong and nothing of how we are made. */
function expectDecent(reply: Awaited<ReturnType<typeof send>>, what: string): void {
  const { statusCode, headers } = reply
  expect(statusCode, `${what}: ${reply.body.slice(0, 500)}`).toBeLessThan(500)
  expect(headers['x-injected'], what).toBeUndefined()
  if (statusCode < 400) return
  expect(headers['content-type'], what).toContain('application/problem+json')
  const problem = reply.json()
  expect(problem, what).toMatchObject({
    type: expect.stringMatching(/^urn:voicepress:problem:[a-z_]+$/),
    status: statusCode,
    title: expect.any(String),
    detail: expect.stringMatching(/\w/),
    request_id: expect.any(String),
  })
  expect(reply.body, what).not.toMatch(
    /\.[jt]s:\d+|node_modules|\bat (async )?[A-Za-z.]+ \(|violates|syntax error|pg_|relation "/,
  )
  if (problem.issues) expect(problem.field, `${what} names a field: ${reply.body}`).toBeTruthy()
}

describe('no input makes an operation fail', () => {
  for (const operation of domains.flatMap((domain) => domain.operations.flatMap((room) => Object.values(room)))) {
    test(operation.name, async () => {
      await fc.assert(
        fc.asyncProperty(inputOf(operation), async (input) => {
          expectDecent(await send(operation, input), `${operation.name} ${JSON.stringify(input).slice(0, 500)}`)
        }),
        { seed: 20_261_121, numRuns: 25, endOnFailure: true },
      )
    })
  }
})

const post = (payload: string, headers: Record<string, string> = {}) =>
  app.http.inject({
    method: 'POST',
    url: '/v1/projects',
    payload,
    headers: { authorization, 'content-type': 'application/json', ...headers },
  })

describe('bodies', () => {
  test.each([
    ['not JSON', '{"title":', 400],
    ['JSON of another kind', '"title"', 400],
    ['a list', '[1]', 400],
    ['null', 'null', 400],
    ['nothing', '', 400],
    ['a hundred thousand levels', '['.repeat(100_000) + ']'.repeat(100_000), 400],
    ['deep settings', `{"title":"x","settings":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`, 400],
    ['nine megabytes', JSON.stringify({ title: 'x'.repeat(9 * 1024 * 1024) }), 413],
  ])('%s', async (name, payload, status) => {
    const reply = await post(payload)
    expect(reply.statusCode, reply.body.slice(0, 300)).toBe(status)
    expectDecent(reply, name)
  })

  test('of a type that is not known', async () => {
    const reply = await post('title=x', { 'content-type': 'application/x-www-form-urlencoded' })
    expect(reply.statusCode).toBe(415)
    expectDecent(reply, 'form')
  })

  test('with headers made to break something', async () => {
    for (const [name, value] of [
      ['idempotency-key', 'x'.repeat(1000)],
      ['idempotency-key', '\u00ff'],
      ['authorization', 'Bearer'],
      ['authorization', 'Basic x'],
      ['authorization', 'Bearer vp_short'],
      ['x-tenant-id', "' or 1=1"],
      ['cookie', 'voicepress=%00'],
      ['host', 'a b c'],
      ['content-type', 'application/json; charset=no'],
    ] as const)
      expectDecent(await post('{"title":"x"}', { [name]: value }), `${name}: ${value.slice(0, 50)}`)
  })
})

test('settings that are nested without end are refused before anything walks them', async () => {
  for (const depth of [63, 64, 5_000, 200_000]) {
    const payload = `{"settings":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`
    const reply = await app.http.inject({
      method: 'PATCH',
      url: '/v1/tenant/settings',
      payload,
      headers: { authorization, 'content-type': 'application/json' },
    })
    expect(reply.statusCode).toBe(depth === 63 ? 200 : 400)
    expectDecent(reply, `${depth} levels`)
  }
})

describe('paths', () => {
  test.each([
    '/%',
    '/%00',
    '/v1/projects/%ff',
    '/v1/projects/..%2f..%2fusers',
    '/..%2f..%2fpackage.json',
    '/%2e%2e/package.json',
    '/..\\package.json',
    '//example.com',
    '/app.js%00.txt',
    '/v1/projects/' + 'x'.repeat(5000),
    '/.git/config',
    '/package.json',
    '/server.ts',
  ])('%s', async (url) => {
    const reply = await app.http.inject({ method: 'GET', url, headers: { authorization } })
    expect(reply.statusCode).toBeGreaterThanOrEqual(400)
    expectDecent(reply, url)
  })
})

describe('names of uploads', () => {
  test.each([
    '../../../../tmp/escaped.txt',
    '..\\..\\escaped.txt',
    '/etc/passwd',
    'C:\\autoexec.bat',
    '....//x.txt',
    '.',
    '..',
    'x'.repeat(400) + '.txt',
    'né\u202etxt.exe',
    'a;b.txt',
    'CON',
  ])('%s', async (filename) => {
    const { id } = await administrator.call('POST', '/v1/projects', { title: 'Untitled' })
    const { payload, headers } = multipart({}, filename)
    const reply = await app.http.inject({
      method: 'POST',
      url: `/v1/projects/${id}/manuscript`,
      payload,
      headers: { authorization, ...headers },
    })
    expectDecent(reply, filename)
    if (reply.statusCode < 300) {
      const { manuscript_filename: kept } = await administrator.call('GET', `/v1/projects/${id}`)
      expect(kept).not.toMatch(/[/\\]|^\.{1,2}$/)
      expect(kept.length).toBeLessThanOrEqual(255)
    }
    await administrator.call('POST', `/v1/projects/${id}/archive`)
  })
})
