import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestApp, openTestApp } from '../../../test/app.ts'
import { openSealer, sealTenant } from './seal-audit.ts'
import { writeWitness } from './witness-chain.ts'

let app: TestApp
let owner: pg.Client
beforeAll(async () => {
  app = await openTestApp({ work: false })
  owner = new pg.Client({ connectionString: app.kernel.urls.owner })
  await owner.connect()
})
afterAll(async () => {
  await owner.end()
  await app.close()
})

interface Verification {
  holds: boolean
  checked: number
  head: { sequence: number; hash: string }
  unsealed: number
  faults: { kind: string; sequence: number }[]
}

/** A tenant with a sealed chain of its own, some twenty entries long. */
async function chain(slug: string) {
  const tenant = await app.addTenant(slug)
  const admin = await app.addPerson(tenant, `${slug}@example.com`, ['admin'])
  for (let count = 0; count < 20; count++) await admin.call('PATCH', '/v1/me', { full_name: `Name ${count}` })
  await sealTenant(app.kernel, tenant)
  const verify = (query = '') => admin.call<Verification>('GET', `/v1/audit/verify${query}`)
  /** As a database administrator who goes around every rule. */
  const tamper = async (statement: string) => {
    await owner.query('set session_replication_role = replica')
    const { rowCount } = await owner.query(statement.replaceAll('$tenant', `tenant_id = '${tenant}'`))
    await owner.query('set session_replication_role = origin')
    expect(rowCount).toBeGreaterThan(0)
  }
  return { tenant, admin, verify, tamper }
}

describe('the chain', () => {
  test('holds, counts what is sealed and tells what is not yet', async () => {
    const { admin, verify, tenant } = await chain('whole')
    expect(await verify()).toMatchObject({ holds: true, faults: [], unsealed: 0 })
    await admin.call('PATCH', '/v1/me', { full_name: 'Later' })
    const waiting = await verify()
    expect(waiting).toMatchObject({ holds: true })
    expect(waiting.unsealed).toBeGreaterThan(0)
    expect(waiting.checked).toBe(waiting.head.sequence)
    expect(await sealTenant(app.kernel, tenant)).toBe(waiting.unsealed)
    const after = await verify(`?sequence=${waiting.head.sequence}&hash=${waiting.head.hash}`)
    expect(after).toMatchObject({ holds: true, unsealed: 0, checked: waiting.checked + waiting.unsealed })
  })

  const attacks: Record<string, [statement: string, kind: string]> = {
    'who did it': [`update audit_logs set user_id = gen_random_uuid() where $tenant and sequence = 5`, 'altered'],
    'what was done': [`update audit_logs set action = 'me.get' where $tenant and sequence = 5`, 'altered'],
    'when it was done': [
      `update audit_logs set created_at = created_at - interval '1 microsecond' where $tenant and sequence = 5`,
      'altered',
    ],
    'from where': [`update audit_logs set ip_address = '192.0.2.1' where $tenant and sequence = 5`, 'altered'],
    'what it was before': [
      `update audit_logs set details = details || '{"x": 1}' where $tenant and sequence = 5`,
      'altered',
    ],
    'the details, by emptying them': [
      `update audit_logs set details = '{}', details_salt = null where $tenant and sequence = 5`,
      'emptied',
    ],
    'the details, by emptying them as if erased': [
      `update audit_logs set details = '{}', details_salt = null, erasure_id = gen_random_uuid() where $tenant and sequence = 5`,
      'emptied',
    ],
    'one entry, by removing it': [`delete from audit_logs where $tenant and sequence = 5`, 'removed'],
    'the first entries, by removing them': [`delete from audit_logs where $tenant and sequence < 5`, 'removed'],
    'the last entry, by removing it': [
      `delete from audit_logs where $tenant and sequence = (select max(sequence) from audit_logs where $tenant)`,
      'removed',
    ],
    'the order': [
      `update audit_logs set sequence = case sequence when 5 then 6 else 5 end where $tenant and sequence in (5, 6)`,
      'altered',
    ],
    'an entry, by doubling it': [
      `insert into audit_logs (tenant_id, action, details, sequence, prev_hash, hash, mac, who_salt, who_digest, details_salt, details_digest)
       select tenant_id, action, details, sequence, prev_hash, hash, mac, who_salt, who_digest, details_salt, details_digest from audit_logs where $tenant and sequence = 5`,
      'inserted',
    ],
    'an entry behind the end': [
      `insert into audit_logs (tenant_id, action, sequence) select tenant_id, action, 99999 from audit_logs where $tenant and sequence = 5`,
      'inserted',
    ],
    'a seal': [`update audit_logs set mac = hash where $tenant and sequence = 5`, 'forged'],
    'an entry, by taking its seal away': [
      `update audit_logs set sequence = null where $tenant and sequence = 5`,
      'removed',
    ],
  }
  test.each(Object.entries(attacks))('shows who altered %s', async (name, [statement, kind]) => {
    const { verify, tamper } = await chain(`c${Object.keys(attacks).indexOf(name)}`)
    await tamper(statement)
    const found = await verify()
    expect(found.holds).toBe(false)
    expect(found.faults.map((fault) => fault.kind)).toContain(kind)
  })

  test('cut off at its end together with its head is found by the witness in the blob store, and by one that somebody kept', async () => {
    const { tenant, verify, tamper, admin } = await chain('cut')
    await admin.call('PATCH', '/v1/me', { full_name: 'Last' })
    const sealer = openSealer(app.kernel)
    await sealer.run()
    const { head } = await verify()
    await tamper('delete from audit_logs where $tenant and sequence > 10')
    await tamper(
      'update audit_chains c set sequence = 10, hash = (select a.hash from audit_logs a where a.tenant_id = c.tenant_id and a.sequence = 10) where c.$tenant',
    )
    expect(await verify()).toMatchObject({ holds: false, faults: [{ kind: 'rewound' }] })
    expect((await verify(`?sequence=${head.sequence}&hash=${head.hash}`)).faults).toHaveLength(2)
    await admin.call('PATCH', '/v1/me', { full_name: 'As if nothing had been' })
    await sealer.run({ witnessNow: true })
    const { rows } = await owner.query(
      `select payload from events where tenant_id = $1 and name = 'security.audit_chain_broken'`,
      [tenant],
    )
    expect(rows).toMatchObject([{ payload: { severity: 'critical', details: { witnessed: head.sequence } } }])
    expect(await verify()).toMatchObject({ holds: false })

    // A restored backup looks the same: somebody says so, and the chain goes on.
    await admin.call('POST', '/v1/audit/acknowledge', { reason: 'The backup of last night was restored.' })
    await sealTenant(app.kernel, tenant)
    expect(await verify()).toMatchObject({ holds: true })
    await writeWitness(app.kernel.services.storage, 'another installation', tenant, head)
    expect(await verify()).toMatchObject({ holds: false, faults: [{ kind: 'forged' }] })
  })

  test('has no gap and no fork when many write and several seal at once', async () => {
    const { tenant, admin, verify } = await chain('crowd')
    await Promise.all([
      ...Array.from({ length: 40 }, (_, count) => admin.call('PATCH', '/v1/me', { full_name: `Name ${count}` })),
      ...Array.from({ length: 4 }, () => sealTenant(app.kernel, tenant)),
    ])
    await sealTenant(app.kernel, tenant)
    expect(await verify()).toMatchObject({ holds: true, unsealed: 0 })
  })
})

