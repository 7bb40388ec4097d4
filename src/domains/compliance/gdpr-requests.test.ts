import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Person, type TestApp, openTestApp } from '../../../test/app.ts'
import { scoped } from '../../kit/database.ts'
import { watchRequests } from './watch-requests.ts'

let app: TestApp
let owner: pg.Client
let admin: Person
let person: Person
beforeAll(async () => {
  app = await openTestApp()
  owner = new pg.Client({ connectionString: app.kernel.urls.owner })
  await owner.connect()
  const tenant = await app.addTenant('requests')
  admin = await app.addPerson(tenant, 'requests-admin@example.com', ['admin'])
  person = await app.addPerson(tenant, 'requests-person@example.com', ['viewer'])
})
afterAll(async () => {
  await owner.end()
  await app.close()
})

async function settle(person: Person, path: string): Promise<any> {
  for (;;) {
    const request = await person.call('GET', path)
    if (!['pending', 'processing'].includes(request.status)) return request
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const ask = (body: object, who = person) => who.request('POST', '/v1/gdpr-requests', body)

test('have a month, are seen by who they are about and by administrators, and are one of a kind at a time', async () => {
  const { body } = await ask({ request_type: 'erasure' })
  const month = (Date.parse(body.due_at) - Date.parse(body.requested_at)) / 86_400_000
  expect(month).toBeGreaterThanOrEqual(28)
  expect(month).toBeLessThanOrEqual(31)
  expect((await ask({ request_type: 'erasure' })).status).toBe(409)
  expect((await admin.call('GET', '/v1/gdpr-requests')).items).toHaveLength(1)
  const stranger = await app.addPerson(person.tenant, 'requests-stranger@example.com', ['manager'])
  expect((await stranger.call('GET', '/v1/gdpr-requests')).items).toEqual([])
  expect((await stranger.request('POST', `/v1/gdpr-requests/${body.id}/cancel`)).status).toBe(404)
  expect((await ask({ request_type: 'access', user_id: stranger.id })).status).toBe(403)

  const extended = await admin.call('POST', `/v1/gdpr-requests/${body.id}/extend`, {
    reason: 'Many of them came at once.',
  })
  expect((Date.parse(extended.due_at) - Date.parse(body.requested_at)) / 86_400_000).toBeGreaterThan(85)
  expect((await admin.request('POST', `/v1/gdpr-requests/${body.id}/extend`, { reason: 'Again.' })).status).toBe(409)
  expect(await person.call('POST', `/v1/gdpr-requests/${body.id}/cancel`)).toMatchObject({ status: 'cancelled' })
  expect((await admin.request('POST', `/v1/gdpr-requests/${body.id}/carry-out`)).status).toBe(409)
})

test('are refused with a reason', async () => {
  const { body } = await ask({ request_type: 'erasure' })
  expect((await admin.request('POST', `/v1/gdpr-requests/${body.id}/refuse`, {})).status).toBe(400)
  expect(
    await admin.call('POST', `/v1/gdpr-requests/${body.id}/refuse`, { reason: 'An invoice is open.' }),
  ).toMatchObject({ status: 'refused', refused_because: 'An invoice is open.' })
})

test('correct what is wrong', async () => {
  const { body } = await ask({
    request_type: 'rectification',
    changes: { full_name: 'Grace Hopper', email: 'grace@example.com' },
  })
  expect(await admin.call('POST', `/v1/gdpr-requests/${body.id}/carry-out`)).toMatchObject({ status: 'completed' })
  expect(await person.call('GET', '/v1/me')).toMatchObject({
    full_name: 'Grace Hopper',
    email: 'grace@example.com',
    email_verified: false,
  })
  for (const changes of [
    undefined,
    null,
    { roles: ['admin'] },
    { password_hash: 'x' },
    { tenant_id: crypto.randomUUID() },
  ])
    expect((await ask({ request_type: 'rectification', changes })).status).toBe(400)
})

test('leave a tenant its last administrator', async () => {
  const { body } = await ask({ request_type: 'erasure' }, admin)
  expect((await admin.request('POST', `/v1/gdpr-requests/${body.id}/carry-out`)).body).toMatchObject({
    type: expect.stringContaining('last_administrator'),
  })
  await admin.call('POST', `/v1/gdpr-requests/${body.id}/cancel`)
})

test('whose time is nearly over are told of once; archives go after thirty days', async () => {
  const { body } = await ask({ request_type: 'erasure' })
  const { body: gathered } = await ask({ request_type: 'portability' })
  await settle(person, `/v1/gdpr-requests/${gathered.id}`)
  await owner.query(`update gdpr_requests set due_at = now() + interval '6 days' where id = $1`, [body.id])
  await owner.query(`update gdpr_requests set result_expires_at = now() - interval '1 second' where id = $1`, [
    gathered.id,
  ])
  expect((await person.request('GET', `/v1/gdpr-requests/${gathered.id}/archive`)).status).toBe(404)
  await watchRequests(app.kernel)
  await watchRequests(app.kernel)
  const near = () =>
    scoped(app.kernel.pool, { tenant: person.tenant, user: null, seesAll: true }, (tx) =>
      sql<{ id: string }>`select id from security_events where event_type = 'gdpr_deadline_near'`.execute(tx),
    ).then(({ rows }) => rows.length)
  await expect.poll(near, { timeout: 10_000 }).toBe(1)
  expect(await app.kernel.services.storage.stat(`tenants/${person.tenant}/gdpr/${gathered.id}.zip`)).toBeNull()
})

test('are not made or fetched with an API key', async () => {
  const { key } = await admin.call('POST', '/v1/api-keys', { name: 'key', scopes: ['*'] })
  const reply = await fetch(`${app.url}/v1/gdpr-requests`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: '{"request_type":"access"}',
  })
  expect(reply.status).toBe(403)
})
