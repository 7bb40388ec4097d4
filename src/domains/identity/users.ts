import { sql } from 'kysely'
import { z } from 'zod'
import { notFound } from '../../kit/errors.ts'
import { operation } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { enforceQuota } from '../tenancy/enforce-quota.ts'
import { requireAnAdmin, requireGrantable } from './grant-roles.ts'
import { users } from './identity.table.ts'
import { hashPassword, requireStrong } from './passwords.ts'

const byId = z.object({ id: Id })
const password = z.string().min(1).max(256)

const { list, get } = resource(users)

export const userOperations = {
  list,
  get,
  create: operation({
    name: 'users.create',
    method: 'POST',
    path: '/v1/users',
    summary: 'Add a person with a first password',
    input: users.create.extend({ password }),
    output: users.row,
    async run(context, { password, roles = ['viewer'], ...user }) {
      requireStrong(password)
      await requireGrantable(context, roles)
      await enforceQuota(context.tx, 'users')
      return context.tx.insertInto('users').values({ ...user, roles, password_hash: await hashPassword(password) }).returningAll().executeTakeFirstOrThrow()
    },
  }),
  update: operation({
    name: 'users.update',
    method: 'PATCH',
    path: '/v1/users/:id',
    summary: "Change a person's name, roles or suspension",
    input: users.update.omit({ email: true }).extend({ id: Id, suspended: z.boolean().optional() }),
    output: users.row,
    async run(context, { id, suspended, roles, ...changes }) {
      if (roles) await requireGrantable(context, roles)
      const user = await context.tx
        .updateTable('users')
        .set({ ...changes, ...(roles && { roles }), ...(suspended !== undefined && { suspended_at: suspended ? sql`coalesce(suspended_at, now())` : null }), updated_at: sql`now()` })
        .where('id', '=', id)
        .where('deleted_at', 'is', null)
        .returningAll()
        .executeTakeFirstOrThrow(() => notFound('user'))
      await requireAnAdmin(context)
      context.afterCommit(() => context.services.authenticator.forget())
      return user
    },
  }),
  remove: operation({
    name: 'users.remove',
    method: 'DELETE',
    path: '/v1/users/:id',
    summary: 'Remove a person; what they made stays',
    input: byId,
    output: byId,
    async run(context, { id }) {
      const { tx } = context
      await tx
        .updateTable('users')
        .set({ deleted_at: sql`now()`, email: sql`id::text || '@removed.invalid'`, password_hash: null, full_name: null })
        .where('id', '=', id)
        .where('deleted_at', 'is', null)
        .returning('id')
        .executeTakeFirstOrThrow(() => notFound('user'))
      await tx.updateTable('sessions').set({ revoked_at: sql`now()` }).where('user_id', '=', id).execute()
      await tx.updateTable('api_keys').set({ revoked_at: sql`now()` }).where('user_id', '=', id).execute()
      await requireAnAdmin(context)
      context.afterCommit(() => context.services.authenticator.forget())
      return { id }
    },
  }),
}
