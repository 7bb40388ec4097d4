import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sql } from 'kysely'
import { type Person, type TestApp, openTestApp } from '../../../test/app.ts'
import { openApp } from '../../app.ts'
import { startServer } from '../../server.ts'
import { closeKernel } from '../../kit/kernel.ts'
import { scoped } from '../../kit/database.ts'
import { enforceQuota, reserveQuota } from './enforce-quota.ts'
import { requireFeature } from './features.ts'

let app: TestApp
let tiers: Record<string, string>
let count = 0

beforeAll(async () => {
  app = await openTestApp({ work: false, environment: { VOICEPRESS_RATE_LIMITS: 'true' } })
  tiers = Object.fromEntries(
    (await app.admin.call('GET', '/v1/subscription-plans')).items.map((plan: { name: string; id: string }) => [
      plan.name,
      plan.id,
    ]),
  )
})
afterAll(() => app.close())

/** A tenant with a plan, and its administrator. */
async function customer(plan: string, more: object = {}): Promise<{ id: string; admin: Person }> {
  const slug = `customer-${++count}`
  const { id } = await app.admin.call('POST', '/v1/accounts', {
    name: slug,
    slug,
    subscription_plan_id: tiers[plan],
    administrator_email: `first@${slug}.example`,
    ...more,
  })
  return { id, admin: await app.addPerson(id, `admin@${slug}.example`, ['admin']) }
}
const inside = <T>(tenant: string, work: Parameters<typeof scoped<T>>[2]) =>
  scoped<T>(app.kernel.pool, { tenant, user: null, seesAll: true }, work)
const statuses = (replies: { status: number }[]) =>
  Object.entries(Object.groupBy(replies, ({ status }) => status)).map(([status, of]) => `${status} × ${of?.length}`)

describe('quotas', () => {
  test('of thirty requests at once as many pass as there is room, whoever asks and whatever they see', async () => {
    const { id, admin } = await customer('Basic')
    const creator = await app.addPerson(id, 'creator@example.com', ['creator'])
    const other = await app.addPerson(id, 'other@example.com', ['creator'])
    const people = [admin, creator, other]
    const replies = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        people[index % 3]!.request('POST', '/v1/projects', { title: `Project ${index}` }),
      ),
    )
    expect(statuses(replies)).toEqual(['200 × 10', '403 × 20'])
    const refused = replies.find(({ status }) => status === 403)
    expect(refused?.body).toMatchObject({
      type: 'urn:voicepress:problem:quota_exceeded',
      quota: 'projects',
      limit: 10,
      used: 10,
      wanted: 1,
      unit: 'projects',
    })
    expect((await admin.call('GET', '/v1/tenant/usage')).items).toContainEqual({
      quota: 'projects',
      used: 10,
      unit: 'projects',
    })
  })

  test('minutes that a running job will need are kept for it, and come back when it ends', async () => {
    const { id } = await customer('Basic')
    const job = () =>
      inside(id, (tx) =>
        tx
          .insertInto('jobs')
          .values({ kind: 'test', payload: '{}' as never })
          .returning('id')
          .executeTakeFirstOrThrow(),
      ).then((row) => row.id)
    const [one, two, three] = await Promise.all([job(), job(), job()])
    const tried = await Promise.allSettled(
      [one, two, three].map((of) => inside(id, (tx) => reserveQuota(tx, 'processing', 140, of))),
    )
    expect(tried.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
    const refused = tried.find((result) => result.status === 'rejected')
    expect(refused?.reason).toMatchObject({
      type: 'quota_exceeded',
      extra: {
        limit: 300,
        used: 280,
        wanted: 140,
        unit: 'minutes',
        resets_at: expect.stringMatching(/-01T00:00:00.000Z$/),
      },
    })
    // Run again, its own reservation doesn't stand in its way; what it has used counts once.
    const [winner = ''] = [one, two, three].filter((_, index) => tried[index]?.status === 'fulfilled')
    await inside(id, (tx) => reserveQuota(tx, 'processing', 140, winner))
    await inside(id, (tx) =>
      tx
        .insertInto('usage_records')
        .values({ job_id: winner, resource_type: 'narration', amount: 100, unit: 'minutes' })
        .execute(),
    )
    const used = () =>
      inside(id, (tx) => sql<{ used: number }>`select quota_used('processing') as used`.execute(tx)).then(
        ({ rows }) => rows[0]?.used,
      )
    expect(await used()).toBe(280)
    await inside(id, (tx) => tx.updateTable('jobs').set({ status: 'cancelled' }).execute())
    expect(await used()).toBe(100)
  })

  test('the application cannot lift its own limits', async () => {
    const { id } = await customer('Basic')
    await expect(
      inside(id, (tx) => tx.updateTable('tenant_quotas').set({ max_users: 1000 }).execute()),
    ).rejects.toMatchObject({ code: '42501' })
    await expect(
      inside(id, (tx) => tx.updateTable('tenants').set({ plan: 'enterprise' }).execute()),
    ).rejects.toMatchObject({ code: '42501' })
    await expect(
      inside(id, (tx) => sql`select book_plan(${id}, null, ${tiers.Enterprise})`.execute(tx)),
    ).rejects.toMatchObject({ code: '42501' })
  })

  test('features come with the plan', async () => {
    const basic = await customer('Basic')
    const premium = await customer('Premium')
    await expect(inside(basic.id, (tx) => requireFeature(tx, 'diarization'))).rejects.toMatchObject({
      status: 403,
      type: 'not_entitled',
      extra: { feature: 'diarization' },
    })
    await expect(inside(basic.id, (tx) => requireFeature(tx, { model: 'medium' }))).rejects.toMatchObject({
      type: 'not_entitled',
    })
    await inside(premium.id, (tx) => requireFeature(tx, 'diarization'))
    await inside(premium.id, (tx) => requireFeature(tx, { model: 'medium' }))
    await expect(inside(premium.id, (tx) => requireFeature(tx, { model: 'large' }))).rejects.toMatchObject({
      type: 'not_entitled',
    })
    expect((await basic.admin.request('PATCH', '/v1/white-label', { brand_name: 'Mine' })).status).toBe(403)
  })
})

