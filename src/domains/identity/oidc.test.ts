import { createServer } from 'node:http'
import { SignJWT, exportJWK, generateKeyPair } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestApp, openTestApp } from '../../../test/app.ts'
import { Browser, type OpenIdProvider, openOpenIdProvider } from '../../../test/openid-provider.ts'
import { type Reply, ask, queryAsOwner } from '../../../test/sign-in.ts'

let app: TestApp
let provider: OpenIdProvider
let issuer: string

beforeAll(async () => {
  app = await openTestApp({
    work: false,
    environment: { VOICEPRESS_RATE_LIMITS: 'false', VOICEPRESS_PRIVATE_ADDRESSES: 'true' },
  })
  const client = { id: 'voicepress', secret: 'a secret of theirs' }
  provider = await openOpenIdProvider({ ...client, redirectUri: `${app.url}/v1/oidc/callback` })
  issuer = provider.issuer
  await app.admin.call('POST', '/v1/oidc-providers', {
    key: 'corp',
    name: 'Corp',
    issuer,
    client_id: client.id,
    client_secret: client.secret,
    creates_users: true,
    default_roles: ['creator'],
  })
})
afterAll(async () => {
  await app.close()
  provider.close()
})

const signIn = async (
  who: Record<string, unknown>,
  browser = new Browser(app),
  more: object = {},
): Promise<{ browser: Browser; reply: Reply }> => {
  provider.claims = who
  return { browser, reply: await browser.go(await browser.signInThere(await browser.begin('corp', more))) }
}

test('somebody new comes in through the provider, with PKCE, state and nonce, and is the same person the next time', async () => {
  const grace = {
    sub: 'grace-1',
    email: 'Grace@corp.example',
    email_verified: true,
    name: 'Grace Hopper',
    given_name: 'Grace',
    family_name: 'Hopper',
    locale: 'en-US',
  }
  const { browser, reply } = await signIn(grace, new Browser(app), { return_to: '/projects?new=1' })
  expect(reply.status, JSON.stringify(reply.body)).toBe(200)
  expect(reply.body).toContain('content="0;url=/projects?new=1"')
  expect(provider.asked.get('code_challenge_method')).toBe('S256')
  for (const name of ['code_challenge', 'state', 'nonce']) expect(provider.asked.get(name)?.length).toBeGreaterThan(40)
  const me = await browser.me()
  expect(me).toMatchObject({
    email: 'grace@corp.example',
    full_name: 'Grace Hopper',
    first_name: 'Grace',
    locale: 'en-US',
    roles: ['creator'],
    email_verified: true,
    external_subject: 'grace-1',
  })
  // The subject is who they are: the address may change.
  const again = await signIn({ ...grace, email: 'hopper@corp.example' })
  expect((await again.browser.me()).id).toBe(me.id)
  expect((await app.admin.call('GET', '/v1/oidc-providers')).items[0]).not.toHaveProperty('client_secret_encrypted')
  expect(JSON.stringify(await queryAsOwner(app, 'select p::text from oidc_providers p'))).not.toContain(
    'a secret of theirs',
  )
})

test('an account is joined by an address only when the provider has verified it', async () => {
  const person = await app.addPerson(app.admin.tenant, 'existing@corp.example', ['manager'])
  const unverified = await signIn({ sub: 'mallory', email: person.email, email_verified: false })
  expect(unverified.reply).toMatchObject({ status: 403, cookie: '' })
  const silent = await signIn({ sub: 'mallory', email: person.email })
  expect(silent.reply.status).toBe(403)
  const verified = await signIn({ sub: 'existing', email: person.email, email_verified: true })
  expect((await verified.browser.me()).id).toBe(person.id)
  // The address is somebody else's there by now.
  const successor = await signIn({ sub: 'successor', email: person.email, email_verified: true })
  expect(successor.reply.status).toBe(403)
})

