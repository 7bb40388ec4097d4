import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hashToken, makeToken } from '../src/domains/identity/tokens.ts'
import { scoped } from '../src/kit/database.ts'
import { type TestApp, openTestApp } from './app.ts'
import { declaredTables } from './declared-tables.ts'
import { type Filled, fillTables } from './fill-tables.ts'
import { type Probe, comparable, probeAll } from './probe-operations.ts'

/** What everyone of a tenant who has the permission may see of it, whoever's it is. */
const ofTheWholeTenant = [
  'tenants',
  'tenant_settings',
  'tenant_quotas',
  'users',
  'events',
  'idempotency_keys',
  'audio_cache',
  'usage_records',
  'resellers',
  'subscription_plans',
  'branding_configurations',
  'white_label_settings',
  'quota_reservations',
  'request_buckets',
  'roles',
  'role_permissions',
  'user_roles',
  'resource_ownership',
  'access_control_policies',
  'ai_token_usage',
  'ai_token_balances',
  'api_usage',
]

/** Shown by an operation of its own, in part: which providers one may sign in with. */
const alsoShown = ['oidc_providers']
/** Shown to everybody at the tenant's own address: those, and how it looks. */
const shownAtTheAddress = [...alsoShown, 'white_label_settings']

/** What trying to come in writes down. */
const leftByTrying = ['audit_logs', 'login_attempts', 'challenges', 'jobs', 'events', 'access_logs']

let app: TestApp
let owner: pg.Client
let theirs: Filled
let probe: Probe

beforeAll(async () => {
  app = await openTestApp({ work: false })
  owner = new pg.Client({ connectionString: app.kernel.urls.owner })
  await owner.connect()
  theirs = await fillTables(app.kernel.urls.owner, 'theirs')
  const path = join(app.kernel.config.data, 'upload')
  await writeFile(path, 'A short text.')
  probe = { app, theirs, upload: { filename: 'text.txt', mediaType: 'text/plain', path, size: 13 } }
})
afterAll(async () => {
  await owner.end()
  await app.close()
})

const authenticate = (authorization: string | undefined, host = 'localhost') =>
  app.kernel.services.authenticator.authenticate({ authorization, cookie: undefined, host, tenant: undefined })

/** A row a line, of everything a tenant has, as the owner of the server sees it. */
async function everythingOf(tenant: string): Promise<Map<string, string>> {
  const rows = new Map<string, string>()
  for (const { name } of declaredTables) {
    const found = await owner.query<{ id: string; line: string }>(
      `select id, row::text as line from ${name} as row where ${name === 'tenants' ? 'id' : 'tenant_id'} = $1`,
      [tenant],
    )
    for (const { id, line } of found.rows) rows.set(`${name} ${id}`, line)
  }
  return rows
}

test('the tenant has a row in every table', async () => {
  const everything = [...(await everythingOf(theirs.tenant)).keys()].map((key) => key.split(' ')[0])
  expect(declaredTables.map(({ name }) => name).filter((name) => !everything.includes(name))).toEqual([])
})

