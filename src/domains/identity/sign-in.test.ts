import { createHmac } from 'node:crypto'
import { SignJWT, UnsecuredJWT, decodeJwt, decodeProtectedHeader, generateKeyPair } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Person, type TestApp, openTestApp } from '../../../test/app.ts'
import { ask, bearer, queryAsOwner, signIn } from '../../../test/sign-in.ts'
import { deriveKey } from '../../kit/seal.ts'

let app: TestApp
let person: Person
beforeAll(async () => {
  app = await openTestApp({ work: false, environment: { VOICEPRESS_RATE_LIMITS: 'false' } })
  person = await app.addPerson(app.admin.tenant, 'person@example.com', ['creator'])
})
afterAll(() => app.close())

const whoIs = async (headers: Record<string, string>) => (await ask(app, 'GET', '/v1/me', undefined, headers)).status
const eventsNamed = (name: string) =>
  queryAsOwner<{ payload: any }>(app, 'select payload from events where name = $1 order by created_at', [name])

test('a browser gets a cookie that no script reads, and nothing else that could be stolen', async () => {
  const { status, body, headers, cookie } = await signIn(app, person.email)
  expect(status).toBe(200)
  expect(headers.get('set-cookie')).toMatch(/^voicepress=vs_[^;]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/)
  expect(JSON.stringify(body)).not.toContain(cookie.split('=')[1])
  expect(body.user).not.toHaveProperty('password_hash')
  expect(await whoIs({ cookie })).toBe(200)
  expect((await ask(app, 'DELETE', '/v1/me/sessions/current', undefined, { cookie })).status).toBe(200)
  expect(await whoIs({ cookie })).toBe(401)
})

test('over https the cookie belongs to this host alone', async () => {
  const secure = await openTestApp({
    work: false,
    environment: { VOICEPRESS_PUBLIC_URL: 'https://voicepress.example' },
  })
  const { headers } = await signIn(secure, secure.admin.email)
  expect(headers.get('set-cookie')).toMatch(
    /^__Host-voicepress=vs_[^;]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+; Secure$/,
  )
  await secure.close()
})

test('a session that was planted in a browser is not the one that its owner signs in to', async () => {
  const planted = await signIn(app, app.admin.email)
  const own = await signIn(app, person.email, {}, { cookie: planted.cookie })
  expect(own.cookie).not.toBe(planted.cookie)
  expect(await whoIs({ cookie: planted.cookie })).toBe(401)
  expect((await ask(app, 'GET', '/v1/me', undefined, { cookie: own.cookie })).body.email).toBe(person.email)
  const made = await signIn(app, person.email, {}, { cookie: 'voicepress=vs_chosen-by-somebody-else' })
  expect(made.cookie).toMatch(/vs_[A-Za-z0-9_-]{51}$/)
})

test('a cookie that has ended does not keep its browser from signing in', async () => {
  const { cookie } = await signIn(app, person.email)
  await ask(app, 'DELETE', '/v1/me/sessions/current', undefined, { cookie })
  expect((await signIn(app, person.email, {}, { cookie })).status).toBe(200)
  expect((await signIn(app, person.email, {}, { cookie: 'voicepress=nonsense' })).status).toBe(200)
})

test('a program gets an access token of fifteen minutes and a refresh token', async () => {
  const { body, headers } = await signIn(app, person.email, { kind: 'program' })
  expect(headers.get('set-cookie')).toBeNull()
  expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 900 })
  const claims = decodeJwt(body.access_token)
  expect((claims.exp as number) - (claims.iat as number)).toBe(900)
  expect(decodeProtectedHeader(body.access_token)).toEqual({ alg: 'HS256', typ: 'at+jwt' })
  expect(await whoIs(bearer(body.access_token))).toBe(200)
  expect(await whoIs(bearer(body.refresh_token))).toBe(401)
  const renewed = await ask(app, 'POST', '/v1/sessions/refresh', { refresh_token: body.refresh_token })
  expect(renewed.body.refresh_token).not.toBe(body.refresh_token)
  expect(await whoIs(bearer(renewed.body.access_token))).toBe(200)
})

