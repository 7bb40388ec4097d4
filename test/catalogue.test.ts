import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Field } from '../src/kit/table.ts'
import { cloneDatabase } from './database.ts'
import { declaredTables } from './declared-tables.ts'

/** Ours, and the same for every tenant: what this version can do, which everyone may read. */
const readByAll = ['permissions', 'system_roles']
/** Besides them, what was migrated is the installation's. */
const ofNoTenant = ['schema_migrations', ...readByAll]
/** The root: its own id is the tenant_id of all other rows. */
const root = 'tenants'

/** Of events, written in batches: Citus distributes no table whose policy has a subquery, and an index makes the bare setting as fast. */
const eventTables = ['access_logs', 'api_usage']
/** What a tenant belongs to lies with its reseller; only the second door writes these, and checks whose they are. */
const ofTheRoot = ['reseller_id', 'pending_reseller_id', 'subscription_plan_id', 'branding_configuration_id']

let database: Awaited<ReturnType<typeof cloneDatabase>>
let client: pg.Client

beforeAll(async () => {
  database = await cloneDatabase()
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
})
afterAll(async () => {
  await client.end()
  await database.drop()
})

const rows = async <R extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<R[]> =>
  (await client.query<R>(sql, values)).rows
const lines = async (sql: string): Promise<string[]> => (await rows<{ line: string }>(sql)).map(({ line }) => line)

const fieldsOf = (table: (typeof declaredTables)[number]): [string, Field][] =>
  (Object.entries(table.fields) as [string, Field][]).filter(([name]) => table.name !== root || name !== 'tenant_id')

/** Columns of a schema as PostgreSQL itself writes them down. */
const columnsOf = (schema: string) =>
  lines(`
    select c.relname || '.' || attname || ' ' || format_type(atttypid, atttypmod) || case when attnotnull then ' not null' else '' end
      || coalesce(' default ' || pg_get_expr(adbin, adrelid), '') as line
    from pg_attribute a join pg_class c on c.oid = attrelid left join pg_attrdef d on adrelid = attrelid and adnum = attnum
    where relnamespace = '${schema}'::regnamespace and relkind in ('r', 'p') and not relispartition and attnum > 0 and not attisdropped
      and relname <> all ('{${ofNoTenant.join(',')}}')
    order by 1`)

test('declarations and the database name the same columns, types, nullability and defaults', async () => {
  const drafts = declaredTables.map((table) => {
    const columns = fieldsOf(table).map(
      ([name, { column }]) =>
        `${name} ${column.type} ${column.nullable ? '' : 'not null'} ${column.default ? `default ${column.default}` : ''}`,
    )
    return `create table declared.${table.name} (${columns.join(', ')});`
  })
  await client.query(`create schema declared; ${drafts.join('\n')}`)
  expect(await columnsOf('public')).toEqual(await columnsOf('declared'))
})

