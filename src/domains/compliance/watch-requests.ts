import { sql } from 'kysely'
import { type Tx, scoped } from '../../kit/database.ts'
import { type Kernel, emit } from '../../kit/kernel.ts'

/** Tells of requests whose time is over in a week, once each. */
async function warn(tx: Tx): Promise<void> {
  const near = await tx
    .updateTable('gdpr_requests')
    .set({ warned_at: sql`now()` })
    .where('status', 'in', ['pending', 'processing', 'failed'])
    .where('warned_at', 'is', null)
    .where('due_at', '<', sql<string>`now() + interval '7 days'`)
    .returning(['id', 'request_type', 'due_at'])
    .execute()
  for (const { id, request_type, due_at } of near)
    await emit(tx, 'security.gdpr_deadline_near', {
      user_id: null,
      severity: 'high',
      ip_address: null,
      details: { request_id: id, request_type, due_at },
    })
}

/** Looks after deadlines, and removes archives that are kept no longer. */
export async function watchRequests(kernel: Kernel): Promise<void> {
  const nobody = { tenant: '00000000-0000-0000-0000-000000000000', user: null, seesAll: true }
  const { rows } = await scoped(
    kernel.pool,
    nobody,
    (tx) => sql<{ tenant: string }>`select tenants_with_due_requests() as tenant`.execute(tx),
    true,
  )
  for (const { tenant } of rows) {
    const scope = { tenant, user: null, seesAll: true, action: 'gdpr.watch' }
    await scoped(kernel.pool, scope, warn)
    const over = await scoped(
      kernel.pool,
      scope,
      (tx) =>
        tx
          .selectFrom('gdpr_requests')
          .select(['id', 'result_blob'])
          .where('result_blob', 'is not', null)
          .where('result_expires_at', '<', sql<string>`now()`)
          .execute(),
      true,
    )
    for (const { id, result_blob } of over) {
      await kernel.services.storage.remove(result_blob as string)
      await scoped(kernel.pool, scope, (tx) =>
        tx.updateTable('gdpr_requests').set({ result_blob: null, result_bytes: null }).where('id', '=', id).execute(),
      )
    }
  }
}
