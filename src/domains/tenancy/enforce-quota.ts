import { sql } from 'kysely'
import type { Tx } from '../../kit/database.ts'
import { Problem } from '../../kit/errors.ts'
import { type Standing, requireGrowing } from './standing.ts'

/** Units of what is counted. Processing is minutes of audio in this calendar month, UTC. */
export const quotaUnits = {
  users: 'users',
  projects: 'projects',
  podcasts: 'podcasts',
  campaigns: 'campaigns',
  storage: 'bytes',
  processing: 'minutes',
} as const
export type Quota = keyof typeof quotaUnits

/**
 * Refuses what would go over a limit, before any work or cost. Whoever else asks for the same limit waits until this transaction ends,
 * so that two requests at once can't pass a limit that one would reach. Counts what the person who asks may not see, too.
 * @param wanted how much more, in the quota's unit
 * @throws Problem 403 quota_exceeded with `quota`, `limit`, `used`, `wanted`, `unit` and, where it renews, `resets_at`; 402 payment_due
 */
export async function enforceQuota(tx: Tx, quota: Quota, wanted = 1): Promise<void> {
  const { rows } = await sql<{
    allowed: number | null
    used: number
    standing: Standing
  }>`select * from take_quota(${quota})`.execute(tx)
  const [room] = rows
  if (!room || room.allowed === null) return
  if (quota !== 'processing') requireGrowing(room.standing)
  if (room.used + wanted <= room.allowed) return
  const unit = quotaUnits[quota]
  const resets = quota === 'processing' ? { resets_at: nextMonth() } : {}
  const detail = `Your plan allows ${room.allowed} ${unit}; ${Math.ceil(room.used)} are used and this needs ${Math.ceil(wanted)} more.`
  throw new Problem(403, 'quota_exceeded', detail, {
    quota,
    limit: room.allowed,
    used: room.used,
    wanted,
    unit,
    ...resets,
  })
}

const nextMonth = (now = new Date()): string =>
  new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)).toISOString()

/**
 * As `enforceQuota`, and keeps the room for a job until it ends: what it has not used yet counts as used for everybody else.
 * A job that is run again reserves anew, and its own reservation does not stand in its way.
 */
export async function reserveQuota(
  tx: Tx,
  quota: 'processing' | 'storage',
  wanted: number,
  job: string,
): Promise<void> {
  // Under the lock of take_quota, so that nobody sees room that this job is about to take again.
  await sql`select take_quota(${quota})`.execute(tx)
  await tx.deleteFrom('quota_reservations').where('quota', '=', quota).where('job_id', '=', job).execute()
  await enforceQuota(tx, quota, wanted)
  await tx.insertInto('quota_reservations').values({ quota, amount: wanted, job_id: job }).execute()
}
