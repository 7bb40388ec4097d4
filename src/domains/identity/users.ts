import { sql } from 'kysely'
import { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import { type Context, operation } from '../../kit/operation.ts'
import { page, pageOf, resource, toColumns } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { enforceQuota } from '../tenancy/enforce-quota.ts'
import { changesRights, requireAnAdmin, requireGrantable } from './grant-roles.ts'
import { users } from './identity.table.ts'
import { requireStrong } from './judge-password.ts'
import { canonicalLocale } from './locale.ts'
import { endSessions } from './open-session.ts'
import { hashPassword } from './passwords.ts'
import { signedInUser } from './person.ts'
import { removeSecondFactor } from './second-factor.ts'

const byId = z.object({ id: Id })
const password = z.string().min(1).max(256)

const { get } = resource(users)

export const userOperations = {
  list: operation({
    name: 'users.list',
    method: 'GET',
    path: '/v1/users',
    summary: 'List people, newest first; those who were removed only when asked for',
    input: z.object({
      limit: z.number().int().min(1).max(200).default(50),
      after: Id.optional(),
      deleted: z.boolean().default(false),
    }),
    output: page(users.row),
    async run({ tx }, { limit, after, deleted }) {
      const rows = await tx
        .selectFrom('users')
        .selectAll()
        .where('deleted_at', deleted ? 'is not' : 'is', null)
        .$if(after !== undefined, (query) => query.where('id', '<', after as string))
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute()
      return pageOf(rows, limit)
    },
  }),
  get,
  create: operation({
    name: 'users.create',
    method: 'POST',
    path: '/v1/users',
    summary: 'Add a person with a first password; an invitation lets them choose their own',
    input: users.create.extend({ password }),
    output: users.row,
    async run(context, { password, roles = ['viewer'], locale = 'en', ...user }) {
      await requireStrong(context, password, [user.email, user.full_name, user.username])
      await requireGrantable(context, roles)
      await enforceQuota(context.tx, 'users')
      return context.tx
        .insertInto('users')
        .values({
          ...toColumns(users, user),
          email: user.email,
          roles,
          locale: canonicalLocale(locale),
          password_hash: await hashPassword(password),
        })
        .returningAll()
        .executeTakeFirstOrThrow()
    },
  }),
  update: operation({
    name: 'users.update',
    method: 'PATCH',
    path: '/v1/users/:id',
    summary: "Change a person's name, roles or suspension",
    input: users.update.omit({ email: true }).extend({ id: Id, suspended: z.boolean().optional() }),
    output: users.row,
    async run(context, { id, suspended, roles, locale, ...changes }) {
      if (roles) await requireGrantable(context, roles)
      const user = await context.tx
        .updateTable('users')
        .set({
          ...toColumns(users, changes),
          ...(roles && { roles }),
          ...(locale !== undefined && { locale: canonicalLocale(locale) }),
          ...(suspended !== undefined && { suspended_at: suspended ? sql`coalesce(suspended_at, now())` : null }),
          updated_at: sql`now()`,
        })
        .where('id', '=', id)
        .where('deleted_at', 'is', null)
        .returningAll()
        .executeTakeFirstOrThrow(() => notFound('user'))
      await requireAnAdmin(context)
      if (suspended) await endSessions(context, id)
      changesRights(context)
      return user
    },
  }),
  remove: operation({
    name: 'users.remove',
    method: 'DELETE',
    path: '/v1/users/:id',
    summary: 'Remove a person; what they made stays, and they can be restored',
    input: byId,
    output: byId,
    async run(context, { id }) {
      const { tx } = context
      await tx
        .updateTable('users')
        .set({ deleted_at: sql`now()` })
        .where('id', '=', id)
        .where('deleted_at', 'is', null)
        .returning('id')
        .executeTakeFirstOrThrow(() => notFound('user'))
      await endAccess(context, id)
      await requireAnAdmin(context)
      changesRights(context)
      return { id }
    },
  }),
  restore: operation({
    name: 'users.restore',
    method: 'POST',
    path: '/v1/users/:id/restore',
    summary: 'Bring back a person who was removed; they sign in anew',
    input: byId,
    output: users.row,
    async run(context, { id }) {
      const removed = await context.tx
        .selectFrom('users')
        .select('roles')
        .where('id', '=', id)
        .where('deleted_at', 'is not', null)
        .executeTakeFirstOrThrow(() => notFound('user'))
      await requireGrantable(context, removed.roles)
      await enforceQuota(context.tx, 'users')
      changesRights(context)
      return context.tx
        .updateTable('users')
        .set({ deleted_at: null, updated_at: sql`now()` })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow()
    },
  }),
  resetSecondFactor: operation({
    name: 'users.reset_second_factor',
    method: 'DELETE',
    path: '/v1/users/:id/second-factor',
    summary: 'Remove the second factor and the passkeys of a person who lost them',
    input: byId,
    output: byId,
    async run(context, { id }) {
      const { tx, principal, request } = context
      const admin = signedInUser(context)
      if (id === admin) throw new Problem(403, 'forbidden', 'Your own second factor is removed with a code of it.')
      const user = await tx
        .selectFrom('users')
        .select('roles')
        .where('id', '=', id)
        .where('deleted_at', 'is', null)
        .executeTakeFirstOrThrow(() => notFound('user'))
      // Otherwise it would be a way into the account of somebody who may do more.
      await requireGrantable(context, user.roles)
      await removeSecondFactor(context, id)
      await tx.deleteFrom('user_credentials').where('user_id', '=', id).execute()
      await endSessions(context, id)
      await context.emit('security.second_factor_removed', {
        user_id: id,
        severity: 'medium',
        ip_address: request.address,
        details: { by: principal.user },
      })
      return { id }
    },
  }),
}

/** Every way in that a person has: sessions with what renews them, keys, and links that are under way. */
async function endAccess(context: Context, user: string): Promise<void> {
  await endSessions(context, user)
  await context.tx
    .updateTable('api_keys')
    .set({ revoked_at: sql`now()` })
    .where('user_id', '=', user)
    .where('revoked_at', 'is', null)
    .execute()
  for (const table of ['password_reset_tokens', 'email_verification_tokens'] as const)
    await context.tx
      .updateTable(table)
      .set({ used_at: sql`now()` })
      .where('user_id', '=', user)
      .where('used_at', 'is', null)
      .execute()
}