describe('every operation', () => {
  test("asked by another tenant's administrator reads, changes and tells nothing", async () => {
    const stranger = await app.addPerson(await app.addTenant('ours'), 'stranger@example.com', ['admin'])
    const before = await everythingOf(theirs.tenant)
    expect(await probeAll(probe, await authenticate(`Bearer ${stranger.token}`))).toEqual([])
    expect(await everythingOf(theirs.tenant)).toEqual(before)
  })

  test('asked by nobody reads, changes and tells nothing, at the address of the tenant either', async () => {
    const before = await everythingOf(theirs.tenant)
    expect(await probeAll(probe, await authenticate(undefined))).toEqual([])
    expect(await everythingOf(theirs.tenant)).toEqual(before)
    const there = await authenticate(undefined, 'theirs.example.com')
    expect(await probeAll(probe, there, (table) => shownAtTheAddress.includes(table))).toEqual([])
    // Whoever tries to come in leaves that they did.
    const after = await everythingOf(theirs.tenant)
    for (const [key, line] of before) expect.soft(after.get(key), key).toBe(line)
    const added = [...after.keys()].filter((key) => !before.has(key)).map((key) => key.split(' ')[0] ?? '')
    expect(added.filter((table) => !leftByTrying.includes(table))).toEqual([])
  })

  test('asked by someone of the same tenant, with whom nothing is shared, leaves what is not theirs alone', async () => {
    const colleague = await app.addPerson(theirs.tenant, 'colleague@example.com', ['manager'])
    const before = await everythingOf(theirs.tenant)
    expect(
      await probeAll(probe, await authenticate(`Bearer ${colleague.token}`), (table) =>
        [...ofTheWholeTenant, ...alsoShown].includes(table),
      ),
    ).toEqual([])
    const after = await everythingOf(theirs.tenant)
    expect(
      [...before]
        .filter(
          ([key, line]) =>
            after.get(key) !== line && !key.endsWith(colleague.id) && !key.startsWith('tenant_settings '),
        )
        .map(([key]) => key),
    ).toEqual([])
  })
})

test('credentials of people and tenants that are gone hold nowhere, and do not say why', async () => {
  const tenant = await app.addTenant('gone')
  const suspendedTenant = await app.addTenant('suspended')
  const [removed, suspended, keeper, closed] = await Promise.all([
    app.addPerson(tenant, 'removed@example.com', ['admin']),
    app.addPerson(tenant, 'suspended@example.com', ['admin']),
    app.addPerson(tenant, 'keeper@example.com', ['admin']),
    app.addPerson(suspendedTenant, 'closed@example.com', ['admin']),
  ])
  const key = async (set: string): Promise<string> => {
    const token = makeToken('vp')
    await owner.query(
      `insert into api_keys (tenant_id, user_id, name, key_hash, prefix, scopes) values ($1, $2, 'key', $3, 'vp_', '{*}')`,
      [tenant, keeper.id, hashToken(token)],
    )
    await owner.query(`update api_keys set ${set} where key_hash = $1`, [hashToken(token)])
    return token
  }
  const expiredSession = makeToken('vs')
  await owner.query(
    `insert into sessions (tenant_id, user_id, token_hash, created_at, expires_at) values ($1, $2, $3, now() - interval '2 days', now() - interval '1 day')`,
    [tenant, keeper.id, hashToken(expiredSession)],
  )
  await keeper.call('DELETE', `/v1/users/${removed.id}`)
  await keeper.call('PATCH', `/v1/users/${suspended.id}`, { suspended: true })
  await owner.query('update tenants set suspended_at = now() where id = $1', [suspendedTenant])
  const tokens = {
    removed: removed.token,
    suspended: suspended.token,
    closed: closed.token,
    expiredSession,
    revoked: await key('revoked_at = now()'),
    expired: await key(`expires_at = now() - interval '1 second'`),
    unknown: makeToken('vp'),
  }
  const replies = new Set<string>()
  for (const [kind, token] of Object.entries(tokens))
    for (const { method, path } of app.kernel.operations.values()) {
      const response = await app.http.inject({
        method,
        url: path.replaceAll(/:[a-z_]+/g, crypto.randomUUID()),
        headers: { authorization: `Bearer ${token}` },
      })
      expect.soft(response.statusCode, `${kind}: ${method} ${path}`).toBe(401)
      replies.add(comparable(response.json()))
    }
  expect(replies.size).toBe(1)
})

test('a credential does not work under the name of another tenant', async () => {
  const response = await app.http.inject({
    method: 'GET',
    url: '/v1/tenant',
    headers: { authorization: `Bearer ${app.admin.token}`, 'x-tenant-id': theirs.tenant },
  })
  expect(response.statusCode).toBe(403)
})

