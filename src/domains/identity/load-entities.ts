import type { CedarValueJson, EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import { sql } from 'kysely'
import type { Tx } from '../../kit/database.ts'
import type { Resource } from './describe-resources.ts'

type Row = Record<string, unknown>

const person = (id: unknown): CedarValueJson => ({ __entity: { type: 'User', id: String(id) } })

function attribute(type: string, value: unknown): CedarValueJson {
  if (type === 'datetime') return { __extn: { fn: 'datetime', arg: new Date(value as string).toISOString() } }
  if (type === 'Long') return Number(value)
  return value as CedarValueJson
}

/** A row as a rule sees it, or undefined where the caller sees none: what is hidden and what is not there are the same. */
export async function loadResource(tx: Tx, resource: Resource, id: string, resources: Map<string, Resource>, tenant: string): Promise<EntityJson | undefined> {
  const { shares, owner: ownerColumn } = resource
  const columns = [...new Set(['id', ...resource.attributes.keys(), ...(ownerColumn ? [ownerColumn] : [])])].map((name) => sql.ref(name))
  // Sent together: the connection is a pipeline.
  const [rows, owned, shared] = await Promise.all([
    sql<Row>`select ${sql.join(columns)} from ${sql.table(resource.table)} where id = ${id}::uuid`.execute(tx),
    sql<{ owner_id: string }>`select owner_id from resource_ownership where resource_type = ${resource.table} and resource_id = ${id}::uuid`.execute(tx),
    shares
      ? sql<Row>`
          select user_id, ${sql.join(shares.rights.map((right) => sql.ref(right)))} from ${sql.table(shares.table)}
          where ${sql.ref(shares.column)} = (select ${sql.ref(shares.of)} from ${sql.table(resource.table)} where id = ${id}::uuid) and ${shares.isRevocable ? sql`revoked_at is null` : sql`true`}`.execute(tx)
      : undefined,
  ])
  const [row] = rows.rows
  if (!row) return undefined
  const attrs: Record<string, CedarValueJson> = {}
  for (const [name, { type }] of resource.attributes) if (row[name] != null) attrs[name] = attribute(type, row[name])
  const owner = owned.rows[0]?.owner_id ?? (ownerColumn && row[ownerColumn])
  if (owner) attrs.owner = person(owner)
  if (shares) {
    const sharedRows = shared?.rows ?? []
    attrs.shared_with = sharedRows.map(({ user_id }) => person(user_id))
    for (const right of shares.rights) attrs[right] = sharedRows.filter((share) => share[right]).map(({ user_id }) => person(user_id))
  }
  const above = resource.parents.flatMap(({ column, resource: parent }) => {
    const type = resources.get(parent)?.type
    return type && row[column] ? [{ type, id: String(row[column]) }] : []
  })
  return { uid: { type: resource.type, id }, attrs, parents: [{ type: 'Tenant', id: tenant }, ...above] }
}

/** Whoever asks: the row of `users`, the roles as parents, the attributes as tags. */
export async function loadPrincipal(tx: Tx, users: Resource, id: string, tenant: string, roles: readonly string[]): Promise<EntityJson> {
  const columns = [...users.attributes.keys(), 'attributes'].map((name) => sql.ref(name))
  const { rows } = await sql<Row & { attributes: Record<string, string> }>`select ${sql.join(columns)} from users where id = ${id}::uuid`.execute(tx)
  const attrs: Record<string, CedarValueJson> = {}
  for (const [name, { type }] of users.attributes) if (rows[0]?.[name] != null) attrs[name] = attribute(type, rows[0][name])
  return { ...principalWithRoles(id, tenant, roles), attrs: { ...attrs, roles: [...roles] }, tags: rows[0]?.attributes ?? {} }
}

export const principalWithRoles = (id: string, tenant: string, roles: readonly string[]): EntityJson => ({
  uid: { type: 'User', id },
  attrs: {},
  parents: [{ type: 'Tenant', id: tenant }, ...roles.map((role) => ({ type: 'Role', id: role }))],
})
