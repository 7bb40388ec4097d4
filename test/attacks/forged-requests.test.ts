import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AnyOperation, isReadOnly } from '../../src/kit/operation.ts'
import { type Person, type TestApp, openTestApp } from '../app.ts'
import { declaredTables } from '../declared-tables.ts'
import { inputWithIds } from '../sample-input.ts'
import { queryAsOwner, signIn } from '../sign-in.ts'

let app: TestApp
let admin: Person
let viewer: Person
let cookie: string
beforeAll(async () => {
  app = await openTestApp({ work: false, environment: { VOICEPRESS_RATE_LIMITS: 'false' } })
  admin = await app.addPerson(app.admin.tenant, 'attacks-admin@example.com', ['admin'])
  viewer = await app.addPerson(app.admin.tenant, 'attacks-viewer@example.com', ['viewer'])
  cookie = (await signIn(app, admin.email)).cookie
})
afterAll(() => app.close())

const operations = (): AnyOperation[] => [...app.kernel.operations.values()]
const pathOf = (operation: AnyOperation): string => operation.path.replaceAll(/:[a-z_]+/g, crypto.randomUUID())

describe('a page of another site', () => {
  const sites: Record<string, Record<string, string>> = {
    'another site': { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
    'a sibling of our name': { 'sec-fetch-site': 'same-site', origin: 'https://sibling.example.com' },
    'a frame without a name': { origin: 'null' },
    'an older browser': { origin: 'https://evil.example' },
    'one that writes our name with another scheme': { origin: 'https://localhost' },
  }
  test.each(Object.entries(sites))('%s changes nothing with our cookie', async (_, headers) => {
    expect(cookie).toMatch(/^(__Host-)?voicepress=/)
    for (const operation of operations().filter((one) => one.method !== 'GET')) {
      const reply = await app.http.inject({
        method: operation.method,
        url: pathOf(operation),
        headers: { cookie, 'content-type': 'application/json', ...headers },
        payload: '{}',
      })
      // What a form of any page may send doesn't look at the cookie at all.
      if (operation.form) continue
      expect
        .soft([reply.statusCode, reply.json().type], operation.name)
        .toEqual([403, 'urn:voicepress:problem:cross_site_request'])
    }
  })

  test('signs nobody in either: what a form can send is not taken, and nobody else is let read', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', ''])
      for (const operation of operations().filter((one) => one.method !== 'GET' && !one.form)) {
        const takesFile = Object.values(
          operation.input.shape as Record<string, { meta(): { format?: string } | undefined }>,
        ).some((field) => field.meta()?.format === 'binary')
        if (takesFile) continue
        const reply = await app.http.inject({
          method: operation.method,
          url: pathOf(operation),
          headers: type ? { 'content-type': type } : {},
          payload: 'email=a@example.com&password=x',
        })
        expect.soft([400, 401, 404, 415], `${operation.name} ${type}: ${reply.statusCode}`).toContain(reply.statusCode)
        expect.soft(reply.headers['set-cookie'], operation.name).toBeUndefined()
      }
    const preflight = await app.http.inject({
      method: 'OPTIONS',
      url: '/v1/sessions',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    })
    expect(preflight.headers['access-control-allow-origin']).toBeUndefined()
  })
})

