import { sql } from 'kysely'
import type { z } from 'zod'
import type { Tx } from '../../kit/database.ts'
import type { Field } from '../../kit/table.ts'
import type { report } from './compliance.table.ts'
import { type PersonKeys, type Subject, anyOf, names } from './person-data.ts'

/** What only `erase_kept` can empty: the application may not. */
const keptByTheDatabase = ['audit_logs', 'access_logs', 'resellers']
/** Shorter ones stand everywhere. */
const shortestWord = 4
/** The audit trail cuts longer texts. */
const longestInTrail = 200

interface Found extends Record<string, unknown> {
  id: string
}

interface Plan {
  subject: Subject
  erasure: 'delete' | 'pseudonymise' | 'keep'
  rows: Found[]
}

const ruleOf = ({ erasure }: Subject['namings'][number]): Plan['erasure'] =>
  typeof erasure === 'string' ? erasure : 'keep'

/** All rows about a person with what is to become of each; the harder rule holds where a row names them twice. */
export async function planErasure(tx: Tx, subjects: Subject[], person: PersonKeys): Promise<Plan[]> {
  const plans: Plan[] = []
  for (const subject of subjects) {
    const { table, personal, blobs } = subject
    const columns = [...new Set(['id', ...personal, ...blobs])].map((name) => sql.ref(name))
    const taken = new Set<string>()
    for (const erasure of ['delete', 'pseudonymise', 'keep'] as const) {
      const namings = subject.namings.filter((naming) => ruleOf(naming) === erasure)
      if (namings.length === 0) continue
      // Of what is only counted no more is read.
      const wanted = erasure === 'keep' || keptByTheDatabase.includes(table.name) ? [sql.ref('id')] : columns
      const where = anyOf(namings.map((naming) => names(naming, person)))
      const { rows } =
        await sql<Found>`select ${sql.join(wanted)} from ${sql.table(table.name)} where ${where}`.execute(tx)
      plans.push({ subject, erasure, rows: rows.filter(({ id }) => !taken.has(id)) })
      for (const { id } of rows) taken.add(id)
    }
  }
  return plans
}

/** Names of files that go with the rows. */
export const filesOf = (plans: Plan[]): string[] =>
  plans.flatMap(({ subject, erasure, rows }) =>
    erasure === 'keep'
      ? []
      : rows.flatMap((row) =>
          subject.blobs
            .filter((name) => erasure === 'delete' || subject.personal.includes(name))
            .flatMap((name) => (row[name] as string | null) ?? []),
        ),
  )

/** What the rows say, to be found again in the audit trail. */
function wordsOf(plans: Plan[]): string[] {
  const words = new Set<string>()
  for (const { subject, erasure, rows } of plans)
    if (erasure !== 'keep')
      for (const row of rows)
        for (const name of subject.personal) {
          const value = row[name]
          if (
            subject.table.fields[name]?.column.type !== 'text' ||
            typeof value !== 'string' ||
            value.length < shortestWord
          )
            continue
          words.add(value)
          if (value.length > longestInTrail) words.add(`${value.slice(0, longestInTrail)}…`)
        }
  return [...words]
}

/** What their account said of them before, as the trail of its changes has it. */
async function formerWords(tx: Tx, { id }: PersonKeys, { personal }: Subject): Promise<string[]> {
  const { rows } = await sql<{ word: string }>`
    select distinct value as word from audit_logs cross join lateral (values (details -> 'before'), (details -> 'after')) as side (held) cross join lateral jsonb_each_text(held)
    where resource_type = 'users' and resource_id = ${id}::uuid and jsonb_typeof(held) = 'object' and key = any(${personal}) and length(value) >= ${shortestWord}`.execute(
    tx,
  )
  return rows.map(({ word }) => word)
}

/** What stands in a personal column when nobody is meant any more. */
function emptied(name: string, { column, zod }: Field) {
  if (column.nullable) return sql`${sql.ref(name)} = null`
  if (column.default) return sql`${sql.ref(name)} = ${sql.raw(column.default)}`
  if (column.type === 'jsonb') return sql`${sql.ref(name)} = '{}'`
  if (column.type === 'text[]') return sql`${sql.ref(name)} = '{}'`
  if (column.type === 'inet') return sql`${sql.ref(name)} = '0.0.0.0'`
  const isAddress = (zod as { def?: { format?: string } }).def?.format === 'email'
  return isAddress ? sql`${sql.ref(name)} = id || '@removed.invalid'` : sql`${sql.ref(name)} = 'removed'`
}

async function empty(tx: Tx, { table, personal }: Subject, ids: string[]): Promise<void> {
  const changes = personal.map((name) => emptied(name, table.fields[name] as Field))
  // Their account is closed; the row stays for what refers to it.
  if (table.name === 'users') changes.push(sql`deleted_at = coalesce(deleted_at, now())`, sql`email_verified = false`)
  await sql`update ${sql.table(table.name)} set ${sql.join(changes)}, updated_at = now() where id = any(${ids}::uuid[])`.execute(
    tx,
  )
}

/**
 * Carries a plan out, in one transaction of somebody who sees all. `erasure` is its row in the ledger. The audit trail says of each row that
 * it was erased, and not what it held.
 */
export async function carryOut(
  tx: Tx,
  plans: Plan[],
  person: PersonKeys,
  erasure: string,
): Promise<z.output<typeof report>> {
  await sql`select set_config('app.erasing', 'on', true)`.execute(tx)
  const account = plans.find(({ subject }) => subject.table.name === 'users')?.subject
  const words = [...wordsOf(plans), ...(account ? await formerWords(tx, person, account) : [])]
  const subjects = plans.flatMap(({ subject, erasure, rows }) =>
    erasure === 'keep' || keptByTheDatabase.includes(subject.table.name) ? [] : rows.map(({ id }) => id),
  )
  for (const { subject, erasure, rows } of plans) {
    if (rows.length === 0 || erasure === 'keep' || keptByTheDatabase.includes(subject.table.name)) continue
    const ids = rows.map(({ id }) => id)
    if (erasure === 'delete')
      await sql`delete from ${sql.table(subject.table.name)} where id = any(${ids}::uuid[])`.execute(tx)
    else await empty(tx, subject, ids)
  }
  await sql`select erase_kept(${erasure}::uuid, ${person.address}, ${[...subjects, person.id]}::uuid[], ${words}::text[])`.execute(
    tx,
  )
  return reportOf(plans)
}

function reportOf(plans: Plan[]): z.output<typeof report> {
  const tables = [...Map.groupBy(plans, ({ subject }) => subject)].map(([subject, ofTable]) => {
    const count = (erasure: Plan['erasure']) =>
      ofTable.filter((plan) => plan.erasure === erasure).reduce((sum, { rows }) => sum + rows.length, 0)
    const counts = { deleted: count('delete'), pseudonymised: count('pseudonymise'), kept: count('keep') }
    const because = counts.kept
      ? subject.namings.flatMap(({ erasure }) => (typeof erasure === 'string' ? [] : [erasure.keep]))
      : []
    return {
      table: subject.table.name,
      found: counts.deleted + counts.pseudonymised + counts.kept,
      ...counts,
      because: [...new Set(because)],
    }
  })
  return { tables: tables.filter(({ found }) => found > 0), files: filesOf(plans).length }
}
