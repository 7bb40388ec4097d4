import { type RawBuilder, sql } from 'kysely'
import type { Tx } from '../../kit/database.ts'
import { notFound } from '../../kit/errors.ts'
import type { Kernel } from '../../kit/kernel.ts'
import type { Context } from '../../kit/operation.ts'
import { events, idempotencyKeys } from '../../kit/outbox.table.ts'
import type { Erasure, Field, NamedBy, Table } from '../../kit/table.ts'
import { accountHash } from '../identity/limit-attempts.ts'

/** How the rows of a person are recognised. */
export interface PersonKeys {
  id: string
  address: string
  /** The keyed hash by which attempts to sign in are counted. */
  login: string
}

interface Naming {
  column: string
  by: NamedBy
  erasure: Erasure
}

/** A table that has rows about people. */
export interface Subject {
  table: Table
  namings: Naming[]
  personal: string[]
  blobs: string[]
}

const fieldsOf = (table: Table): [string, Field][] => Object.entries(table.fields)

/** Every table that says which person its rows are about. */
export function subjectsOf({ domains }: Pick<Kernel, 'domains'>): Subject[] {
  const tables = [
    ...domains.flatMap((domain) => domain.tables as Table[]),
    events as unknown as Table,
    idempotencyKeys as unknown as Table,
  ]
  return tables.flatMap((table) => {
    const fields = fieldsOf(table)
    const namings = fields.flatMap(([column, { privacy }]) => (privacy.names ? [{ column, ...privacy.names }] : []))
    const named = (what: 'isPersonal' | 'isBlob') =>
      fields.filter(([, { privacy }]) => privacy[what]).map(([name]) => name)
    return namings.length ? [{ table, namings, personal: named('isPersonal'), blobs: named('isBlob') }] : []
  })
}

/** Whether a row names the person in that column. */
export function names({ column, by }: Naming, person: PersonKeys): RawBuilder<boolean> {
  const at = sql.ref(column)
  if (by === 'id') return sql`${at} = ${person.id}::uuid`
  if (by === 'address') return sql`lower(${at}) = ${person.address}`
  if (by === 'login') return sql`${at} = ${person.login}`
  return sql`(position(${person.id} in ${at}::text) > 0 or position(${person.address} in lower(${at}::text)) > 0)`
}

export const anyOf = (conditions: RawBuilder<boolean>[]): RawBuilder<boolean> =>
  sql`(${sql.join(conditions, sql` or `)})`

export async function loadPerson(
  tx: Tx,
  of: Pick<Context, 'services' | 'principal'>,
  user: string,
): Promise<PersonKeys> {
  const { id, email } = await tx
    .selectFrom('users')
    .select(['id', 'email'])
    .where('id', '=', user)
    .executeTakeFirstOrThrow(() => notFound('user'))
  return { id, address: email.toLowerCase(), login: accountHash(of, email) }
}

export const isErased = (user: { id: string; email: string }): boolean => user.email === `${user.id}@removed.invalid`
