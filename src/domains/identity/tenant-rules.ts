import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import { sql } from 'kysely'
import type pg from 'pg'
import { type Tx, scoped } from '../../kit/database.ts'
import { type Asked, type KeptPolicy, type Slice, peopleNamed, sliceFor } from './evaluate-policies.ts'

/** What a tenant has decided about who may do what. */
export interface TenantRules {
  version: string
  /** Patterns by role. */
  roles: ReadonlyMap<string, readonly string[]>
  policies: readonly KeptPolicy[]
  /** Those that may speak about it; null when there are none, which is remembered too. */
  slice(asked: Asked): Slice | null
}

export interface RuleBook {
  /** Read again when it is older than what a credential is believed for. `tx` where the caller holds a connection already: waiting for another could wait forever. */
  of(tenant: string, tx?: Tx): Promise<TenantRules>
  /** Without asking the database; undefined where that is needed. */
  known(tenant: string): TenantRules | undefined
  forget(tenant: string): void
}

/** The longest that a rule which was changed in another process still holds in this one. */
const believed = 5_000
const tenantsKept = 2_000
const slicesKept = 5_000

export function openRuleBook(pool: pg.Pool): RuleBook {
  const kept = new Map<string, { rules: TenantRules; until: number }>()
  /** Counts what was forgotten, so that what was read before a change is not kept after it. */
  const forgotten = new Map<string, number>()
  const known = (tenant: string): TenantRules | undefined => {
    const one = kept.get(tenant)
    return one && one.until > Date.now() ? one.rules : undefined
  }
  async function read(tenant: string, tx: Tx): Promise<TenantRules> {
    const before = forgotten.get(tenant)
    const version = await versionOf(tx)
    const last = kept.get(tenant)?.rules
    const rules = last?.version === version ? last : await readRules(tx, version)
    if (forgotten.get(tenant) === before) {
      if (kept.size >= tenantsKept) kept.clear()
      kept.set(tenant, { rules, until: Date.now() + believed })
    }
    return rules
  }
  return {
    known,
    async of(tenant, tx) {
      return (
        known(tenant) ??
        (tx ? read(tenant, tx) : scoped(pool, { tenant, user: null, seesAll: true }, (own) => read(tenant, own), true))
      )
    },
    forget(tenant) {
      if (forgotten.size >= tenantsKept) forgotten.clear()
      forgotten.set(tenant, (forgotten.get(tenant) ?? Math.random()) + 1)
      kept.delete(tenant)
    },
  }
}

/** Changes with every row that is made, changed or removed, in whatever order transactions commit. */
async function versionOf(tx: Tx): Promise<string> {
  const { rows } = await sql<{ version: string }>`
    select md5(coalesce(string_agg(line, ',' order by line), '')) as version from (
      select id || ' ' || xmin from roles union all select id || ' ' || xmin from role_permissions union all select id || ' ' || xmin from access_control_policies) as changed (line)`.execute(
    tx,
  )
  return rows[0]?.version ?? ''
}

async function readRules(tx: Tx, version: string): Promise<TenantRules> {
  const [roles, policies] = await Promise.all([
    sql<{ name: string; permissions: string[] }>`
      select name, array(select permission from role_permissions where (role_permissions.tenant_id, role_id) = (roles.tenant_id, roles.id) order by permission) as permissions from roles`.execute(
      tx,
    ),
    tx
      .selectFrom('access_control_policies')
      .select(['id', 'name', 'policy_definition'])
      .where('enabled', '=', true)
      .orderBy('id')
      .execute(),
  ])
  return rulesOf(
    version,
    new Map(roles.rows.map(({ name, permissions }) => [name, permissions])),
    policies.map(({ id, name, policy_definition }) => ({
      id,
      name,
      definition: policy_definition as unknown as PolicyJson,
    })),
  )
}

export function rulesOf(
  version: string,
  roles: ReadonlyMap<string, readonly string[]>,
  policies: KeptPolicy[],
): TenantRules {
  const named = peopleNamed(policies)
  const slices = new Map<string, Slice | null>()
  return {
    version,
    roles,
    policies,
    slice(asked) {
      if (policies.length === 0) return null
      const key = `${version} ${asked.tenant} ${asked.action} ${asked.roles.toSorted().join(',')} ${named.has(asked.user) ? asked.user : ''}`
      let slice = slices.get(key)
      if (slice === undefined) {
        if (slices.size >= slicesKept) slices.clear()
        slice = sliceFor(policies, asked, key)
        slices.set(key, slice)
      }
      return slice
    },
  }
}
