import { sql } from 'kysely'
import { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import { type Context, operation } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { enforceQuota } from '../tenancy/enforce-quota.ts'
import { users } from './identity.table.ts'
import { hashPassword, requireStrong } from './passwords.ts'
import { narrow, permissionsOf, rolePermissions } from './roles.ts'

const byId = z.object({ id: Id })
const password = z.string().min(1).max(256)

function requireKnownRoles(roles: string[]): void {
  const unknown = roles.find((role) => !(role in rolePermissions))
  if (unknown) throw new Problem(400, 'invalid_input', `roles: there is no role ${unknown}; there are ${Object.keys(rolePermissions).join(', ')}`, { field: 'roles' })
}

/** Nobody hands out more than they hold. */
function requireGrantable(context: Context, roles: string[]): void {
  requireKnownRoles(roles)
  const granted = permissionsOf(roles)
  if (narrow(granted, context.principal.permissions).length < granted.length) throw new Problem(403, 'forbidden', 'roles: you cannot grant more than you hold yourself', { field: 'roles' })
}

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
      requireGrantable(context, roles)
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
      if (roles) requireGrantable(context, roles)
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

async function requireAnAdmin({ tx }: Context): Promise<void> {
  const left = await tx.selectFrom('users').select('id').where(sql<boolean>`'admin' = any(roles)`).where('suspended_at', 'is', null).where('deleted_at', 'is', null).limit(1).executeTakeFirst()
  if (!left) throw new Problem(409, 'last_administrator', 'A tenant keeps at least one active administrator.')
}
