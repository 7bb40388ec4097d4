import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeFirstPassword } from './first-start.ts'
import { type TestApp, openTestApp, testPassword } from '../../../test/app.ts'

let app: TestApp
beforeAll(async () => {
  app = await openTestApp({ work: false })
})
afterAll(() => app.close())

const anonymous = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
  fetch(
    app.url + path,
    body === undefined
      ? { headers }
      : { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } },
  )

test('the first server that starts makes a password for the administrator, once', async () => {
  const made = await makeFirstPassword(app.kernel.urls.owner)
  expect(made).toMatchObject({ email: 'admin@voicepress.local' })
  expect((await anonymous('/v1/sessions', made)).status).toBe(200)
  expect(await makeFirstPassword(app.kernel.urls.owner)).toBeNull()
})

test('does not tell a wrong address from a wrong password', async () => {
  const one = await (
    await anonymous('/v1/sessions', { email: 'owner@example.com', password: 'not the password' })
  ).json()
  const other = await (
    await anonymous('/v1/sessions', { email: 'nobody@example.com', password: 'not the password' })
  ).json()
  expect({ ...(one as object), request_id: '' }).toEqual({ ...(other as object), request_id: '' })
})

test('a key does what its scopes say and its owner may, until it is revoked', async () => {
  const key = await app.admin.call('POST', '/v1/api-keys', { name: 'reader', scopes: ['users.list'] })
  const authorization = `Bearer ${key.key}`
  expect((await anonymous('/v1/users', undefined, { authorization })).status).toBe(200)
  expect((await anonymous('/v1/me', undefined, { authorization })).status).toBe(403)
  await app.admin.call('DELETE', `/v1/api-keys/${key.id}`)
  expect((await anonymous('/v1/users', undefined, { authorization })).status).toBe(401)
})

test('a viewer cannot make keys that reach further, nor people with more rights', async () => {
  const manager = await app.addPerson(app.admin.tenant, 'manager@example.com', ['manager'])
  const key = await manager.call('POST', '/v1/api-keys', { name: 'wide', scopes: ['*'] })
  expect(key.scopes).not.toContain('*')
  expect(key.scopes).not.toContain('users.create')
  expect(
    (await manager.request('POST', '/v1/users', { email: 'x@example.com', password: testPassword, roles: ['admin'] }))
      .status,
  ).toBe(403)
})

test('a cross-site form cannot use the cookie', async () => {
  const signedIn = await anonymous('/v1/sessions', { email: 'owner@example.com', password: testPassword })
  const [cookie = ''] = (signedIn.headers.get('set-cookie') ?? '').split(';')
  const forged = await anonymous('/v1/projects', { title: 'x' }, { cookie, 'sec-fetch-site': 'cross-site' })
  expect(forged.status).toBe(403)
})

test('a weak password is refused with the limit', async () => {
  const refused = await app.admin.request('POST', '/v1/users', {
    email: 'weak@example.com',
    password: 'short',
    roles: ['viewer'],
  })
  expect(refused).toMatchObject({ status: 400, body: { field: 'password', limit: 12 } })
})

test('the last administrator stays', async () => {
  const [first] = (await app.admin.call('GET', '/v1/users')).items.filter(
    (user: { email: string }) => user.email === 'admin@voicepress.local',
  )
  await app.admin.call('DELETE', `/v1/users/${first.id}`)
  expect((await app.admin.request('DELETE', `/v1/users/${app.admin.id}`)).body.type).toContain('last_administrator')
})