test('a sign-in ends in the browser in which it began, once, and with its own state', async () => {
  provider.claims = { sub: 'victim', email: 'victim@corp.example', email_verified: true }
  const browser = new Browser(app)
  const home = await browser.signInThere(await browser.begin())
  // Sign-in CSRF: somebody sends the address to somebody else.
  const stranger = new Browser(app)
  expect((await stranger.go(home)).status).toBe(401)
  // It was spent by that.
  expect((await browser.go(home)).status).toBe(401)
  const fresh = await browser.signInThere(await browser.begin())
  const code = new URL(fresh).searchParams.get('code') as string
  const other = new Browser(app)
  const otherHome = new URL(await other.begin())
  const injected = new URL('/v1/oidc/callback', app.url)
  injected.search = new URLSearchParams({
    state: otherHome.searchParams.get('state') as string,
    code,
    iss: issuer,
  }).toString()
  // Code injection: PKCE and nonce belong to another sign-in.
  expect((await other.go(injected)).status).toBe(401)
  for (const change of [
    { state: 'vc_nonsense' },
    { state: '' },
    { iss: 'https://evil.example' },
    { code: 'nonsense' },
  ]) {
    const url = new URL(await browser.signInThere(await browser.begin()))
    for (const [name, value] of Object.entries(change)) url.searchParams.set(name, value)
    expect.soft((await browser.go(url)).status, JSON.stringify(change)).toBeGreaterThanOrEqual(400)
  }
  expect((await browser.me()).status).toBe(401)
})

test('leads back to this site only', async () => {
  const browser = new Browser(app)
  for (const away of [
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    'javascript:alert(1)',
    'evil',
    '/a\nb',
  ])
    expect.soft((await browser.go('/v1/oidc/corp', 'POST', { return_to: away })).status, away).toBe(400)
  const { reply } = await signIn({ sub: 'html', email: 'html@corp.example', email_verified: true }, new Browser(app), {
    return_to: '/"><script>alert(1)</script>',
  })
  expect(reply.body).not.toContain('<script>')
})

test('suspended people and providers that are switched off open nothing', async () => {
  const who = { sub: 'leaver', email: 'leaver@corp.example', email_verified: true }
  const { browser } = await signIn(who)
  await app.admin.call('PATCH', `/v1/users/${(await browser.me()).id}`, { suspended: true })
  expect((await signIn(who)).reply.status).toBe(403)
  const [{ id }] = (await app.admin.call('GET', '/v1/oidc-providers')).items
  const begun = new Browser(app)
  const url = await begun.begin()
  await app.admin.call('PATCH', `/v1/oidc-providers/${id}`, { enabled: false })
  provider.claims = { sub: 'grace-1', email: 'grace@corp.example', email_verified: true }
  expect((await begun.go(await begun.signInThere(url))).status).toBe(401)
  expect((await new Browser(app).go('/v1/oidc/corp', 'POST', {})).status).toBe(404)
  expect((await new Browser(app).go('/v1/oidc')).body.items).toEqual([])
  await app.admin.call('PATCH', `/v1/oidc-providers/${id}`, { enabled: true })
  expect((await new Browser(app).go('/v1/oidc')).body.items).toEqual([{ key: 'corp', name: 'Corp' }])
})

test('a provider makes people only where it may, and only with addresses that it may speak for', async () => {
  const [{ id }] = (await app.admin.call('GET', '/v1/oidc-providers')).items
  await app.admin.call('PATCH', `/v1/oidc-providers/${id}`, { allowed_domains: ['corp.example'] })
  expect((await signIn({ sub: 'outside', email: 'a@elsewhere.example', email_verified: true })).reply.status).toBe(403)
  await app.admin.call('PATCH', `/v1/oidc-providers/${id}`, { creates_users: false })
  expect((await signIn({ sub: 'newcomer', email: 'newcomer@corp.example', email_verified: true })).reply.status).toBe(
    403,
  )
  await app.admin.call('PATCH', `/v1/oidc-providers/${id}`, { creates_users: true, allowed_domains: [] })
  const manager = await app.addPerson(app.admin.tenant, 'manager@example.com', ['manager'])
  expect(
    (
      await manager.request('POST', '/v1/oidc-providers', {
        key: 'own',
        name: 'x',
        issuer,
        client_id: 'x',
        creates_users: true,
        default_roles: ['admin'],
      })
    ).status,
  ).toBe(403)
})

test('the providers of one tenant are not those of another', async () => {
  const tenant = await app.addTenant('other')
  expect((await ask(app, 'POST', '/v1/oidc/corp', {}, { 'x-tenant-id': tenant })).status).toBe(404)
})

