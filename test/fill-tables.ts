import pg from 'pg'
import type { z } from 'zod'
import type { Field } from '../src/kit/table.ts'
import { declaredTables } from './declared-tables.ts'
import { sampleOf } from './sample-input.ts'

export interface Filled {
  tenant: string
  /** The id of the row, by table. */
  ids: Map<string, string>
  /** Texts that stand in the rows and nowhere else. */
  secrets: string[]
}

const hex = (length: number): string =>
  [...crypto.getRandomValues(new Uint8Array(length))].map((byte) => (byte % 16).toString(16)).join('')

/** Forms that a declaration leaves to the database. */
const forms: Record<string, () => unknown> = {
  'sessions.token_hash': () => hex(64),
  'api_keys.key_hash': () => hex(64),
  'audio_cache.cache_key': () => hex(64),
  'packages.sha256': () => hex(64),
  'users.roles': () => ['admin'],
  'invitations.roles': () => ['viewer'],
  'api_usage.status_code': () => 200,
  'jobs.status': () => 'completed',
  'segments.end_offset': () => 10,
}

/** A row of a tenant in every declared table, so that a table that is added later cannot be forgotten. References are followed; the rest is made up. */
export async function fillTables(
  url: string,
  slug: string,
  given: Record<string, Record<string, unknown>> = {},
): Promise<Filled> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const references = await referencesOf(client)
    const tenant: string = crypto.randomUUID()
    const ids = new Map<string, string>(
      declaredTables.map(({ name }) => [name, name === 'tenants' ? tenant : crypto.randomUUID()]),
    )
    const secrets: string[] = []
    await client.query(`begin; set local session_replication_role = replica`)
    await client.query(`select set_tenant_context($1, null, true)`, [tenant])
    await client.query('select make_tenant($1, $2, $3)', [`name of ${slug}`, slug, tenant])
    for (const table of inOrder(references)) {
      if (table.name === 'tenants') continue
      // Some come with the tenant: its one row of settings is taken, its roles get one more.
      const own = await client.query<{ id: string }>(`select id from ${table.name} where tenant_id = $1`, [tenant])
      if (own.rowCount === 1) {
        ids.set(table.name, own.rows[0]?.id ?? '')
        continue
      }
      const row: Record<string, unknown> = { id: ids.get(table.name), tenant_id: tenant }
      for (const [name, field] of Object.entries(table.fields as Record<string, Field>)) {
        if (name in row) continue
        const value = given[table.name]?.[name] ?? valueOf(table.name, name, field, references, ids, secrets)
        if (value !== undefined) row[name] = field.column.type === 'jsonb' ? JSON.stringify(value) : value
      }
      const columns = Object.keys(row)
      const marks = columns.map((_, index) => `$${index + 1}`)
      await client
        .query(`insert into ${table.name} (${columns.join(', ')}) values (${marks.join(', ')})`, Object.values(row))
        .catch((error: Error) => {
          throw new Error(
            `no row could be made for ${table.name}: ${error.message}; add what it needs to test/fill-tables.ts`,
          )
        })
    }
    await client.query('commit')
    return { tenant, ids, secrets }
  } finally {
    await client.end()
  }
}

function valueOf(
  table: string,
  name: string,
  field: Field,
  references: Map<string, string>,
  ids: Map<string, string>,
  secrets: string[],
): unknown {
  const { column } = field
  const form = forms[`${table}.${name}`]
  if (form) return form()
  if (column.type === 'uuid') {
    const target = references.get(`${table}.${name}`) ?? likelyTable(name)
    return target ? ids.get(target) : column.nullable ? undefined : crypto.randomUUID()
  }
  if (column.type === 'text' && !column.check?.includes(' in (')) {
    const secret = `${hex(8)}-${table}-${name}`
      .replaceAll('_', '-')
      .slice(0, Number(/<= (\d+)/.exec(column.check ?? '')?.[1] ?? 100))
    if (secret.length >= 8) secrets.push(secret)
    return name === 'email' || name.endsWith('_email') ? `${secret}@example.com` : secret
  }
  if (column.type === 'inet') return '192.0.2.7'
  // Times that tell of an end — removed, revoked, suspended — would hide the row from us.
  if (column.default !== undefined || (column.nullable && column.type === 'timestamptz')) return undefined
  if (column.type === 'timestamptz') return '2999-01-01T00:00:00Z'
  return sampleOf(field.zod as z.ZodType)
}

/** For ids without a foreign key: 'user_id' is of users, 'job_id' of jobs. */
export function likelyTable(name: string): string | undefined {
  if (/^(owner_id|shared_by|created_by)$/.test(name)) return 'users'
  const singular = name.replace(/_id$/, '').replaceAll('_', ' ')
  return declaredTables.find((table) => table.singular.toLowerCase() === singular || table.name === `${singular}s`)
    ?.name
}

/** 'chapters.project_id' → 'projects'. */
async function referencesOf(client: pg.Client): Promise<Map<string, string>> {
  const { rows } = await client.query<{ of: string; to: string }>(`
    select conrelid::regclass || '.' || attname as of, confrelid::regclass::text as to
    from pg_constraint join pg_attribute on attrelid = conrelid and attnum = conkey[2] where contype = 'f' and connamespace = 'public'::regnamespace`)
  return new Map(rows.map(({ of, to }) => [of, to]))
}

/** What is referred to before what refers to it. */
function inOrder(references: Map<string, string>): typeof declaredTables {
  const done: typeof declaredTables = []
  const visit = (table: (typeof declaredTables)[number]) => {
    if (done.includes(table)) return
    for (const [of, to] of references) {
      const target = declaredTables.find(({ name }) => name === to)
      if (of.startsWith(`${table.name}.`) && target && target !== table) visit(target)
    }
    done.push(table)
  }
  declaredTables.forEach(visit)
  return done
}
