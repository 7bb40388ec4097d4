import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Person, type TestApp, openTestApp } from '../../../test/app.ts'
import { scoped } from '../../kit/database.ts'
import { keepPartitions } from '../../kit/partitions.ts'
import { meter, requireTokens } from './meter.ts'

let app: TestApp
let admin: Person
let tenant: string
const inside = <T>(work: Parameters<typeof scoped<T>>[2]) =>
  scoped<T>(app.kernel.pool, { tenant, user: null, seesAll: true }, work)
const until = async <T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> => {
  for (;;) {
    const value = await read()
    if (holds(value)) return value
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

beforeAll(async () => {
  app = await openTestApp({ work: false })
  tenant = await app.addTenant('metered')
  admin = await app.addPerson(tenant, 'a@metered.example', ['admin'])
})
afterAll(() => app.close())

const call = (user: string, tokens: number) => ({
  user,
  cost: {
    service: 'openai',
    operation: 'detect_cast',
    model: 'gpt',
    units: tokens,
    unitType: 'tokens',
    costUsd: tokens / 1000,
    promptTokens: tokens - 10,
    completionTokens: 10,
  },
})

test('one call writes usage, cost, tokens and the balance, and twenty at once lose none', async () => {
  await admin.call('PUT', `/v1/ai-token-balances/${admin.id}`, { balance: 10_000 })
  await Promise.all(
    Array.from({ length: 20 }, () =>
      inside((tx) =>
        meter(tx, [call(admin.id, 100), { user: admin.id, usage: { resource: 'narration', amount: 1.5 } }]),
      ),
    ),
  )
  const { lines } = await admin.call('GET', '/v1/statement?by=user')
  expect(lines.find(({ key }: { key: string }) => key === admin.id)).toMatchObject({
    narration_minutes: 30,
    ai_tokens: 2000,
    paid_calls: 20,
    cost_usd: 2,
  })
  const { items } = await admin.call('GET', '/v1/ai-token-balances')
  expect(items).toMatchObject([{ user_id: admin.id, balance: 8000 }])
  expect((await admin.call('GET', '/v1/ai-token-usage')).items[0]).toMatchObject({
    usage_type: 'detect_cast',
    model: 'gpt',
    token_count: 100,
  })
})

test('whoever has used up their tokens is refused before anything costs, and whoever has no balance is not', async () => {
  await admin.call('PUT', `/v1/ai-token-balances/${admin.id}`, { balance: 50 })
  await inside((tx) => requireTokens(tx, admin.id))
  await inside((tx) => meter(tx, [call(admin.id, 100)]))
  await expect(inside((tx) => requireTokens(tx, admin.id))).rejects.toMatchObject({
    status: 403,
    type: 'quota_exceeded',
    extra: { quota: 'ai_tokens', limit: 0, unit: 'tokens' },
  })
  const other = await app.addPerson(tenant, 'b@metered.example', ['creator'])
  await inside((tx) => requireTokens(tx, other.id))
  await admin.call('DELETE', `/v1/ai-token-balances/${admin.id}`)
  await inside((tx) => requireTokens(tx, admin.id))
})

test('requests are written down beside their path, in the partition of their day, and nobody else sees them', async () => {
  const key = await admin.call('POST', '/v1/api-keys', { name: 'counted', scopes: ['tenant.get'] })
  await Promise.all(
    Array.from({ length: 12 }, () =>
      fetch(`${app.url}/v1/tenant`, { headers: { authorization: `Bearer ${key.key}` } }),
    ),
  )
  await fetch(`${app.url}/v1/users`, { headers: { authorization: `Bearer ${key.key}` } })
  const ofKey = async () =>
    (await admin.call('GET', '/v1/api-usage?limit=200')).items.filter(
      (row: { api_key_id: string }) => row.api_key_id === key.id,
    )
  const rows = await until(ofKey, (found) => found.length >= 13)
  expect(rows.filter((row: object) => 'endpoint' in row && row.endpoint === 'tenant.get')).toHaveLength(12)
  expect(rows.find((row: { endpoint: string }) => row.endpoint === 'users.list')).toMatchObject({
    status_code: 403,
    method: 'GET',
    user_id: admin.id,
  })
  expect(JSON.stringify(rows)).not.toContain(key.key)
  expect((await admin.call('GET', '/v1/statement?by=tenant')).lines).toMatchObject([{ key: tenant }])
  const stranger = await app.addPerson(await app.addTenant('elsewhere'), 'c@elsewhere.example', ['admin'])
  expect(
    (await stranger.call('GET', '/v1/api-usage')).items.some(
      (row: { api_key_id: string }) => row.api_key_id === key.id,
    ),
  ).toBe(false)
  const client = new pg.Client({ connectionString: app.kernel.urls.owner })
  await client.connect()
  const today = new Date().toISOString().slice(0, 10).replaceAll('-', '')
  expect(
    (await client.query(`select count(*)::int as rows from api_usage_${today}`)).rows[0].rows,
  ).toBeGreaterThanOrEqual(13)
  await client.end()
})

test('partitions are made ahead and dropped when they are past keeping', async () => {
  const client = new pg.Client({ connectionString: app.kernel.urls.owner })
  await client.connect()
  const names = async () =>
    (
      await client.query(
        `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'api_usage'::regclass order by 1`,
      )
    ).rows.map(({ name }) => name)
  const declared = [{ table: 'api_usage', every: 'day' as const, ahead: 2, keepDays: 30 }]
  await Promise.all([
    keepPartitions(app.kernel.urls.owner, declared, new Date('2031-02-27T23:59:59Z')),
    keepPartitions(app.kernel.urls.owner, declared, new Date('2031-02-27T23:59:59Z')),
  ])
  expect((await names()).filter((name) => name.startsWith('api_usage_2031'))).toEqual([
    'api_usage_20310227',
    'api_usage_20310228',
    'api_usage_20310301',
  ])
  await keepPartitions(app.kernel.urls.owner, declared, new Date('2031-03-30T12:00:00Z'))
  expect((await names()).filter((name) => name.startsWith('api_usage_20310'))).toEqual([
    'api_usage_20310228',
    'api_usage_20310301',
    'api_usage_20310330',
    'api_usage_20310331',
    'api_usage_20310401',
  ])
  expect(await names()).toContain('api_usage_default')
  await client.end()
})

test('a statement by day is the same as CSV', async () => {
  const today = new Date().toISOString().slice(0, 10)
  const { lines } = await admin.call('GET', `/v1/statement?by=day&from=${today}&to=${today}`)
  expect(lines).toHaveLength(1)
  const { body, headers } = await admin.request('GET', `/v1/statement/csv?by=day&from=${today}&to=${today}`)
  expect(headers['content-disposition']).toContain('statement-by-day.csv')
  expect(body.split('\r\n').slice(0, 1)).toEqual([
    'key,storage_bytes,narration_minutes,transcription_minutes,ai_tokens,api_requests,paid_calls,cost_usd',
  ])
  expect(body.split('\r\n')[1]).toContain(today)
})