describe('SQL as the application, whatever an operation might do', () => {
  const run = (
    scope: { tenant: string; user: string | null; seesAll: boolean },
    statement: string,
  ): Promise<number | string> =>
    scoped(app.kernel.pool, scope, async (tx) => {
      const { rows, numAffectedRows } = await sql.raw<object>(statement).execute(tx)
      return rows.length || Number(numAffectedRows ?? 0)
    }).catch((error: { code?: string }) => error.code ?? String(error))

  test('another tenant sees, changes, removes and adds nothing', async () => {
    const tenant = await app.addTenant('others')
    const scope = { tenant, user: null, seesAll: true }
    const before = await everythingOf(theirs.tenant)
    const found: string[] = []
    for (const { name } of declaredTables) {
      const key = name === 'tenants' ? 'id' : 'tenant_id'
      const expectations: [string, (number | string)[]][] = [
        [`select * from ${name} where ${key} = '${theirs.tenant}'`, [0]],
        [`select * from ${name} where ${key} <> '${tenant}'`, [0]],
        [`select * from ${name} where id = '${theirs.ids.get(name)}'`, [0]],
        [`update ${name} set updated_at = now() where id = '${theirs.ids.get(name)}'`, [0, '42501']],
        [`update ${name} set updated_at = now() where ${key} <> '${tenant}'`, [0, '42501']],
        [`delete from ${name} where id = '${theirs.ids.get(name)}'`, [0, '42501']],
        [
          `insert into ${name} (id, ${key === 'id' ? 'name, slug' : key}) values (gen_random_uuid(), '${theirs.tenant}' ${key === 'id' ? ", 'slug'" : ''})`,
          ['42501', '23502'],
        ],
      ]
      for (const [statement, allowed] of expectations) {
        const result = await run(scope, statement)
        if (!allowed.includes(result)) found.push(`${statement}: ${result}`)
      }
    }
    expect(found).toEqual([])
    // What was refused before is written down some time later.
    const lasting = (rows: Map<string, string>) => [...rows].filter(([key]) => !key.startsWith('access_logs '))
    expect(lasting(await everythingOf(theirs.tenant))).toEqual(lasting(before))
  })

  test('a row of ours cannot hang on a row of theirs', async () => {
    const { rows: keys } = await owner.query<{ table: string; column: string; target: string }>(`
      select conrelid::regclass::text as table, attname as column, confrelid::regclass::text as target
      from pg_constraint join pg_attribute on attrelid = conrelid and attnum = conkey[2] where contype = 'f' and connamespace = 'public'::regnamespace`)
    expect(keys.length).toBeGreaterThan(0)
    const ours = await fillTables(app.kernel.urls.owner, 'hanging')
    const scope = { tenant: ours.tenant, user: ours.ids.get('users') ?? null, seesAll: true }
    for (const { table, column, target } of keys) {
      const result = await run(
        scope,
        `update ${table} set ${column} = '${theirs.ids.get(target)}' where id = '${ours.ids.get(table)}'`,
      )
      expect.soft(['23503', '42501'], `${table}.${column}: ${result}`).toContain(result)
    }
  })

  test('without a scope there is nothing', async () => {
    const client = new pg.Client({ connectionString: app.kernel.urls.app })
    await client.connect()
    for (const { name } of declaredTables)
      expect.soft((await client.query(`select from ${name}`)).rowCount, name).toBe(0)
    await client.query(`begin; select set_tenant_context('${theirs.tenant}', null, true); commit`)
    for (const { name } of declaredTables)
      expect.soft((await client.query(`select from ${name}`)).rowCount, `${name} after a scope has ended`).toBe(0)
    await expect(client.query('select from audit_logs_default')).rejects.toMatchObject({ code: '42501' })
    await client.end()
  })

  test('someone of the same tenant sees what is theirs, what is shared and what is everyone’s', async () => {
    const scope = { tenant: theirs.tenant, user: crypto.randomUUID(), seesAll: false }
    for (const { name } of declaredTables) {
      const seen = await run(scope, `select * from ${name}`)
      if (ofTheWholeTenant.includes(name)) expect.soft(seen, name).not.toBe(0)
      else expect.soft(seen, name).toBe(0)
    }
  })
})