describe('the trail', () => {
  test.each(['voicepress_app', 'voicepress_platform', 'voicepress_worker', 'voicepress_auditor', 'voicepress_owner'])(
    'is append-only for %s',
    async (role) => {
      await owner.query(`begin; set local role ${role}; select set_tenant_context('${app.admin.tenant}', null, true)`)
      for (const statement of [
        `update audit_logs set action = 'nothing'`,
        `update audit_logs set sequence = null`,
        'delete from audit_logs',
        'truncate audit_logs',
      ]) {
        await owner.query('savepoint before')
        await expect.soft(owner.query(statement), `${role}: ${statement}`).rejects.toMatchObject({ code: '42501' })
        await owner.query('rollback to before')
      }
      await owner.query('rollback')
    },
  )

  test('is sealed only where it ends, and only by what fits there', async () => {
    const { tenant } = await chain('fits')
    const asApp = new pg.Client({ connectionString: app.kernel.urls.app })
    await asApp.connect()
    await asApp.query(`begin; select set_tenant_context('${tenant}', null, true)`)
    await expect(asApp.query(`select seal_audit_logs('[{"sequence": 3, "prev_hash": "x"}]')`)).rejects.toMatchObject({
      code: '40001',
    })
    await asApp.end()
  })

  test('tells before and after, who, from where and in which request, and no secret', async () => {
    const { admin } = await chain('tells')
    const { headers } = await admin.request('PATCH', '/v1/me', { full_name: 'Ada' })
    const { items } = await admin.call('GET', `/v1/audit-logs?request_id=${headers['x-request-id']}`)
    expect(items).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          action: 'me.update',
          user_id: admin.id,
          user_email: admin.email,
          ip_address: expect.stringMatching(/127\.0\.0\.1/),
          resource_type: 'me',
        }),
        expect.objectContaining({
          resource_type: 'users',
          resource_id: admin.id,
          details: { change: 'update', before: { full_name: 'Name 19' }, after: { full_name: 'Ada' } },
        }),
      ]),
    )
    const { items: all } = await admin.call('GET', '/v1/audit-logs?limit=200')
    expect(JSON.stringify(all)).not.toMatch(/argon2|token_hash|password_hash|salt/)
  })

  test("is an administrator's to read and to export, and the export is written down", async () => {
    const { admin, tenant } = await chain('export')
    const manager = await app.addPerson(tenant, 'manager@example.com', ['manager'])
    for (const path of ['/v1/audit-logs', '/v1/audit/verify', '/v1/audit/export'])
      expect((await manager.request('GET', path)).status).toBe(403)
    await admin.call('PATCH', '/v1/me', { full_name: '=HYPERLINK("http://evil")' })
    const reply = await fetch(`${app.url}/v1/audit/export`, { headers: { authorization: `Bearer ${admin.token}` } })
    const lines = await reply.text()
    const entries = lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(entries.length).toBeGreaterThan(20)
    expect(entries.every(({ created_at }, index) => index === 0 || created_at >= entries[index - 1].created_at)).toBe(
      true,
    )
    const csv = (await admin.request('GET', `/v1/audit/export?format=csv&from=2000-01-01T00:00:00Z&action=me.update`))
      .body as string
    expect(csv.split('\r\n')[0]).toContain('user_email,action')
    expect(csv.split('\r\n').length).toBeGreaterThan(20)
    expect(csv).not.toMatch(/^[=+@-]|,[=+@]/m)
    expect((await admin.call('GET', '/v1/audit-logs?action=audit.export')).items).toHaveLength(2)
  })

  test('has its months made ahead of time', async () => {
    const { rows } = await owner.query<{ name: string }>(
      `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'audit_logs'::regclass order by 1`,
    )
    expect(rows.length).toBe(5)
    const month = new Date().toISOString().slice(0, 7).replace('-', '')
    expect(rows.map(({ name }) => name)).toContain(`audit_logs_${month}`)
    const {
      rows: [stray],
    } = await owner.query('select count(*) from audit_logs_default')
    expect(Number(stray.count)).toBe(0)
  })
})
