import { sql } from 'kysely'
import type { Tx } from '../../kit/database.ts'
import { Problem } from '../../kit/errors.ts'

/** What each limit counts. Processing is in minutes of audio in this calendar month, UTC; storage in bytes. */
const quotas = {
  users: { column: 'max_users', unit: 'users', used: sql<number>`(select count(*) from users where deleted_at is null)` },
  projects: { column: 'max_projects', unit: 'projects', used: sql<number>`count_projects()` },
  storage: { column: 'max_storage_bytes', unit: 'bytes', used: sql<number>`(select coalesce(sum(amount), 0) from usage_records where resource_type = 'storage')` },
  processing: {
    column: 'max_processing_minutes',
    unit: 'minutes',
    used: sql<number>`(select coalesce(sum(amount), 0) from usage_records where resource_type in ('narration', 'transcription') and recorded_at >= date_trunc('month', now() at time zone 'utc') at time zone 'utc')`,
  },
} as const

export type Quota = keyof typeof quotas

/**
 * Refuses what would go over a limit, before any work or cost. Locks the tenant's limits until the transaction ends, so that two
 * requests at once can't pass a limit that one would reach.
 * @throws Problem 403 quota_exceeded with `limit`, `used`, `unit` and, where it renews, `resets_at`
 */
export async function enforceQuota(tx: Tx, quota: Quota, wanted = 1): Promise<void> {
  const { column, unit, used } = quotas[quota]
  const limits = await tx.selectFrom('tenant_quotas').select(column).forUpdate().executeTakeFirst()
  if (!limits) return
  const limit = (limits as Record<string, number>)[column] as number
  // A statement of its own: it sees what was committed while this one waited for the lock.
  const { rows } = await sql<{ used: number }>`select ${used} as used`.execute(tx)
  const now = Number(rows[0]?.used ?? 0)
  if (now + wanted <= limit) return
  const next = new Date()
  const resets = quota === 'processing' ? new Date(Date.UTC(next.getUTCFullYear(), next.getUTCMonth() + 1, 1)).toISOString() : undefined
  throw new Problem(403, 'quota_exceeded', `Your plan allows ${limit} ${unit}; ${Math.ceil(now)} are used and this needs ${Math.ceil(wanted)} more.`, { quota, limit, used: now, wanted, unit, resets_at: resets })
}
