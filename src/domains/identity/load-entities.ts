import type { CedarValueJson, EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import { type RawBuilder, sql } from 'kysely'
import type { Tx } from '../../kit/database.ts'
import type { Resource, Shares } from './describe-resources.ts'

type Row = Record<string, unknown>

const person = (id: unknown): CedarValueJson => ({ __entity: { type: 'User', id: String(id) } })

function attribute(type: string, value: unknown): CedarValueJson {
  if (type === 'datetime') return { __extn: { fn: 'datetime', arg: new Date(value as string).toISOString() } }
  if (type === 'Long') return Number(value)
  return value as CedarValueJson
}

/**
 * A row as a rule sees it, with those attributes that are wanted; undefined where the caller sees none: what is hidden and what is not there are
 * the same. One statement, because planning costs more than reading.
 */
export async function loadResource(
  tx: Tx,
  resource: Resource,
  id: string,
  wanted: ReadonlySet<string>,
  resources: Map<string, Resource>,
  tenant: string,
): Promise<EntityJson | undefined> {
  const { shares, owner: ownerColumn } = resource
  const asksOwner = wanted.has('owner')
  const asksShares = shares && ['shared_with', ...shares.rights].some((name) => wanted.has(name))
  const attributes = [...resource.attributes].filter(([name]) => wanted.has(name))
  const columns = new Set([
    ...attributes.map(([name]) => name),
    ...resource.parents.map(({ column }) => column),
    ...(asksOwner && ownerColumn ? [ownerColumn] : []),
  ])
  const { rows } = await sql<Row>`
    select ${sql.join([
      sql`true as here`,
      ...[...columns].map((name) => sql.ref(name)),
      ...(asksOwner
        ? [
            sql`(select owner_id from resource_ownership where resource_type = ${resource.table} and resource_id = ${id}::uuid) as "owner elsewhere"`,
          ]
        : []),
      ...(asksShares ? [sharesAs(resource, shares)] : []),
    ])} from ${sql.table(resource.table)} where id = ${id}::uuid`.execute(tx)
  const [row] = rows
  if (!row) return undefined
  const attrs: Record<string, CedarValueJson> = {}
  for (const [name, { type }] of attributes) if (row[name] != null) attrs[name] = attribute(type, row[name])
  const owner = row['owner elsewhere'] ?? (ownerColumn && row[ownerColumn])
  if (asksOwner && owner) attrs.owner = person(owner)
  if (asksShares) {
    const shared = (row.shares ?? []) as Row[]
    attrs.shared_with = shared.map(({ user_id }) => person(user_id))
    for (const right of shares.rights)
      attrs[right] = shared.filter((share) => share[right]).map(({ user_id }) => person(user_id))
  }
  const above = resource.parents.flatMap(({ column, resource: parent }) => {
    const type = resources.get(parent)?.type
    return type && row[column] ? [{ type, id: String(row[column]) }] : []
  })
  return { uid: { type: resource.type, id }, attrs, parents: [{ type: 'Tenant', id: tenant }, ...above] }
}

function sharesAs({ table }: Resource, shares: Shares): RawBuilder<unknown> {
  const columns = sql.join(['user_id', ...shares.rights].flatMap((name) => [sql.lit(name), sql.ref(`share.${name}`)]))
  return sql`(
    select jsonb_agg(jsonb_build_object(${columns})) from ${sql.table(shares.table)} as share
    where ${sql.ref(`share.${shares.column}`)} = ${sql.ref(`${table}.${shares.of}`)} and ${shares.isRevocable ? sql`share.revoked_at is null` : sql`true`}) as shares`
}

/** Whoever asks: the roles as parents and, where they are wanted, what the row of `users` says, and its attributes as tags. */
export async function loadPrincipal(
  tx: Tx,
  users: Resource,
  id: string,
  wanted: ReadonlySet<string>,
  tenant: string,
  roles: readonly string[],
): Promise<EntityJson> {
  const plain = principalWithRoles(id, tenant, roles)
  const attributes = [...users.attributes].filter(([name]) => name !== 'roles' && wanted.has(name))
  const asksTags = wanted.has('getTag') || wanted.has('hasTag')
  if (attributes.length === 0 && !asksTags) return plain
  const { rows } = await sql<
    Row & { attributes: Record<string, string> }
  >`select ${sql.join(['attributes', ...attributes.map(([name]) => name)].map((name) => sql.ref(name)))} from users where id = ${id}::uuid`.execute(
    tx,
  )
  const attrs: Record<string, CedarValueJson> = { ...plain.attrs }
  for (const [name, { type }] of attributes) if (rows[0]?.[name] != null) attrs[name] = attribute(type, rows[0][name])
  return { ...plain, attrs, ...(asksTags && { tags: rows[0]?.attributes ?? {} }) }
}

export const principalWithRoles = (id: string, tenant: string, roles: readonly string[]): EntityJson => ({
  uid: { type: 'User', id },
  attrs: { roles: [...roles] },
  parents: [{ type: 'Tenant', id: tenant }, ...roles.map((role) => ({ type: 'Role', id: role }))],
})