test('a refresh token that comes a second time ends the session of both who have it, and is told of', async () => {
  const first = (await signIn(app, person.email, { kind: 'program' })).body
  const second = (await ask(app, 'POST', '/v1/sessions/refresh', { refresh_token: first.refresh_token })).body
  const third = (await ask(app, 'POST', '/v1/sessions/refresh', { refresh_token: second.refresh_token })).body
  const replayed = await ask(app, 'POST', '/v1/sessions/refresh', { refresh_token: first.refresh_token })
  expect(replayed.status).toBe(401)
  for (const token of [first.access_token, second.access_token, third.access_token])
    expect(await whoIs(bearer(token))).toBe(401)
  expect((await ask(app, 'POST', '/v1/sessions/refresh', { refresh_token: third.refresh_token })).status).toBe(401)
  expect(await eventsNamed('security.refresh_token_reused')).toMatchObject([
    { payload: { user_id: person.id, severity: 'high', details: { session_id: first.session_id } } },
  ])
})

test('of two that refresh at once with the same token no one is left with a session', async () => {
  const { refresh_token } = (await signIn(app, person.email, { kind: 'program' })).body
  const replies = await Promise.all(
    Array.from({ length: 5 }, () => ask(app, 'POST', '/v1/sessions/refresh', { refresh_token })),
  )
  const given = replies.filter(({ status }) => status === 200)
  expect(given).toHaveLength(1)
  expect(await whoIs(bearer(given[0]?.body.access_token))).toBe(401)
})

test('refresh tokens are known by their hash only', async () => {
  const { refresh_token } = (await signIn(app, person.email, { kind: 'program' })).body
  const rows = await queryAsOwner(app, 'select refresh_tokens::text as line from refresh_tokens')
  expect(JSON.stringify(rows)).not.toContain(refresh_token)
  expect(JSON.stringify(rows)).not.toContain(refresh_token.slice(3, 40))
})

test('forged access tokens open nothing', async () => {
  const { body } = await signIn(app, person.email, { kind: 'program' })
  const good = body.access_token as string
  const claims = decodeJwt(good)
  const [head = '', payload = '', signature = ''] = good.split('.')
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const key = new Uint8Array(deriveKey(app.kernel.config.secret, 'access tokens'))
  const signed = (header: { alg: string; typ?: string }, change: object = {}, by: Uint8Array = key) =>
    new SignJWT({ ...claims, ...change }).setProtectedHeader(header).sign(by)
  const other = (await signIn(app, app.admin.email, { kind: 'program' })).body.access_token as string
  const { privateKey } = await generateKeyPair('EdDSA')
  const forged = {
    'alg none': new UnsecuredJWT(claims).encode(),
    'alg none, signature kept': `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.${signature}`,
    'alg nOnE': `${encode({ alg: 'nOnE', typ: 'at+jwt' })}.${payload}.`,
    'no signature': `${head}.${payload}.`,
    'another algorithm with our key': await signed({ alg: 'HS512', typ: 'at+jwt' }),
    'another key': await signed({ alg: 'HS256', typ: 'at+jwt' }, {}, new Uint8Array(32)),
    'the secret itself as key': await signed(
      { alg: 'HS256', typ: 'at+jwt' },
      {},
      new TextEncoder().encode(app.kernel.config.secret),
    ),
    EdDSA: await new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt' }).sign(privateKey),
    'a key in the header': `${encode({ alg: 'HS256', typ: 'at+jwt', jwk: { kty: 'oct', k: 'AAAA' } })}.${payload}.${createHmac(
      'sha256',
      Buffer.from('AAAA', 'base64url'),
    )
      .update(`${encode({ alg: 'HS256', typ: 'at+jwt', jwk: { kty: 'oct', k: 'AAAA' } })}.${payload}`)
      .digest('base64url')}`,
    'another type of token': await signed({ alg: 'HS256', typ: 'JWT' }),
    'no type': await signed({ alg: 'HS256' }),
    expired: await signed({ alg: 'HS256', typ: 'at+jwt' }, { exp: Math.floor(Date.now() / 1000) - 1 }),
    'without an end': await signed({ alg: 'HS256', typ: 'at+jwt' }, { exp: undefined }),
    'for somebody else': await signed({ alg: 'HS256', typ: 'at+jwt' }, { aud: 'another' }),
    "another's claims under our signature": `${head}.${other.split('.')[1]}.${signature}`,
    'no session': await signed({ alg: 'HS256', typ: 'at+jwt' }, { sid: crypto.randomUUID() }),
  }
  for (const [name, token] of Object.entries(forged)) expect.soft(await whoIs(bearer(token)), name).toBe(401)
  expect(await whoIs({ cookie: `voicepress=${good}` })).toBe(401)
  expect(await whoIs(bearer(good))).toBe(200)
})

