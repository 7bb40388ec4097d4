import { sql } from 'kysely'
import type { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import type { Context } from '../../kit/operation.ts'
import type { corrections, report } from './compliance.table.ts'

/** Corrects a person's account. A new address has to be proved again, and the old one hears of it. */
export async function correctPerson(
  context: Context,
  user: string,
  changes: z.output<typeof corrections>,
): Promise<z.output<typeof report>> {
  const { tx } = context
  if (Object.keys(changes).length === 0)
    throw new Problem(400, 'invalid_input', 'changes: there is nothing to correct', { field: 'changes' })
  const before = await tx
    .selectFrom('users')
    .select('email')
    .where('id', '=', user)
    .where('deleted_at', 'is', null)
    .executeTakeFirstOrThrow(() => notFound('user'))
  const moves = changes.email !== undefined && changes.email !== before.email
  await tx
    .updateTable('users')
    .set({ ...changes, ...(moves && { email_verified: false }), updated_at: sql`now()` })
    .where('id', '=', user)
    .execute()
  if (moves)
    await context.emit('security.email_changed', {
      user_id: user,
      severity: 'medium',
      ip_address: context.request.address,
      details: { before: before.email },
    })
  return {
    tables: [
      {
        table: 'users',
        found: 1,
        deleted: 0,
        pseudonymised: 0,
        kept: 1,
        because: [`corrected: ${Object.keys(changes).join(', ')}`],
      },
    ],
    files: 0,
  }
}
