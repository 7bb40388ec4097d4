import { sql } from 'kysely'
import { z } from 'zod'
import type { Tx } from './database.ts'
import { notFound } from './errors.ts'
import { operation } from './operation.ts'
import type { Field, Fields, Table } from './table.ts'
import { Id } from './table.ts'

const pageInput = z.object({ limit: z.number().int().min(1).max(200).default(50), after: Id.optional() })
export const page = <Z extends z.ZodType>(row: Z) => z.object({ items: z.array(row), next: z.uuid().nullable() })
export const pageOf = <T extends { id: string }>(rows: T[], limit: number) => ({
  items: rows.slice(0, limit),
  next: rows.length > limit ? (rows[limit - 1]?.id ?? null) : null,
})

/** jsonb columns take their JSON text: pg would send an array as a PostgreSQL array. */
export function toColumns(table: Table<string, Fields>, values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      table.fields[name]?.column.type === 'jsonb' && value != null ? JSON.stringify(value) : value,
    ]),
  )
}

const isFilter = (field: Field): boolean =>
  field.access !== 'secret' &&
  (field.column.type === 'uuid' || field.column.type === 'boolean' || field.column.check?.includes(' in (') === true)

// The table's name is only known at run time here; the rows are checked by the declared schema on their way out.
const anyTable = (tx: Tx) => tx as unknown as import('kysely').Kysely<Record<string, Record<string, unknown>>>

/** list, get, create, update and remove of a table. Spread it, and replace any of them by name. */
export function resource<N extends string, F extends Fields>(table: Table<N, F>) {
  const path = `/v1/${table.name.replaceAll('_', '-')}`
  const filters = Object.fromEntries(
    Object.entries(table.fields)
      .filter(([name, field]) => name !== 'id' && isFilter(field))
      .map(([name, field]) => [name, field.zod.optional()]),
  )
  const byId = z.object({ id: Id })
  const { singular } = table
  const name: string = table.name
  return {
    list: operation({
      name: `${name}.list`,
      method: 'GET',
      path,
      summary: `List ${name.replaceAll('_', ' ')}, newest first`,
      input: pageInput.extend(filters) as unknown as typeof pageInput,
      output: page(table.row),
      async run({ tx }, { limit, after, ...where }) {
        let query = anyTable(tx)
          .selectFrom(name)
          .selectAll()
          .orderBy('id', 'desc')
          .limit(limit + 1)
        if (after) query = query.where('id', '<', after)
        for (const [column, value] of Object.entries(where))
          if (value !== undefined) query = query.where(column, value === null ? 'is' : '=', value)
        return pageOf((await query.execute()) as { id: string }[], limit) as never
      },
    }),
    get: operation({
      name: `${name}.get`,
      method: 'GET',
      path: `${path}/:id`,
      summary: `Show one ${singular}`,
      input: byId,
      output: table.row,
      async run({ tx }, { id }) {
        return (await anyTable(tx)
          .selectFrom(name)
          .selectAll()
          .where('id', '=', id)
          .executeTakeFirstOrThrow(() => notFound(singular))) as never
      },
    }),
    create: operation({
      name: `${name}.create`,
      method: 'POST',
      path,
      summary: `Make a ${singular}`,
      input: table.create,
      output: table.row,
      async run({ tx }, input) {
        return (await anyTable(tx)
          .insertInto(name)
          .values(toColumns(table, input))
          .returningAll()
          .executeTakeFirstOrThrow()) as never
      },
    }),
    update: operation({
      name: `${name}.update`,
      method: 'PATCH',
      path: `${path}/:id`,
      summary: `Change a ${singular}`,
      input: table.update.extend(byId.shape),
      output: table.row,
      async run({ tx }, input) {
        const { id, ...changes } = input as { id: string }
        return (await anyTable(tx)
          .updateTable(name)
          .set({ ...toColumns(table, changes), updated_at: sql`now()` })
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirstOrThrow(() => notFound(singular))) as never
      },
    }),
    remove: operation({
      name: `${name}.remove`,
      method: 'DELETE',
      path: `${path}/:id`,
      summary: `Remove a ${singular}`,
      input: byId,
      output: z.object({ id: Id }),
      async run({ tx }, { id }) {
        await anyTable(tx)
          .deleteFrom(name)
          .where('id', '=', id)
          .returning('id')
          .executeTakeFirstOrThrow(() => notFound(singular))
        return { id }
      },
    }),
  }
}
