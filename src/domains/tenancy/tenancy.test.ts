import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Person, type TestApp, openTestApp } from '../../../test/app.ts'

let app: TestApp
let platform: Person
let seller: { id: string; office: string; person: Person }
let rival: { id: string; office: string; person: Person }
let tiers: Record<string, string>

async function openReseller(slug: string) {
  const made = await platform.call('POST', '/v1/resellers', {
    name: `${slug} Ltd`,
    slug,
    email: `hello@${slug}.example`,
    commission_rate: 20,
    administrator_email: `first@${slug}.example`,
  })
  return {
    id: made.id as string,
    office: made.office as string,
    person: await app.addPerson(made.office, `boss@${slug}.example`, ['admin']),
  }
}
const openAccount = (by: Person, slug: string, more: object = {}) =>
  by.call('POST', '/v1/accounts', { name: slug, slug, administrator_email: `admin@${slug}.example`, ...more })
const auditOf = async (person: Person, action: string) =>
  (await person.call('GET', '/v1/audit-logs?limit=200')).items.filter(
    (entry: { action: string }) => entry.action === action,
  )

beforeAll(async () => {
  app = await openTestApp()
  platform = app.admin
  seller = await openReseller('seller')
  rival = await openReseller('rival')
  tiers = Object.fromEntries(
    (await platform.call('GET', '/v1/subscription-plans')).items.map((plan: { name: string; id: string }) => [
      plan.name,
      plan.id,
    ]),
  )
})
afterAll(() => app.close())