test('a provider that signs with another key, for another client, or not at all is not believed', async () => {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const { privateKey: foreign } = await generateKeyPair('RS256')
  let forge: (nonce: string) => Promise<string> = async () => ''
  let nonce = ''
  const evil = createServer((request, reply) => {
    const at = `http://127.0.0.1:${(evil.address() as { port: number }).port}`
    const send = (body: unknown) =>
      reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (request.url?.includes('well-known'))
      return send({
        issuer: at,
        authorization_endpoint: `${at}/auth`,
        token_endpoint: `${at}/token`,
        jwks_uri: `${at}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
      })
    if (request.url === '/jwks')
      return void exportJWK(publicKey).then((jwk) => send({ keys: [{ ...jwk, kid: '1', alg: 'RS256', use: 'sig' }] }))
    return void forge(nonce).then((id_token) => send({ access_token: 'x', token_type: 'Bearer', id_token }))
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => evil.once('listening', resolve))
  const at = `http://127.0.0.1:${(evil.address() as { port: number }).port}`
  await app.admin.call('POST', '/v1/oidc-providers', {
    key: 'evil',
    name: 'Evil',
    issuer: at,
    client_id: 'us',
    creates_users: true,
  })
  const token =
    (change: object = {}, header: object = {}, key = privateKey) =>
    (nonce: string) =>
      new SignJWT({ email: 'forged@corp.example', email_verified: true, nonce, ...change })
        .setProtectedHeader({ alg: 'RS256', kid: '1', ...header })
        .setIssuer(at)
        .setSubject('s')
        .setAudience('us')
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(key)
        .then((jwt) => ('aud' in change || 'iss' in change || 'exp' in change ? resign(change, nonce) : jwt))
  const resign = (change: object, nonce: string) =>
    new SignJWT({
      iss: at,
      sub: 's',
      aud: 'us',
      iat: Math.floor(Date.now() / 1000),
      exp: Math.floor(Date.now() / 1000) + 300,
      nonce,
      email: 'forged@corp.example',
      email_verified: true,
      ...change,
    })
      .setProtectedHeader({ alg: 'RS256', kid: '1' })
      .sign(privateKey)
  const attempts: Record<string, (nonce: string) => Promise<string>> = {
    'another key': token({}, {}, foreign),
    'another client': token({ aud: 'them' }),
    'another issuer': token({ iss: issuer }),
    expired: token({ exp: 1 }),
    'another nonce': token({ nonce: 'not ours' }),
    'no nonce': token({ nonce: undefined }),
    'alg none': async (nonce) =>
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ iss: at, sub: 's', aud: 'us', exp: 9e9, iat: 1, nonce })).toString('base64url')}.`,
  }
  const finish = async () => {
    const browser = new Browser(app)
    const begun = new URL(await browser.begin('evil'))
    nonce = begun.searchParams.get('nonce') as string
    return browser.go(
      `/v1/oidc/callback?${new URLSearchParams({ state: begun.searchParams.get('state') as string, code: 'x' })}`,
    )
  }
  for (const [name, attempt] of Object.entries(attempts)) {
    forge = attempt
    const reply = await finish()
    expect.soft([reply.status, reply.cookie], name).toEqual([401, ''])
  }
  forge = token()
  expect((await finish()).status).toBe(200)
  evil.closeAllConnections()
  evil.close()
})

test('what a tenant names as its provider is asked only on the Internet', async () => {
  const strict = await openTestApp({ work: false, environment: { VOICEPRESS_RATE_LIMITS: 'false' } })
  expect(
    (await strict.admin.request('POST', '/v1/oidc-providers', { key: 'in', name: 'x', issuer, client_id: 'x' })).status,
  ).toBe(400)
  for (const [key, address] of Object.entries({
    a: 'https://127.0.0.1:9',
    b: 'https://[::ffff:127.0.0.1]:9',
    c: 'https://169.254.169.254',
    d: 'https://localhost:9',
    e: 'https://2130706433',
  })) {
    await strict.admin.call('POST', '/v1/oidc-providers', { key, name: key, issuer: address, client_id: 'x' })
    const reply = await ask(strict, 'POST', `/v1/oidc/${key}`, {})
    expect.soft(reply.body.type, address).toBe('urn:voicepress:problem:address_refused')
  }
  await strict.close()
})
