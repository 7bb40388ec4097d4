import { domains } from '../src/app.ts'
import { events, idempotencyKeys } from '../src/kit/outbox.table.ts'
import type { Table } from '../src/kit/table.ts'

/** Every table that the system declares. */
export const declaredTables = [
  ...domains.flatMap((domain) => domain.tables as Table[]),
  events as unknown as Table,
  idempotencyKeys as unknown as Table,
]
