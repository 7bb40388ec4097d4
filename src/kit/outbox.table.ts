import { z } from 'zod'
import type { Columns } from './database.ts'
import { json, table, text, timestamp, uuid } from './table.ts'

/** Events that were committed, on their way to those who subscribe. */
export const events = table('events', 'event', {
  name: text(100).readonly(),
  payload: json(z.unknown()).secret().personal().of('user', 'delete'),
  delivered_at: timestamp().nullable().readonly(),
})

export const idempotencyKeys = table('idempotency_keys', 'idempotency key', {
  user_id: uuid().secret().of('user', 'delete'),
  key: text(255).secret(),
  operation: text(100).secret(),
  request_hash: text(64).secret(),
  response: json(z.unknown()).nullable().secret().personal(),
})

declare module './database.ts' {
  interface DB {
    events: Columns<typeof events>
    idempotency_keys: Columns<typeof idempotencyKeys>
  }
}
