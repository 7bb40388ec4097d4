import { z } from 'zod'
import type { Columns } from './database.ts'
import { json, networkAddress, table, text, uuid } from './table.ts'

/** Append-only. Operations are written by the door, changed rows by a trigger; both carry the request's id. */
export const auditLogs = table('audit_logs', 'audit entry', {
  user_id: uuid().nullable().readonly(),
  user_email: text(254).nullable().readonly().personal(),
  action: text(100).readonly(),
  resource_type: text(100).nullable().readonly(),
  resource_id: uuid().nullable().readonly(),
  details: json(z.unknown()).default("'{}'").readonly(),
  ip_address: networkAddress().nullable().readonly().personal(),
  user_agent: text(500).nullable().readonly().personal(),
  request_id: text(100).nullable().readonly(),
})

declare module './database.ts' {
  interface DB {
    audit_logs: Columns<typeof auditLogs>
  }
}