test('what is altered in an access token is noticed', async () => {
  const { access_token } = (await signIn(app, person.email, { kind: 'program' })).body
  for (let at = 0; at < access_token.length - 1; at += 7) {
    const altered = access_token.slice(0, at) + (access_token[at] === 'A' ? 'B' : 'A') + access_token.slice(at + 1)
    expect.soft(await whoIs(bearer(altered)), `character ${at}`).toBe(401)
  }
})

test('people see where they are signed in, and sign out there, or everywhere', async () => {
  const person = await app.addPerson(app.admin.tenant, 'many-places@example.com', ['creator'])
  const here = await signIn(app, person.email, {}, { 'user-agent': 'here' })
  const there = await signIn(app, person.email, { kind: 'program' }, { 'user-agent': 'there' })
  const listed = (await ask(app, 'GET', '/v1/me/sessions', undefined, { cookie: here.cookie })).body.items
  expect(listed.filter((session: any) => session.is_current)).toMatchObject([
    { id: here.body.session_id, user_agent: 'here', kind: 'browser' },
  ])
  expect(listed.find((session: any) => session.id === there.body.session_id)).toMatchObject({
    user_agent: 'there',
    kind: 'program',
  })
  expect(JSON.stringify(listed)).not.toContain('token')
  expect(
    (await ask(app, 'DELETE', `/v1/me/sessions/${there.body.session_id}`, undefined, { cookie: here.cookie })).status,
  ).toBe(200)
  expect(await whoIs(bearer(there.body.access_token))).toBe(401)
  expect((await ask(app, 'POST', '/v1/sessions/refresh', { refresh_token: there.body.refresh_token })).status).toBe(401)
  const elsewhere = await signIn(app, app.admin.email)
  expect(
    (await ask(app, 'DELETE', `/v1/me/sessions/${elsewhere.body.session_id}`, undefined, { cookie: here.cookie }))
      .status,
  ).toBe(404)
  const again = await signIn(app, person.email)
  expect(
    (await ask(app, 'DELETE', '/v1/me/sessions?keep_this_one=true', undefined, { cookie: again.cookie })).status,
  ).toBe(200)
  expect([await whoIs({ cookie: here.cookie }), await whoIs({ cookie: again.cookie })]).toEqual([401, 200])
  await ask(app, 'DELETE', '/v1/me/sessions', undefined, { cookie: again.cookie })
  expect(await whoIs({ cookie: again.cookie })).toBe(401)
})

test('a suspended person gets in nowhere, and one who was removed neither, until they are restored', async () => {
  const gone = await app.addPerson(app.admin.tenant, 'gone@example.com', ['viewer'])
  const tokens = (await signIn(app, gone.email, { kind: 'program' })).body
  await app.admin.call('PATCH', `/v1/users/${gone.id}`, { suspended: true })
  expect((await signIn(app, gone.email)).body.type).toBe('urn:voicepress:problem:wrong_credentials')
  expect(await whoIs(bearer(tokens.access_token))).toBe(401)
  expect((await ask(app, 'POST', '/v1/sessions/refresh', { refresh_token: tokens.refresh_token })).status).toBe(401)
  await app.admin.call('PATCH', `/v1/users/${gone.id}`, { suspended: false })
  expect((await signIn(app, gone.email)).status).toBe(200)
  await app.admin.call('DELETE', `/v1/users/${gone.id}`)
  expect((await signIn(app, gone.email)).status).toBe(401)
  expect((await app.admin.call('GET', '/v1/users')).items.map(({ id }: { id: string }) => id)).not.toContain(gone.id)
  await app.admin.call('POST', `/v1/users/${gone.id}/restore`)
  expect((await signIn(app, gone.email)).status).toBe(200)
  await app.admin.call('DELETE', `/v1/users/${gone.id}`)
  await app.addPerson(app.admin.tenant, 'gone@example.com', ['viewer'])
  expect((await app.admin.request('POST', `/v1/users/${gone.id}/restore`)).status).toBe(409)
})