describe('more fields than are asked for', () => {
  /** As `request` does, for files and streams too. */
  const send = async (person: Person, method: string, path: string, body?: unknown) => {
    const reply = await app.http.inject({
      method: method as 'GET',
      url: path,
      headers: {
        authorization: `Bearer ${person.token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      payload: body === undefined ? undefined : JSON.stringify(body),
    })
    return { status: reply.statusCode, body: reply.body.slice(0, 200) }
  }

  test('set nothing: not the tenant, not the owner, not the roles', async () => {
    const other = await app.addTenant('mass-assignment')
    const rowsOf = async () => {
      const counts: Record<string, number> = {}
      for (const { name } of declaredTables.filter((table) => table.name !== 'access_logs')) {
        const [row] = await queryAsOwner<{ count: number }>(
          app,
          `select count(*)::int as count from ${name} where ${name === 'tenants' ? 'id' : 'tenant_id'} = $1`,
          [other],
        )
        counts[name] = row?.count ?? 0
      }
      return counts
    }
    const before = await rowsOf()
    const surplus = {
      tenant_id: other,
      tenant: other,
      role: 'admin',
      permissions: ['*'],
      seesAll: true,
      sees_all: true,
      is_system: true,
      password_hash: 'x',
      email_verified: true,
      token_hash: 'x',
      key_hash: 'x',
      owner_id: admin.id,
      created_at: '2000-01-01T00:00:00Z',
      deleted_at: null,
      suspended_at: null,
      plan: 'enterprise',
      max_users: 1_000_000,
    }
    const login = (
      await queryAsOwner(app, 'select roles, email_verified, password_hash from users where id = $1', [viewer.id])
    )[0]
    for (const person of [admin, viewer])
      for (const operation of operations().filter(
        (one) => !isReadOnly(one) && !/^(sessions|me)\.(remove|end|sign_out)/.test(one.name),
      )) {
        const { input } = inputWithIds(operation.input, () => crypto.randomUUID(), true)
        const own = Object.keys(operation.input.shape)
        const added = Object.fromEntries(Object.entries(surplus).filter(([name]) => !own.includes(name)))
        const reply = await send(
          person,
          operation.method,
          `${pathOf(operation)}${operation.method === 'DELETE' ? '?tenant_id=' + other : ''}`,
          operation.method === 'GET' ? undefined : { ...input, ...added },
        )
        expect.soft(reply.status, `${operation.name}: ${JSON.stringify(reply.body).slice(0, 200)}`).toBeLessThan(500)
      }
    expect(await rowsOf()).toEqual(before)
    expect(
      (await queryAsOwner(app, 'select roles, email_verified, password_hash from users where id = $1', [viewer.id]))[0],
    ).toEqual(login)
  })

  test('are refused where they would be dangerous', async () => {
    const fresh = await app.addPerson(app.admin.tenant, 'attacks-fresh@example.com', ['viewer'])
    for (const body of [
      { roles: ['admin'] },
      { role: 'admin' },
      { tenant_id: crypto.randomUUID() },
      { id: admin.id },
      { email_verified: true },
      { __proto__: { roles: ['admin'] }, roles: ['admin'] },
    ])
      expect.soft((await fresh.request('PATCH', '/v1/me', body)).status, JSON.stringify(body)).toBe(400)
    expect((await fresh.request('PATCH', `/v1/users/${fresh.id}`, { roles: ['admin'] })).status).toBe(403)
  })
})

describe('a key or a role', () => {
  const withKey = (key: string, method: string, path: string, body?: unknown) =>
    app.http.inject({
      method: method as 'GET',
      url: path,
      headers: { authorization: `Bearer ${key}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      payload: body === undefined ? undefined : JSON.stringify(body),
    })

  test('makes no key wider than itself', async () => {
    const boss = await app.addPerson(app.admin.tenant, 'attacks-keys@example.com', ['admin'])
    const { key } = await boss.call('POST', '/v1/api-keys', {
      name: 'narrow',
      scopes: ['api_keys.create', 'projects.list'],
    })
    for (const scopes of [['*'], ['users.*'], ['projects.*', 'users.list'], ['api_keys.*'], ['projects.list', '*']]) {
      const reply = await withKey(key, 'POST', '/v1/api-keys', { name: 'wider', scopes })
      if (reply.statusCode === 200) {
        expect
          .soft(
            reply.json().scopes.every((scope: string) => ['api_keys.create', 'projects.list'].includes(scope)),
            `${scopes}: ${reply.json().scopes}`,
          )
          .toBe(true)
        for (const path of ['/v1/users', '/v1/audit-logs', '/v1/tenant'])
          expect.soft((await withKey(reply.json().key, 'GET', path)).statusCode, `${scopes} ${path}`).toBe(403)
      } else expect.soft([400, 403]).toContain(reply.statusCode)
    }
    for (const path of ['/v1/users', '/v1/audit-logs']) expect((await withKey(key, 'GET', path)).statusCode).toBe(403)
  })

  test('falls with the role that it came from', async () => {
    const boss = await app.addPerson(app.admin.tenant, 'attacks-fall@example.com', ['admin'])
    const { key } = await boss.call('POST', '/v1/api-keys', { name: 'wide', scopes: ['*'] })
    expect((await withKey(key, 'GET', '/v1/users')).statusCode).toBe(200)
    await admin.call('PATCH', `/v1/users/${boss.id}`, { roles: ['viewer'] })
    expect((await withKey(key, 'GET', '/v1/users')).statusCode).toBe(403)
    expect((await withKey(key, 'PATCH', `/v1/users/${boss.id}`, { roles: ['admin'] })).statusCode).toBe(403)
  })
})
