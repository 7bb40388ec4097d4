import { sql } from 'kysely'
import { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import { operation } from '../../kit/operation.ts'
import { users } from './identity.table.ts'
import { hashPassword, requireStrong, verifyPassword } from './passwords.ts'
import { userOf } from './person.ts'

const password = z.string().min(1).max(256)
const me = users.row.extend({ permissions: z.array(z.string()), tenant_id: z.uuid() })

export const meOperations = {
  get: operation({
    name: 'me.get',
    method: 'GET',
    path: '/v1/me',
    summary: 'Show who you are and what you may do',
    input: z.object({}),
    output: me,
    async run(context) {
      const user = await context.tx.selectFrom('users').selectAll().where('id', '=', userOf(context)).executeTakeFirstOrThrow(() => notFound('user'))
      return { ...user, permissions: context.principal.permissions, tenant_id: context.principal.tenant }
    },
  }),
  update: operation({
    name: 'me.update',
    method: 'PATCH',
    path: '/v1/me',
    summary: 'Change your name or your password',
    input: z.strictObject({ full_name: z.string().max(255).nullable().optional(), password: password.optional(), current_password: password.optional() }),
    output: users.row,
    async run(context, { full_name, password, current_password }) {
      const { tx } = context
      const id = userOf(context)
      const user = await tx.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirstOrThrow(() => notFound('user'))
      if (password !== undefined) {
        requireStrong(password)
        if (!(await verifyPassword(user.password_hash, current_password ?? ''))) throw new Problem(403, 'wrong_credentials', 'current_password: is not your password', { field: 'current_password' })
        await tx.updateTable('users').set({ password_hash: await hashPassword(password) }).where('id', '=', id).execute()
        // Whoever knew the old password is signed out, but for the session that changed it.
        await tx.updateTable('sessions').set({ revoked_at: sql`now()` }).where('user_id', '=', id).where('revoked_at', 'is', null).$if(context.principal.via === 'session', (query) => query.where('id', '<>', context.principal.credential ?? '')).execute()
        context.afterCommit(() => context.services.authenticator.forget())
      }
      return tx
        .updateTable('users')
        .set({ updated_at: sql`now()`, ...(full_name !== undefined && { full_name }) })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow()
    },
  }),
}
