import { Secret, TOTP } from 'otpauth'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Person, type TestApp, openTestApp } from '../../../test/app.ts'
import { ask, queryAsOwner, signIn } from '../../../test/sign-in.ts'

let app: TestApp
let tenant: string
beforeAll(async () => {
  app = await openTestApp({ work: false, environment: { VOICEPRESS_RATE_LIMITS: 'false' } })
  tenant = app.admin.tenant
})
afterAll(() => app.close())

const codeOf = (secret: string, step = 0) =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + step * 30_000 })

/** The clock is taken to the next window: a code that was used once works no more. */
const forgetStep = (person: Person) =>
  queryAsOwner(app, 'update totp_secrets set last_step = 0 where user_id = $1', [person.id])

async function setUp(person: Person): Promise<{ secret: string; codes: string[] }> {
  const { secret, uri } = await person.call('POST', '/v1/me/totp')
  expect(uri).toMatch(/^otpauth:\/\/totp\//)
  const { recovery_codes: codes } = await person.call('POST', '/v1/me/totp/confirm', { code: codeOf(secret) })
  await forgetStep(person)
  return { secret, codes }
}

test('asks for the code of an authenticator app, and takes each once', async () => {
  const person = await app.addPerson(tenant, 'totp@example.com', ['creator'])
  const { secret, codes } = await setUp(person)
  expect(codes).toHaveLength(10)
  expect((await signIn(app, person.email)).body).toMatchObject({
    status: 401,
    type: 'urn:voicepress:problem:second_factor_needed',
    methods: ['totp', 'recovery_code'],
  })
  expect((await signIn(app, person.email, { code: '000000' })).body.type).toBe('urn:voicepress:problem:wrong_code')
  const code = codeOf(secret)
  expect((await signIn(app, person.email, { code })).status).toBe(200)
  expect((await signIn(app, person.email, { code })).body.type).toBe('urn:voicepress:problem:wrong_code')
  await forgetStep(person)
  const at = codeOf(secret)
  const both = await Promise.all([signIn(app, person.email, { code: at }), signIn(app, person.email, { code: at })])
  expect(both.map(({ status }) => status).sort()).toEqual([200, 401])
})

test('a wrong password with the right code says no more than a wrong password', async () => {
  const person = await app.addPerson(tenant, 'both@example.com', ['creator'])
  const { secret } = await setUp(person)
  expect((await signIn(app, person.email, { code: codeOf(secret), password: 'not the password' })).body.type).toBe(
    'urn:voicepress:problem:wrong_credentials',
  )
})

test('a recovery code works once', async () => {
  const person = await app.addPerson(tenant, 'recovery@example.com', ['creator'])
  const { codes, secret } = await setUp(person)
  const [first = '', second = ''] = codes
  expect((await signIn(app, person.email, { code: first.toLowerCase().replaceAll('-', ' ') })).status).toBe(200)
  expect((await signIn(app, person.email, { code: first })).status).toBe(401)
  expect(await person.call('GET', '/v1/me/second-factor')).toMatchObject({ totp: true, recovery_codes_left: 9 })
  const renewed = (await person.call('POST', '/v1/me/recovery-codes', { code: codeOf(secret) })).recovery_codes
  expect((await signIn(app, person.email, { code: second })).status).toBe(401)
  expect((await signIn(app, person.email, { code: renewed[0] })).status).toBe(200)
})

test('codes cannot be guessed, from however many addresses', async () => {
  const person = await app.addPerson(tenant, 'guess@example.com', ['creator'])
  const { secret } = await setUp(person)
  const replies = await Promise.all(
    Array.from({ length: 25 }, (_, index) => signIn(app, person.email, { code: String(100_000 + index) })),
  )
  expect(replies.filter(({ status }) => status === 401)).toHaveLength(10)
  expect((await signIn(app, person.email, { code: codeOf(secret) })).status).toBe(429)
})

test('secrets and codes are not stored as they are', async () => {
  const person = await app.addPerson(tenant, 'stored@example.com', ['creator'])
  const { secret, codes } = await setUp(person)
  const lines = JSON.stringify([
    await queryAsOwner(app, 'select t::text as line from totp_secrets t'),
    await queryAsOwner(app, 'select t::text as line from recovery_codes t'),
    await queryAsOwner(app, 'select t::text as line from audit_logs t'),
    await queryAsOwner(app, 'select t::text as line from events t'),
  ])
  for (const hidden of [secret, ...codes, ...codes.map((code) => code.replaceAll('-', ''))])
    expect(lines).not.toContain(hidden)
  const stolen = await queryAsOwner<{ secret_encrypted: string }>(
    app,
    'select secret_encrypted from totp_secrets where user_id = $1',
    [person.id],
  )
  const other = await app.addPerson(tenant, 'thief@example.com', ['creator'])
  const theirs = await setUp(other)
  // A sealed secret that is moved to another row opens nothing there.
  await queryAsOwner(app, 'update totp_secrets set secret_encrypted = $1 where user_id = $2', [
    stolen[0]?.secret_encrypted,
    other.id,
  ])
  expect((await signIn(app, other.email, { code: codeOf(secret) })).status).not.toBe(200)
  expect(theirs.secret).not.toBe(secret)
})

test('is not taken away without a code of it', async () => {
  const person = await app.addPerson(tenant, 'remove@example.com', ['creator'])
  const { codes } = await setUp(person)
  expect((await person.request('POST', '/v1/me/totp')).status).toBe(409)
  expect((await person.request('POST', '/v1/me/totp/confirm', { code: '123456' })).status).toBe(409)
  expect((await person.request('DELETE', '/v1/me/totp?code=123456')).status).toBe(403)
  expect((await person.request('DELETE', `/v1/me/totp?code=${codes[0]}`)).status).toBe(200)
  expect((await signIn(app, person.email)).status).toBe(200)
})

test('an administrator helps one who lost it, whose sessions end', async () => {
  const person = await app.addPerson(tenant, 'lost@example.com', ['creator'])
  await setUp(person)
  const manager = await app.addPerson(tenant, 'manager@example.com', ['manager'])
  expect((await manager.request('DELETE', `/v1/users/${person.id}/second-factor`)).status).toBe(403)
  await app.admin.call('DELETE', `/v1/users/${person.id}/second-factor`)
  expect((await person.request('GET', '/v1/me')).status).toBe(401)
  expect((await signIn(app, person.email)).status).toBe(200)
  expect((await app.admin.request('DELETE', `/v1/users/${app.admin.id}/second-factor`)).status).toBe(403)
})

test('administrators must have one, everywhere but in the tenant of the first one, until the tenant says otherwise', async () => {
  const another = await app.addTenant('strict')
  const host = { host: 'strict.localhost' }
  const admin = await app.addPerson(another, 'admin@strict.example', ['admin'])
  const viewer = await app.addPerson(another, 'viewer@strict.example', ['viewer'])
  const at = { 'x-tenant-id': another, ...host }
  expect((await signIn(app, viewer.email, {}, at)).body.must_set_up_second_factor).toBe(false)
  const { body, cookie } = await signIn(app, admin.email, {}, at)
  expect(body.must_set_up_second_factor).toBe(true)
  const as = (method: string, path: string, input?: unknown) =>
    ask(app, method, path, input, { cookie, 'x-tenant-id': another })
  expect((await as('GET', '/v1/users')).status).toBe(403)
  expect((await as('POST', '/v1/api-keys', { name: 'x', scopes: ['*'] })).status).toBe(403)
  const { secret } = (await as('POST', '/v1/me/totp', {})).body
  expect((await as('POST', '/v1/me/totp/confirm', { code: codeOf(secret) })).status).toBe(200)
  expect((await as('GET', '/v1/users')).status).toBe(200)
  expect((await as('DELETE', `/v1/me/totp?code=${codeOf(secret, 1)}`)).status).toBe(403)

  expect((await signIn(app, app.admin.email)).body.must_set_up_second_factor).toBe(false)
  await app.admin.call('PATCH', '/v1/tenant/settings', { settings: { require_second_factor: 'everyone' } })
  expect((await signIn(app, app.admin.email)).body.must_set_up_second_factor).toBe(true)
  await app.admin.call('PATCH', '/v1/tenant/settings', { settings: { require_second_factor: 'nobody' } })
})
