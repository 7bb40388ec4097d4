import type { Browser, CDPSession, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Person, type TestApp, openTestApp } from '../../../test/app.ts'
import { openBrowser } from '../../../test/browser.ts'
import { type Reply, ask, queryAsOwner } from '../../../test/sign-in.ts'

let app: TestApp
let browser: Browser
let page: Page
let devices: CDPSession
let person: Person
/** A passkey belongs to a name and never to an IP address. */
let site: string

beforeAll(async () => {
  app = await openTestApp({ work: false, environment: { VOICEPRESS_RATE_LIMITS: 'false' } })
  site = app.url.replace('127.0.0.1', 'localhost')
  person = await app.addPerson(app.admin.tenant, 'passkey@example.com', ['creator'])
  browser = await openBrowser()
  page = await browser.newPage()
  await page.goto(`${site}/healthz`)
  devices = await page.context().newCDPSession(page)
  await devices.send('WebAuthn.enable')
  await addDevice()
})
afterAll(async () => {
  await browser.close()
  await app.close()
})

const addDevice = async (): Promise<string> =>
  (
    await devices.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })
  ).authenticatorId

const at = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  ask(app, method, site + path, body, headers)
const asPerson = (method: string, path: string, body?: unknown, who = person) =>
  at(method, path, body, { authorization: `Bearer ${who.token}` })

/** What the browser makes of the options, as it would send it. */
const create = (options: unknown): Promise<any> =>
  page.evaluate(async (json) => {
    const made = (await navigator.credentials.create({
      publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(json as never),
    })) as PublicKeyCredential
    return made.toJSON()
  }, options)
const get = (options: unknown): Promise<any> =>
  page.evaluate(async (json) => {
    const made = (await navigator.credentials.get({
      publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(json as never),
    })) as PublicKeyCredential
    return made.toJSON()
  }, options)

const begin = async () => (await at('POST', '/v1/sessions/passkey/options', {})).body.options
const signIn = (response: unknown): Promise<Reply> => at('POST', '/v1/sessions/passkey', { response })

test('a person adds a passkey and signs in with it alone', async () => {
  const { options } = (await asPerson('POST', '/v1/me/passkeys/options', {})).body
  const response = await create(options)
  const added = await asPerson('POST', '/v1/me/passkeys', { name: 'Laptop', response })
  expect(added).toMatchObject({ status: 200, body: { name: 'Laptop' } })
  expect(JSON.stringify(added.body)).not.toContain('public_key')
  const signedIn = await signIn(await get(await begin()))
  expect(signedIn).toMatchObject({
    status: 200,
    body: { user: { email: person.email }, must_set_up_second_factor: false },
  })
  expect((await at('GET', '/v1/me', undefined, { cookie: signedIn.cookie })).body.email).toBe(person.email)
  expect((await asPerson('GET', '/v1/me/passkeys')).body.items).toMatchObject([{ name: 'Laptop' }])
})

test('what was signed once signs in once', async () => {
  const response = await get(await begin())
  expect((await signIn(response)).status).toBe(200)
  expect((await signIn(response)).body.type).toBe('urn:voicepress:problem:invalid_challenge')
  const again = (await asPerson('POST', '/v1/me/passkeys/options', {})).body.options
  expect(again.excludeCredentials).toHaveLength(1)
})

test('nothing else signs in', async () => {
  const good = await get(await begin())
  const data = JSON.parse(Buffer.from(good.response.clientDataJSON, 'base64url').toString())
  const changed = (change: object) => ({
    ...good,
    response: {
      ...good.response,
      clientDataJSON: Buffer.from(JSON.stringify({ ...data, ...change })).toString('base64url'),
    },
  })
  const fresh = (await begin()).challenge
  for (const [name, response] of Object.entries({
    'another challenge': changed({ challenge: fresh }),
    'another site': changed({ origin: 'https://evil.example' }),
    'making one and not using one': changed({ type: 'webauthn.create' }),
    'another signature': { ...good, response: { ...good.response, signature: Buffer.alloc(70).toString('base64url') } },
    'an unknown passkey': { ...good, id: 'AAAA', rawId: 'AAAA' },
    nonsense: { ...good, response: { ...good.response, clientDataJSON: 'AAAA' } },
  })) {
    const reply = await signIn(response)
    expect.soft(reply.status, name).toBe(401)
    expect.soft(reply.cookie, name).toBe('')
  }
})

test('a challenge that was made for one person adds nothing to another', async () => {
  const other = await app.addPerson(app.admin.tenant, 'other@example.com', ['creator'])
  const { options } = (await asPerson('POST', '/v1/me/passkeys/options', {}, other)).body
  const response = await create(options)
  expect((await asPerson('POST', '/v1/me/passkeys', { name: 'x', response })).status).toBe(401)
  expect((await asPerson('POST', '/v1/me/passkeys', { name: 'x', response }, other)).status).toBe(200)
  // Nor does one for adding sign anybody in.
  const adding = (await asPerson('POST', '/v1/me/passkeys/options', {}, other)).body.options
  const signed = await get({ challenge: adding.challenge, rpId: 'localhost', userVerification: 'required' })
  expect((await signIn(signed)).status).toBe(401)
})

test('one that was copied is noticed by its counter', async () => {
  await queryAsOwner(app, 'update user_credentials set counter = 1000000')
  expect((await signIn(await get(await begin()))).status).toBe(401)
  await queryAsOwner(app, 'update user_credentials set counter = 0')
})

test('it opens nothing once it was removed, or its person was', async () => {
  const [{ id }] = (await asPerson('GET', '/v1/me/passkeys')).body.items
  const other = await app.addPerson(app.admin.tenant, 'stranger@example.com', ['creator'])
  expect((await asPerson('DELETE', `/v1/me/passkeys/${id}`, undefined, other)).status).toBe(404)
  await asPerson('DELETE', `/v1/me/passkeys/${id}`)
  const options = await begin()
  await devices.send('WebAuthn.disable')
  await devices.send('WebAuthn.enable')
  await addDevice()
  const added = await asPerson('POST', '/v1/me/passkeys', {
    name: 'Phone',
    response: await create((await asPerson('POST', '/v1/me/passkeys/options', {})).body.options),
  })
  expect(added.status).toBe(200)
  const signed = await get(options)
  await app.admin.call('PATCH', `/v1/users/${person.id}`, { suspended: true })
  expect((await signIn(signed)).status).toBe(401)
})