describe('resellers', () => {
  test('the system has three tiers, which everyone may see', async () => {
    const { items } = await seller.person.call('GET', '/v1/subscription-plans/offered')
    expect(
      items.map((plan: Record<string, unknown>) => [
        plan.name,
        plan.tier,
        plan.price_monthly,
        plan.price_yearly,
        plan.storage_quota_mb,
        plan.processing_quota_minutes,
        plan.max_users,
      ]),
    ).toEqual([
      ['Basic', 'single', 9.99, 99.99, 5000, 300, 5],
      ['Premium', 'team', 19.99, 199.99, 20000, 1000, 20],
      ['Enterprise', 'enterprise', 49.99, 499.99, 100000, 5000, 100],
    ])
  })

  test('opens, changes, suspends and resumes a tenant, written down on both sides', async () => {
    const account = await openAccount(seller.person, 'novels', { subscription_plan_id: tiers.Premium })
    expect(account).toMatchObject({ reseller_id: seller.id, plan: 'team', standing: 'active' })
    const person = await app.addPerson(account.id, 'a@novels.example', ['admin'])
    expect(await person.call('GET', '/v1/tenant/quotas')).toMatchObject({
      max_users: 20,
      max_processing_minutes: 1000,
      max_storage_bytes: 20_000_000_000,
    })
    await seller.person.call('PATCH', `/v1/accounts/${account.id}`, {
      name: 'Novels Inc',
      subscription_plan_id: tiers.Enterprise,
    })
    expect(await person.call('GET', '/v1/tenant/subscription')).toMatchObject({
      requests_per_minute: 2000,
      request_burst: 2500,
      plan: { name: 'Enterprise' },
    })
    await seller.person.call('POST', `/v1/accounts/${account.id}/suspend`, { reason: 'not paid' })
    expect((await person.request('GET', '/v1/me')).status).toBe(401)
    await seller.person.call('POST', `/v1/accounts/${account.id}/resume`)
    expect((await person.request('GET', '/v1/me')).status).toBe(200)
    const [theirs] = await auditOf(person, 'accounts.suspend')
    expect(theirs).toMatchObject({
      user_email: 'boss@seller.example',
      details: { reason: 'not paid', reseller_id: seller.id },
    })
    expect(await auditOf(seller.person, 'accounts.suspend')).toHaveLength(1)
    expect(await seller.person.call('GET', `/v1/accounts/${account.id}/usage`)).toMatchObject({
      users: 1,
      projects: 0,
      limits: { max_users: 100 },
    })
    expect(await auditOf(person, 'accounts.usage')).toHaveLength(1)
    expect(await auditOf(seller.person, 'accounts.usage')).toHaveLength(1)
  })

  test('invites the first administrator of a tenant, in the look of its reseller', async () => {
    await seller.person.call('POST', '/v1/branding-configurations', {
      name: 'House',
      is_default: true,
      texts: { appName: 'Seller Studio' },
    })
    const account = await openAccount(seller.person, 'welcome', { subscription_plan_id: tiers.Basic })
    const inside = await app.addPerson(account.id, 'a@welcome.example', ['admin'])
    const folder = join(app.kernel.config.data, 'mail')
    const letterTo = async (address: string) => {
      for (const name of await readdir(folder).catch(() => [])) {
        const letter = await readFile(join(folder, name), 'utf8')
        if (letter.includes(address)) return letter
      }
      return undefined
    }
    await expect.poll(() => letterTo('admin@welcome.example'), { timeout: 20_000 }).toContain('Seller Studio')
    expect((await inside.call('GET', '/v1/invitations')).items).toMatchObject([
      { email: 'admin@welcome.example', roles: ['admin'] },
    ])
  })

  test('another reseller, and a tenant, find no such account', async () => {
    const account = await openAccount(seller.person, 'hidden', { subscription_plan_id: tiers.Basic })
    const inside = await app.addPerson(account.id, 'a@hidden.example', ['admin'])
    for (const person of [rival.person, inside])
      for (const [method, path, body] of [
        ['GET', ''],
        ['GET', '/usage'],
        ['PATCH', '', { name: 'mine' }],
        ['POST', '/suspend', { reason: 'x' }],
        ['POST', '/resume'],
        ['POST', '/hand-over', { reseller_id: rival.id }],
        ['POST', '/accept', {}],
      ] as const) {
        const refused = await person.request(method, `/v1/accounts/${account.id}${path}`, body)
        expect.soft(refused.status, `${person.email} ${method} ${path}`).toBe(404)
        const nobody = await person.request(method, `/v1/accounts/${crypto.randomUUID()}${path}`, body)
        expect.soft({ ...refused.body, request_id: '' }).toEqual({ ...nobody.body, request_id: '' })
      }
    expect((await rival.person.call('GET', '/v1/accounts')).items).toEqual([])
    expect((await inside.call('GET', '/v1/accounts')).items).toEqual([])
    expect(
      (await inside.request('POST', '/v1/accounts', { name: 'x', slug: 'xx', administrator_email: 'x@example.com' }))
        .status,
    ).toBe(404)
    expect((await rival.person.request('GET', `/v1/resellers/${seller.id}`)).status).toBe(404)
    expect((await rival.person.call('GET', '/v1/resellers')).items).toEqual([])
    expect((await seller.person.request('PATCH', `/v1/resellers/${seller.id}`, { commission_rate: 99 })).status).toBe(
      404,
    )
  })

  test('a reseller never reads content', async () => {
    const account = await openAccount(seller.person, 'secrets')
    const inside = await app.addPerson(account.id, 'a@secrets.example', ['admin'])
    const project = await inside.call('POST', '/v1/projects', { title: 'Unheard of' })
    for (const person of [seller.person, platform]) {
      expect((await person.request('GET', `/v1/projects/${project.id}`)).status).toBe(404)
      expect((await person.request('GET', '/v1/projects', undefined, { 'x-tenant-id': account.id })).status).toBe(403)
      expect(JSON.stringify(await person.call('GET', `/v1/accounts/${account.id}`))).not.toContain('Unheard')
    }
    const client = new pg.Client({ connectionString: app.kernel.urls.owner })
    await client.connect()
    await client.query('set role voicepress_platform')
    await expect(client.query('select title from projects')).rejects.toMatchObject({ code: '42501' })
    await expect(client.query('select payload from jobs')).rejects.toMatchObject({ code: '42501' })
    await client.end()
  })

  test('its own plans and brandings are its own', async () => {
    const plan = await seller.person.call('POST', '/v1/subscription-plans', {
      name: 'Studio',
      tier: 'team',
      price_monthly: 30,
      storage_quota_mb: 1000,
      processing_quota_minutes: 60,
      max_users: 2,
      features: { white_label: true },
    })
    expect(plan.reseller_id).toBe(seller.id)
    const theirs = await openAccount(rival.person, 'elsewhere')
    expect(
      (await rival.person.request('PATCH', `/v1/accounts/${theirs.id}`, { subscription_plan_id: plan.id })).status,
    ).toBe(404)
    expect((await rival.person.request('GET', `/v1/subscription-plans/${plan.id}`)).status).toBe(404)
    const inside = await app.addPerson(theirs.id, 'a@elsewhere.example', ['admin'])
    expect(
      (
        await inside.request('POST', '/v1/subscription-plans', {
          name: 'Free',
          storage_quota_mb: 1,
          processing_quota_minutes: 1,
          max_users: 1,
        })
      ).body.type,
    ).toContain('not_a_reseller')
    const names = (await inside.call('GET', '/v1/subscription-plans/offered')).items.map(
      ({ name }: { name: string }) => name,
    )
    expect(names).not.toContain('Studio')
  })

  test('hands a tenant over, which takes two', async () => {
    const studio = await seller.person.call('POST', '/v1/subscription-plans', {
      name: 'Leaving',
      storage_quota_mb: 1000,
      processing_quota_minutes: 60,
      max_users: 2,
    })
    const account = await openAccount(seller.person, 'moving', { subscription_plan_id: studio.id })
    const path = `/v1/accounts/${account.id}`
    await seller.person.call('POST', `${path}/hand-over`, { reseller_id: rival.id })
    expect((await rival.person.request('POST', `${path}/suspend`, { reason: 'not mine yet' })).status).toBe(404)
    expect((await rival.person.request('POST', `${path}/accept`, {})).body).toMatchObject({
      status: 400,
      field: 'subscription_plan_id',
    })
    expect(await rival.person.call('POST', `${path}/accept`, { subscription_plan_id: tiers.Basic })).toMatchObject({
      reseller_id: rival.id,
      pending_reseller_id: null,
    })
    expect((await seller.person.request('GET', path)).status).toBe(404)
  })

  test('a suspended reseller runs nothing, and its tenants go on', async () => {
    const other = await openReseller('closing')
    const account = await openAccount(other.person, 'carefree')
    const inside = await app.addPerson(account.id, 'a@carefree.example', ['admin'])
    await platform.call('PATCH', `/v1/resellers/${other.id}`, { status: 'suspended' })
    expect((await other.person.request('PATCH', `/v1/accounts/${account.id}`, { name: 'x' })).status).toBe(404)
    expect((await other.person.call('GET', '/v1/accounts')).items).toEqual([])
    expect((await inside.request('GET', '/v1/me')).status).toBe(200)
  })

  test('nobody locks themselves out', async () => {
    const own = `/v1/accounts/${platform.tenant}`
    expect((await platform.request('POST', `${own}/suspend`, { reason: 'x' })).status).toBe(404)
    expect((await platform.request('PATCH', own, { subscription_status: 'expired' })).status).toBe(404)
    const [self] = (await platform.call('GET', '/v1/resellers')).items.filter(
      ({ office }: { office: string }) => office === platform.tenant,
    )
    expect((await platform.request('PATCH', `/v1/resellers/${self.id}`, { status: 'suspended' })).status).toBe(404)
  })

  test('a statement adds up usage and commission', async () => {
    const month = new Date().toISOString().slice(0, 7)
    const account = await openAccount(seller.person, 'counted', { subscription_plan_id: tiers.Premium })
    await openAccount(seller.person, 'trying', { subscription_plan_id: tiers.Premium, trial_days: 14 })
    const { lines, total_commission } = await seller.person.call('GET', `/v1/account-statements/${month}`)
    const line = (slug: string) => lines.find((one: { slug: string }) => one.slug === slug)
    expect(line('counted')).toMatchObject({
      id: account.id,
      plan_name: 'Premium',
      price_monthly: 19.99,
      commission_rate: 20,
      commission: 4,
    })
    expect(line('trying')).toMatchObject({ standing: 'trial', commission: 0 })
    expect(total_commission).toBeGreaterThanOrEqual(4)
    const csv = await seller.person.request('GET', `/v1/account-statements/${month}/csv`)
    expect(csv.headers['content-type']).toContain('text/csv')
    expect(csv.body.split('\r\n')[0]).toMatch(/^id,name,slug/)
    const of = await platform.call('GET', `/v1/account-statements/${month}?reseller_id=${seller.id}`)
    expect(of.lines.map(({ slug }: { slug: string }) => slug)).toEqual(lines.map(({ slug }: { slug: string }) => slug))
    expect((await rival.person.request('GET', `/v1/account-statements/${month}?reseller_id=${seller.id}`)).status).toBe(
      404,
    )
  })
})
