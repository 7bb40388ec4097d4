import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Person, type TestApp, openTestApp } from './app.ts'
import { declaredTables } from './declared-tables.ts'
import { type Filled, fillTables } from './fill-tables.ts'
import { type Probe, probeAll } from './probe-operations.ts'

/** What a reseller runs: the account itself, and what it has booked. */
const theAccount = ['tenants', 'resellers', 'subscription_plans', 'tenant_quotas']
/** What its running leaves in the account: who did what, and what the account is told. */
const traces = ['audit_logs', 'events', 'jobs', 'access_logs', 'api_usage']

let app: TestApp
let owner: pg.Client
let theirs: Filled
let probe: Probe
let sellerId: string
let seller: Person
let rival: Person

async function openReseller(slug: string): Promise<{ id: string; person: Person }> {
  const made = await app.admin.call('POST', '/v1/resellers', {
    name: slug,
    slug,
    email: `hello@${slug}.example`,
    administrator_email: `first@${slug}.example`,
  })
  return { id: made.id, person: await app.addPerson(made.office, `boss@${slug}.example`, ['admin']) }
}

beforeAll(async () => {
  app = await openTestApp({ work: false, environment: { VOICEPRESS_RATE_LIMITS: 'false' } })
  owner = new pg.Client({ connectionString: app.kernel.urls.owner })
  await owner.connect()
  const sellerOffice = await openReseller('seller')
  seller = sellerOffice.person
  sellerId = sellerOffice.id
  rival = (await openReseller('rival')).person
  theirs = await fillTables(app.kernel.urls.owner, 'theirs')
  await owner.query('update tenants set reseller_id = $2 where id = $1', [theirs.tenant, sellerOffice.id])
  const path = join(app.kernel.config.data, 'upload')
  await writeFile(path, 'A short text.')
  probe = { app, theirs, upload: { filename: 'text.txt', mediaType: 'text/plain', path, size: 13 } }
})
afterAll(async () => {
  await owner.end()
  await app.close()
})

const principalOf = ({ token }: Person) =>
  app.kernel.services.authenticator.authenticate({
    authorization: `Bearer ${token}`,
    cookie: undefined,
    host: 'localhost',
    tenant: undefined,
  })

/** A row a line, of what an account has, as the owner of the server sees it. */
async function everythingBut(left: string[]): Promise<string[]> {
  const lines: string[] = []
  for (const { name } of declaredTables.filter((table) => !left.includes(table.name))) {
    const key = name === 'tenants' ? 'id' : 'tenant_id'
    const { rows } = await owner.query<{ line: string }>(
      `select '${name} ' || row::text as line from ${name} as row where ${key} = $1 order by id`,
      [theirs.tenant],
    )
    lines.push(...rows.map(({ line }) => line))
  }
  return lines
}

describe('every operation, asked for the rows of an account', () => {
  test('by another reseller reads, changes and tells nothing', async () => {
    const before = await everythingBut([])
    expect(await probeAll(probe, await principalOf(rival))).toEqual([])
    expect(await everythingBut([])).toEqual(before)
  })

  test.each(['its reseller', 'the platform'])(
    'by %s shows the account and nothing that was made in it',
    async (who) => {
      const person = who === 'the platform' ? app.admin : seller
      const before = await everythingBut([...theAccount, ...traces])
      const found = await probeAll(probe, await principalOf(person), (table) => theAccount.includes(table))
      expect(found).toEqual([])
      expect(await everythingBut([...theAccount, ...traces])).toEqual(before)
    },
  )
})

test('a reseller who is suspended runs nothing, nor does one to whom an account no longer belongs', async () => {
  // Running it may have handed it over.
  await owner.query('update tenants set reseller_id = $2, pending_reseller_id = null where id = $1', [
    theirs.tenant,
    sellerId,
  ])
  // Asked everything, the first one has signed out too.
  const again = await app.addPerson(seller.tenant, 'again@seller.example', ['admin'])
  const { body: account } = await again.request('GET', `/v1/accounts/${theirs.tenant}`)
  expect(account.id).toBe(theirs.tenant)
  await owner.query(`update resellers set status = 'suspended' where tenant_id = $1`, [seller.tenant])
  expect((await again.request('GET', `/v1/accounts/${theirs.tenant}`)).status).toBe(404)
  await owner.query(`update resellers set status = 'active' where tenant_id = $1`, [seller.tenant])
  await owner.query('update tenants set reseller_id = null where id = $1', [theirs.tenant])
  expect((await again.request('GET', `/v1/accounts/${theirs.tenant}`)).status).toBe(404)
})