/** Values, as SQL, at a declared limit and just beyond it. */
function probes(check: string): { inside: (string | number)[]; beyond: (string | number)[] } | undefined {
  const length = /^length\(@\) <= (\d+)$/.exec(check)
  if (length) return { inside: [`repeat('x', ${length[1]})`], beyond: [`repeat('x', ${length[1]} + 1)`] }
  const between = /^@ between (-?\d+) and (-?\d+)$/.exec(check)
  if (between) {
    const [low, high] = [Number(between[1]), Number(between[2])]
    return { inside: [low, high], beyond: [low - 1, high + 1].filter((value) => Math.abs(value) <= 2_147_483_647) }
  }
  if (check === '@ >= 0') return { inside: [0], beyond: [-1] }
  const set = /^@ in \((.*)\)$/.exec(check)
  if (set)
    return { inside: [...(set[1] ?? '').matchAll(/'[^']*'/g)].map(([value]) => value), beyond: ["'none of these'"] }
  return undefined
}

/** What only the system sets, in one form: a slug, a SHA-256. */
const ofOneForm = ['tenants.slug', 'audio_cache.cache_key', 'packages.sha256']
/** Bounded by another column of its row, or too large to try. */
const untried = ['segments.end_offset', 'chapters.text']

test('what a declaration refuses the database refuses, and what it lets through the database takes', async () => {
  const broken: string[] = []
  for (const table of declaredTables)
    for (const [name, { column }] of fieldsOf(table)) {
      if (!column.check || untried.includes(`${table.name}.${name}`)) continue
      const values = probes(column.check)
      if (!values) {
        broken.push(`${table.name}.${name}: nobody knows how to probe ${column.check}`)
        continue
      }
      const checks = await rows<{ expression: string }>(
        `select pg_get_expr(conbin, conrelid) as expression from pg_constraint, pg_attribute
         where conrelid = $1::regclass and contype = 'c' and attrelid = conrelid and attname = $2 and conkey = array[attnum]`,
        [table.name, name],
      )
      const all = checks.map(({ expression }) => `(${expression}) is not false`).join(' and ') || 'true'
      const { inside, beyond } = values
      const tried = [...inside, ...beyond].map(
        (value) => `(select ${all} from (select (${value})::${column.type} as ${name}) as ${table.name})`,
      )
      const [{ taken } = { taken: [] }] = await rows<{ taken: boolean[] }>(`select array[${tried.join(', ')}] as taken`)
      if (!ofOneForm.includes(`${table.name}.${name}`) && taken.slice(0, inside.length).includes(false))
        broken.push(`${table.name}.${name} refuses some of ${column.check}`)
      if (taken.slice(inside.length).includes(true))
        broken.push(`${table.name}.${name} takes what is beyond ${column.check}`)
    }
  expect(broken).toEqual([])
})

test("every tenant's table has row security on and forced, and one permissive policy for the application", async () => {
  const open = await lines(`
    select relname || ' row security ' || relrowsecurity || ', forced ' || relforcerowsecurity as line from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition and not (relrowsecurity and relforcerowsecurity) and relname <> all ('{${ofNoTenant.join(',')}}')`)
  expect(open).toEqual([])
  const policies = await rows<{
    tablename: string
    policyname: string
    qual: string
    with_check: string | null
    cmd: string
  }>(`
    select tablename, policyname, qual, with_check, cmd from pg_policies
    where schemaname = 'public' and permissive = 'PERMISSIVE' and roles && '{public,voicepress_app}'::name[]`)
  expect(policies.map(({ tablename, policyname }) => `${tablename} ${policyname}`).sort()).toEqual(
    declaredTables.map(({ name }) => `${name} tenant`).sort(),
  )
  for (const { tablename, qual, with_check, cmd } of policies) {
    expect.soft({ tablename, cmd, with_check }).toEqual({ tablename, cmd: 'ALL', with_check: null })
    const key = tablename === root ? 'id' : 'tenant_id'
    if (eventTables.includes(tablename)) {
      expect
        .soft(qual, tablename)
        .toBe("(tenant_id = (NULLIF(current_setting('app.current_tenant'::text, true), ''::text))::uuid)")
      continue
    }
    expect
      .soft(qual, tablename)
      .toMatch(
        new RegExp(
          `^\\(${key} = \\( SELECT (\\(NULLIF\\(current_setting\\('app.current_tenant'::text, true\\), ''::text\\)\\)::uuid AS "nullif"|current_tenant\\(\\) AS current_tenant)\\)\\)$`,
        ),
      )
  }
})

test('primary keys begin with tenant_id, and so does one index', async () => {
  const keys = await rows<{ name: string; columns: string[] }>(`
    select c.relname as name, array_agg(attname::text order by ordinality) as columns
    from pg_class c join pg_index i on indrelid = c.oid and indisprimary cross join unnest(indkey) with ordinality as k(attnum, ordinality)
      join pg_attribute a on attrelid = c.oid and a.attnum = k.attnum
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition group by 1`)
  const byName = new Map(keys.map(({ name, columns }) => [name, columns]))
  expect(
    declaredTables.filter(({ name }) => name !== root && byName.get(name)?.[0] !== 'tenant_id').map(({ name }) => name),
  ).toEqual([])
  expect(declaredTables.filter(({ name }) => !byName.get(name)?.includes('id')).map(({ name }) => name)).toEqual([])
})

test('foreign keys stay inside the tenant', async () => {
  const plain = await lines(`
    select conrelid::regclass || ' ' || pg_get_constraintdef(oid) as line from pg_constraint
    where contype = 'f' and connamespace = 'public'::regnamespace and conparentid = 0
      and not pg_get_constraintdef(oid) ~ '^FOREIGN KEY \\(tenant_id, [a-z_]+\\) REFERENCES [a-z_]+\\(tenant_id, id\\)'
      and not pg_get_constraintdef(oid) ~ '^FOREIGN KEY \\(tenant_id\\) REFERENCES ${root}\\(id\\)'
      and not (conrelid = '${root}'::regclass and pg_get_constraintdef(oid) ~ '^FOREIGN KEY \\((${ofTheRoot.join('|')})\\)')`)
  expect(plain).toEqual([])
})

test('declared references are foreign keys', async () => {
  const known = new Set(
    await lines(`
      select conrelid::regclass || '.' || attname || ' ' || confrelid::regclass as line
      from pg_constraint join pg_attribute on attrelid = conrelid and attnum = conkey[2] where contype = 'f' and connamespace = 'public'::regnamespace`),
  )
  const names = new Set<string>(declaredTables.map(({ name }) => name))
  const missing = declaredTables.flatMap((table) =>
    fieldsOf(table).flatMap(
      ([
        name,
        {
          column: { references },
        },
      ]) =>
        references && names.has(references) && !known.has(`${table.name}.${name} ${references}`)
          ? [`${table.name}.${name} → ${references}`]
          : [],
    ),
  )
  expect(missing).toEqual([])
})

test('nothing is granted to everyone, nor on a partition, and only what crosses tenants has a second door', async () => {
  const grants = `
    select c.relname, relkind, relispartition, privilege_type, coalesce(r.rolname, 'public') as grantee
    from pg_class c cross join aclexplode(coalesce(relacl, acldefault('r', relowner))) g left join pg_roles r on r.oid = g.grantee
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S') and g.grantee <> relowner`
  expect(
    await lines(
      `select relname || ' to everyone: ' || privilege_type as line from (${grants}) g where grantee = 'public'`,
    ),
  ).toEqual([])
  expect(
    await lines(`select relname || ' partition to ' || grantee as line from (${grants}) g where relispartition`),
  ).toEqual([])
  expect(await lines(`select distinct grantee as line from (${grants}) g order by 1`)).toEqual([
    'voicepress_app',
    'voicepress_auditor',
    'voicepress_platform',
    'voicepress_worker',
  ])
  expect(
    await lines(
      `select relname || ' ' || privilege_type as line from (${grants}) g where grantee = 'voicepress_app' and privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE')`,
    ),
  ).toEqual([])
  expect(await lines(`select relname as line from (${grants}) g where relname = any ('{schema_migrations}')`)).toEqual(
    [],
  )
  expect(
    await lines(
      `select relname || ' ' || privilege_type as line from (${grants}) g where relname = any ('{${readByAll.join(',')}}') and grantee = 'voicepress_app' and privilege_type <> 'SELECT'`,
    ),
  ).toEqual([])
})

test('the application owns nothing, bypasses nothing and becomes nobody', async () => {
  const [role] = await rows(
    `select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication from pg_roles where rolname = 'voicepress_app'`,
  )
  expect(role).toEqual({
    rolsuper: false,
    rolbypassrls: false,
    rolcreaterole: false,
    rolcreatedb: false,
    rolreplication: false,
  })
  expect(
    await lines(
      `select classid::regclass || ' ' || objid as line from pg_shdepend where refobjid = 'voicepress_app'::regrole and deptype = 'o'`,
    ),
  ).toEqual([])
  expect(
    await lines(`select roleid::regrole::text as line from pg_auth_members where member = 'voicepress_app'::regrole`),
  ).toEqual([])
  expect(
    await lines(`select nspname as line from pg_namespace where has_schema_privilege('voicepress_app', oid, 'create')`),
  ).toEqual([])
  expect(
    await lines(`select rolname as line from pg_roles where rolname like 'voicepress%' and (rolbypassrls or rolsuper)`),
  ).toEqual([])
})

test('views run as who asks, and nothing is materialized', async () => {
  expect(
    await lines(
      `select relname as line from pg_class where relnamespace = 'public'::regnamespace and relkind = 'v' and not coalesce('security_invoker=true' = any (reloptions) or 'security_invoker=on' = any (reloptions), false)`,
    ),
  ).toEqual([])
  expect(
    await lines(`select relname as line from pg_class where relnamespace = 'public'::regnamespace and relkind = 'm'`),
  ).toEqual([])
})

interface Door {
  owner: 'voicepress_platform' | 'voicepress_auditor' | 'voicepress_worker' | 'voicepress_owner'
  /** None: only who is a member of the owning role. */
  caller?: 'voicepress_app' | 'voicepress_worker'
  why: string
}
const crossing = { owner: 'voicepress_platform', caller: 'voicepress_app' } as const
const trails = { owner: 'voicepress_auditor', caller: 'voicepress_app' } as const
const ownTenant = { owner: 'voicepress_owner', caller: 'voicepress_app' } as const

/**
 * Functions that see more than who calls them. Those of platform, auditor and worker cross tenants; those of the owner are bound to the tenant, for
 * its policy is forced on the owner too, and see past the rules of projects only.
 */
const doors: Record<string, Door> = {
  find_credential: { ...crossing, why: 'whom a token that the caller holds belongs to' },
  lock_audit_chain: { ...trails, why: "the end of the tenant's own chain" },
  seal_audit_logs: { ...trails, why: 'goes on with that chain and changes nothing else of an entry' },
  unsealed_tenants: { ...trails, why: 'ids of tenants whose entries wait to be sealed' },
  tenants_with_due_requests: { ...trails, why: 'ids of tenants that have requests to look after' },
  known_erasures: { ...trails, why: 'which of the ids that the caller holds are erasures' },
  erase_kept: {
    ...trails,
    why: 'empties what somebody left in the trails, when their erasure stands in the ledger of the tenant',
  },
  take_quota: { ...crossing, why: "the current tenant's own limit and its use, of which a person sees a part" },
  quota_used: { ...crossing, why: "the current tenant's own use" },
  tenant_facts: { ...crossing, why: 'plan, state and suspension of a tenant whose id the caller holds' },
  find_address: { ...crossing, why: 'the id of the tenant that an address leads to' },
  lease_requests: { ...crossing, why: "takes requests out of a tenant's bucket" },
  offered_plans: { ...crossing, why: 'plans that the system and the reseller offer to the current tenant' },
  branding_layers: { ...crossing, why: "how the current tenant looks, by its reseller's choice and its own" },
  claim_domain: { ...crossing, why: 'gives the current tenant a domain whose proof was found' },
  release_domain: { ...crossing, why: "gives up the current tenant's domain" },
  managed_accounts: { ...crossing, why: 'accounts of the reseller whose office asks' },
  account_usage: { ...crossing, why: 'use of such an account, written down on its side' },
  open_account: { ...crossing, why: 'makes such an account' },
  change_account: { ...crossing, why: 'changes such an account, written down on its side' },
  suspend_account: { ...crossing, why: 'suspends such an account, written down on its side' },
  offer_account: { ...crossing, why: 'offers such an account to another reseller' },
  accept_account: { ...crossing, why: 'takes over an account that was offered' },
  account_statement: { ...crossing, why: 'sums of such accounts, written down on their side' },
  managed_resellers: { ...crossing, why: 'resellers, for the platform' },
  open_reseller: { ...crossing, why: 'makes a reseller, for the platform' },
  change_reseller: { ...crossing, why: 'changes a reseller, for the platform' },
  synchronize_permissions: {
    owner: 'voicepress_platform',
    why: 'a start writes down for every tenant what this version can do',
  },
  make_tenant: { owner: 'voicepress_platform', why: 'the first start makes a tenant' },
  queue_length: { owner: 'voicepress_worker', caller: 'voicepress_app', why: "a number, and nobody's" },
  schedule_job: {
    owner: 'voicepress_platform',
    caller: 'voicepress_worker',
    why: 'the clock starts a job in every tenant',
  },
  revise_segment: { ...ownTenant, why: 'whoever comments may ask for a line again, and change nothing else of it' },
  managed_projects: { ...ownTenant, why: 'the policy of shares asks for projects, and that of projects for shares' },
}
/** Called by the table that they are a trigger of. */
const triggers: Record<string, string> = {
  enqueue_job: 'voicepress_worker',
  enqueue_event: 'voicepress_worker',
  seed_roles: 'voicepress_platform',
}

test('functions that see more fix their search path and are called by those named here', async () => {
  const definers = await rows<{ name: string; settings: string[] | null; owner: string; callers: string[] }>(`
    select proname as name, proconfig as settings, proowner::regrole::text as owner,
      array(select coalesce(r.rolname, 'public')::text from aclexplode(coalesce(proacl, acldefault('f', proowner))) g left join pg_roles r on r.oid = g.grantee where g.grantee <> proowner order by 1) as callers
    from pg_proc where pronamespace = 'public'::regnamespace and prosecdef`)
  expect(definers.map(({ name }) => name).toSorted()).toEqual(
    [...Object.keys(doors), ...Object.keys(triggers)].toSorted(),
  )
  for (const { name, settings, owner, callers } of definers) {
    const path = settings?.find((setting) => setting.startsWith('search_path='))
    expect.soft(path?.endsWith(', pg_temp'), `${name} has a search path that ends in pg_temp`).toBe(true)
    expect.soft({ name, owner, callers }).toEqual({
      name,
      owner: doors[name]?.owner ?? triggers[name],
      callers: doors[name]?.caller ? [doors[name].caller] : [],
    })
  }
})