test('a key is changed for another with an overlap, and never for a wider one', async () => {
  const key = await person.call('POST', '/v1/api-keys', { name: 'sync', scopes: ['projects.*', 'me.get'] })
  const next = await person.call('POST', `/v1/api-keys/${key.id}/rotate`, { overlap_hours: 1 })
  expect(next).toMatchObject({ name: 'sync', replaces: key.id, scopes: key.scopes, expires_at: null })
  expect([await whoIs(bearer(key.key)), await whoIs(bearer(next.key))]).toEqual([200, 200])
  const old = (await person.call('GET', `/v1/api-keys/${key.id}`)).expires_at
  expect(Date.parse(old) - Date.now()).toBeGreaterThan(3_000_000)
  expect((await person.request('POST', `/v1/api-keys/${key.id}/rotate`)).body.type).toContain('already_rotated')
  await person.call('POST', `/v1/api-keys/${next.id}/rotate`, { overlap_hours: 0 })
  expect(await whoIs(bearer(next.key))).toBe(401)

  const wide = await person.call('POST', '/v1/api-keys', { name: 'wide', scopes: ['projects.*'] })
  const narrow = await person.call('POST', '/v1/api-keys', { name: 'narrow', scopes: ['api_keys.*'] })
  expect((await ask(app, 'POST', `/v1/api-keys/${wide.id}/rotate`, {}, bearer(narrow.key))).status).toBe(403)
  expect(
    (await ask(app, 'POST', '/v1/api-keys', { name: 'x', scopes: ['projects.*'] }, bearer(narrow.key))).status,
  ).toBe(400)
  const admins = await app.admin.call('POST', '/v1/api-keys', { name: 'admin', scopes: ['*'] })
  expect((await person.request('POST', `/v1/api-keys/${admins.id}/rotate`)).status).toBe(404)
})

test('a key that leaked changes nothing about how its owner signs in', async () => {
  const key = await app.admin.call('POST', '/v1/api-keys', { name: 'all', scopes: ['*'] })
  for (const [method, path, body] of [
    ['PATCH', '/v1/me', { password: 'sovereign-marmalade-92-tulip', current_password: 'correct horse battery' }],
    ['POST', '/v1/me/totp', {}],
    ['POST', '/v1/me/passkeys/options', {}],
    ['POST', '/v1/me/email', { email: 'eve@evil.example', current_password: 'correct horse battery' }],
    ['DELETE', '/v1/me/sessions', undefined],
  ] as const)
    expect
      .soft((await ask(app, method, path, body, bearer(key.key))).body.type, path)
      .toBe('urn:voicepress:problem:session_needed')
})

test('says when keys and sessions were last used, and does not fill the audit trail with it', async () => {
  const key = await person.call('POST', '/v1/api-keys', { name: 'used', scopes: ['me.get'] })
  expect(key.last_used_at).toBeNull()
  await whoIs(bearer(key.key))
  await app.kernel.services.uses.flush()
  expect(Date.parse((await person.call('GET', `/v1/api-keys/${key.id}`)).last_used_at)).toBeGreaterThan(
    Date.now() - 60_000,
  )
  expect(
    await queryAsOwner(app, `select id from audit_logs where resource_id = $1 and action = 'credentials.use'`, [
      key.id,
    ]),
  ).toEqual([])
})

test('an expired key holds nowhere', async () => {
  const key = await person.call('POST', '/v1/api-keys', {
    name: 'short',
    scopes: ['me.get'],
    expires_at: new Date(Date.now() + 1500).toISOString(),
  })
  expect(await whoIs(bearer(key.key))).toBe(200)
  await queryAsOwner(app, `update api_keys set expires_at = now() - interval '1 second' where id = $1`, [key.id])
  app.kernel.services.authenticator.forget()
  expect(await whoIs(bearer(key.key))).toBe(401)
  expect(
    (
      await person.request('POST', '/v1/api-keys', {
        name: 'past',
        scopes: ['me.get'],
        expires_at: '2020-01-01T00:00:00Z',
      })
    ).status,
  ).toBe(400)
})
