import pg from 'pg'
import type { Field, Table } from '../src/kit/table.ts'
import { declaredTables } from './declared-tables.ts'

export interface Planted {
  table: string
  column: string
  /** Stands in the row, and nowhere else but where it came from. */
  marker: string
  isSecret: boolean
  /** The row names the person, and doesn't merely mention them. */
  isNamed: boolean
  isKept: boolean
}

const fieldsOf = (table: Table): [string, Field][] => Object.entries(table.fields)
const hex = (length: number): string =>
  [...crypto.getRandomValues(new Uint8Array(length))].map((byte) => (byte % 16).toString(16)).join('')

/** Forms that a declaration leaves to the database. */
const forms: Record<string, () => unknown> = {
  'audio_cache.cache_key': () => hex(64),
  'packages.sha256': () => hex(64),
  'projects.id': () => crypto.randomUUID(),
  'api_usage.status_code': () => 200,
  'gdpr_requests.request_type': () => 'rectification',
}

/** The least that a column takes. */
function least(table: Table, name: string, { column }: Field): unknown {
  const form = forms[`${table.name}.${name}`]
  if (form) return form()
  const [, value] = / in \('([^']*)'/.exec(column.check ?? '') ?? []
  if (value !== undefined) return value
  if (column.type === 'uuid') return crypto.randomUUID()
  if (column.type === 'text') return `x${hex(20)}`.slice(0, Number(/<= (\d+)/.exec(column.check ?? '')?.[1] ?? 50))
  if (column.type === 'timestamptz') return '2999-01-01T00:00:00Z'
  if (column.type === 'boolean') return false
  if (column.type === 'jsonb') return '{}'
  if (column.type === 'text[]') return ['x']
  if (column.type === 'inet') return '192.0.2.1'
  return Number(/between (-?\d+)/.exec(column.check ?? '')?.[1] ?? 0)
}

/**
 * Plants a person everywhere: in each declared table one row for each column that may name them, every personal column of it holding a mark.
 * Generated from declarations, so that a table that is added later can't be forgotten. As the superuser, past row security and foreign keys.
 */
export async function plantPerson(
  url: string,
  person: { id: string; tenant: string; email: string; login: string },
  putFile: (name: string, text: string) => Promise<unknown>,
): Promise<Planted[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const planted: Planted[] = []
  const mark = `planted${hex(6)}`
  try {
    await client.query(`begin; set local session_replication_role = replica`)
    for (const table of declaredTables)
      for (const [naming, { privacy }] of fieldsOf(table)) {
        if (!privacy.names) continue
        const { by, erasure } = privacy.names
        const isKept = typeof erasure !== 'string'
        const row: Record<string, unknown> = {}
        for (const [name, field] of fieldsOf(table)) {
          const { column, privacy: own, access } = field
          const marker = `${mark}-${naming}-${name}-${table.name}`.slice(
            0,
            Number(/<= (\d+)/.exec(column.check ?? '')?.[1] ?? 100),
          )
          const note = (text: string) =>
            void planted.push({
              table: table.name,
              column: name,
              marker: text,
              isSecret: access === 'secret',
              isNamed: by !== 'mention',
              isKept,
            })
          if (name === naming)
            row[name] = {
              id: person.id,
              address: person.email,
              login: person.login,
              mention: JSON.stringify({ about: person.email, marker }),
            }[by]
          else if (name === 'tenant_id') row[name] = person.tenant
          else if (table.name === 'users' && name === 'email') row[name] = person.email
          else if (own.isBlob) {
            row[name] = `tenants/${person.tenant}/planted/${mark}-${naming}-${table.name}-${name}.bin`
            await putFile(String(row[name]), marker)
            note(marker)
          } else if (!own.isPersonal || isKept || by === 'mention') {
            if (!column.nullable && (column.default === undefined || column.default === 'acting_user()'))
              row[name] = least(table, name, field)
          } else if (column.type === 'text') {
            row[name] =
              (field.zod as { def?: { format?: string } }).def?.format === 'email'
                ? `${marker.replaceAll('_', '-')}@example.com`
                : marker
            note(String(row[name]))
          } else if (column.type === 'jsonb') {
            row[name] = JSON.stringify({ deep: [{ marker }], full_name: marker })
            note(marker)
          } else if (column.type === 'inet') row[name] = '203.0.113.77'
        }
        if (by === 'mention')
          planted.push({
            table: table.name,
            column: naming,
            marker: `${mark}-${naming}-${naming}-${table.name}`,
            isSecret: true,
            isNamed: false,
            isKept,
          })
        const columns = Object.keys(row)
        const values = columns.map((_, index) => `$${index + 1}`)
        const isOwnRow = table.name === 'users'
        const statement = isOwnRow
          ? `update users set ${columns.map((name, index) => `${name} = $${index + 1}`).join(', ')} where id = '${person.id}'`
          : `insert into ${table.name} (${columns.join(', ')}) values (${values.join(', ')}) on conflict do nothing`
        await client
          .query(
            statement,
            columns.map((name) => row[name]),
          )
          .catch((error: Error) => {
            throw new Error(
              `nobody could be planted in ${table.name}: ${error.message}; add what it needs to test/plant-person.ts`,
            )
          })
      }
    await client.query('commit')
    return planted
  } finally {
    await client.end()
  }
}

/** Rows of any table of ours, declared or not, that hold one of these texts. */
export async function findTexts(url: string, texts: string[]): Promise<string[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `select c.oid::regclass::text as name from pg_class c where relnamespace in ('public'::regnamespace, 'graphile_worker'::regnamespace) and relkind in ('r', 'p') and not relispartition`,
    )
    const found: string[] = []
    for (const { name } of tables) {
      const { rows } = await client.query<{ line: string }>(
        `select row::text as line from ${name} as row where exists (select from unnest($1::text[]) as text where position(lower(text) in lower(row::text)) > 0)`,
        [texts],
      )
      found.push(...rows.map(({ line }) => `${name}: ${line}`))
    }
    return found
  } finally {
    await client.end()
  }
}