describe('states', () => {
  const set = async (id: string, changes: object) => app.admin.call('PATCH', `/v1/accounts/${id}`, changes)
  const long = '2020-01-01T00:00:00Z'

  test('past due goes on and does not grow; after fourteen days it is expired', async () => {
    const { id, admin } = await customer('Basic')
    const project = await admin.call('POST', '/v1/projects', { title: 'Before' })
    await set(id, { subscription_status: 'past_due' })
    expect((await admin.request('PATCH', `/v1/projects/${project.id}`, { title: 'Still' })).status).toBe(200)
    expect((await admin.request('POST', '/v1/projects', { title: 'More' })).body).toMatchObject({
      status: 402,
      standing: 'past_due',
    })
    await inside(id, (tx) => enforceQuota(tx, 'processing', 1))
  })

  test.each([
    ['a trial that is over', { subscription_status: 'trial', trial_ends_at: long }],
    ['cancelled, and no longer paid for', { subscription_status: 'cancelled', current_period_ends_at: long }],
    ['expired', { subscription_status: 'expired' }],
  ])('%s reads and removes, and makes nothing', async (_, changes) => {
    const { id, admin } = await customer('Basic')
    const project = await admin.call('POST', '/v1/projects', { title: 'Before' })
    expect(await set(id, changes)).toMatchObject({ standing: 'expired' })
    expect((await admin.request('GET', `/v1/projects/${project.id}`)).status).toBe(200)
    expect((await admin.request('PATCH', `/v1/projects/${project.id}`, { title: 'x' })).body).toMatchObject({
      status: 402,
      type: 'urn:voicepress:problem:subscription_expired',
    })
    expect((await admin.request('POST', '/v1/projects', { title: 'x' })).status).toBe(402)
    expect((await admin.request('POST', `/v1/projects/${project.id}/archive`)).status).toBe(200)
    expect((await admin.request('DELETE', `/v1/projects/${project.id}`)).body).toEqual({ id: project.id })
  })

  test.each([
    ['a trial', { subscription_status: 'trial', trial_ends_at: '2100-01-01T00:00:00Z' }],
    ['cancelled, but paid for', { subscription_status: 'cancelled', current_period_ends_at: '2100-01-01T00:00:00Z' }],
  ])('%s may do everything until its end', async (_, changes) => {
    const { id, admin } = await customer('Basic')
    await set(id, changes)
    expect((await admin.request('POST', '/v1/projects', { title: 'x' })).status).toBe(200)
  })
})

describe('requests a minute', () => {
  test('a burst passes, and no more than the plan has, over two processes', async () => {
    const { id, admin } = await customer('Basic')
    const { DATABASE_URL, data, secret } = app.kernel.config
    const beside = await openApp({
      environment: {
        DATABASE_URL,
        VOICEPRESS_DATA: data,
        VOICEPRESS_SECRET: secret,
        VOICEPRESS_PORT: '0',
        VOICEPRESS_LOG_LEVEL: 'silent',
      },
    })
    const second = await startServer(beside)
    const send = (url: string) => fetch(`${url}/v1/tenant`, { headers: { authorization: `Bearer ${admin.token}` } })
    const began = Date.now()
    const replies = await Promise.all(Array.from({ length: 260 }, (_, index) => send(index % 2 ? app.url : second.url)))
    const gained = Math.ceil(((Date.now() - began) / 60_000) * 100)
    const passed = replies.filter(({ status }) => status === 200).length
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200, 429]))
    expect(passed).toBeLessThanOrEqual(120 + gained)
    // What one process has leased and not used is at most one lease.
    expect(passed).toBeGreaterThanOrEqual(120 - 6)
    const refused = replies.find(({ status }) => status === 429)
    expect(refused?.headers.get('retry-after')).toBe('1')
    expect(refused?.headers.get('ratelimit-policy')).toBe('"minute";q=100;w=60, "burst";q=120;w=72')
    expect(refused?.headers.get('ratelimit')).toBe('"burst";r=0;t=72')
    expect(await refused?.json()).toMatchObject({
      type: 'urn:voicepress:problem:too_many_requests',
      limit: 100,
      unit: 'requests a minute',
      resets_at: expect.any(String),
    })
    const other = await customer('Basic')
    expect((await other.admin.request('GET', '/v1/tenant')).headers['ratelimit']).toMatch(/^"burst";r=1\d\d;t=\d$/)
    expect(id).not.toBe(other.id)
    await closeKernel(beside.kernel)
  })
})
