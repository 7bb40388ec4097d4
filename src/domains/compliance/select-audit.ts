import { z } from 'zod'
import type { Tx } from '../../kit/database.ts'
import { Id } from '../../kit/table.ts'

const time = z.iso.datetime({ offset: true })

export const auditFilter = z.object({
  user_id: Id.optional(),
  action: z.string().max(100).optional(),
  resource_type: z.string().max(100).optional(),
  resource_id: Id.optional(),
  request_id: z.string().max(100).optional(),
  from: time.optional(),
  to: time.optional(),
})
export type AuditFilter = z.output<typeof auditFilter>

/** Entries that a filter lets through, in no order yet. `from` is in, `to` is not. */
export function selectAudit(tx: Tx, { from, to, ...equal }: AuditFilter) {
  let query = tx.selectFrom('audit_logs').selectAll()
  for (const [column, value] of Object.entries(equal))
    if (value !== undefined) query = query.where(column as keyof typeof equal, '=', value)
  if (from) query = query.where('created_at', '>=', from)
  if (to) query = query.where('created_at', '<', to)
  return query
}
