import { sql } from 'kysely'
import { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import { cookieName } from '../../kit/http.ts'
import { type Context, operation } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { enforceQuota } from '../tenancy/enforce-quota.ts'
import type { Authenticator } from './authenticate.ts'
import { apiKeys, sessions, users } from './identity.table.ts'
import { hashPassword, requireStrong, verifyPassword } from './passwords.ts'
import { narrow, permissionsOf, rolePermissions } from './roles.ts'
import { hashToken, makeToken } from './tokens.ts'

declare module '../../kit/operation.ts' {
  interface Services {
    authenticator: Authenticator
  }
}

const sessionDays = 7
const byId = z.object({ id: Id })
const password = z.string().min(1).max(256)
const me = users.row.extend({ permissions: z.array(z.string()), tenant_id: z.uuid() })

const setCookie = (context: Context, value: string, seconds: number) => {
  const secure = context.request.origin.startsWith('https:')
  context.header('set-cookie', `${cookieName(secure)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}${secure ? '; Secure' : ''}`)
}

const userOf = (context: Context): string => {
  if (!context.principal.user) throw new Problem(401, 'unauthenticated', 'Only a person can do this.')
  return context.principal.user
}

export const sessionOperations = {
  signIn: operation({
    name: 'sessions.create',
    method: 'POST',
    path: '/v1/sessions',
    summary: 'Sign in: sets the cookie for browsers and answers a token for programs',
    public: true,
    input: z.strictObject({ email: z.email().max(254).toLowerCase(), password }),
    output: z.object({ token: z.string(), expires_at: z.string(), user: users.row }),
    async run(context, { email, password }) {
      const { tx, request } = context
      const user = await tx.selectFrom('users').selectAll().where('email', '=', email).where('deleted_at', 'is', null).executeTakeFirst()
      const matches = await verifyPassword(user?.password_hash, password)
      if (!user || !matches || user.suspended_at) throw new Problem(401, 'wrong_credentials', 'The address or the password is wrong.')
      const token = makeToken('vs')
      // The session is the user's own, so it is written in their name.
      await sql`select set_tenant_context(current_tenant(), ${user.id}::uuid, false, 'sessions.create', ${request.id})`.execute(tx)
      const session = await tx
        .insertInto('sessions')
        .values({ user_id: user.id, token_hash: hashToken(token), ip_address: request.address, user_agent: request.userAgent?.slice(0, 500) ?? null, expires_at: sql<string>`now() + ${sessionDays} * interval '1 day'` })
        .returning('expires_at')
        .executeTakeFirstOrThrow()
      await tx.updateTable('users').set({ last_login_at: sql`now()` }).where('id', '=', user.id).execute()
      setCookie(context, token, sessionDays * 86_400)
      return { token, expires_at: session.expires_at, user }
    },
  }),
  list: resource(sessions).list,
  revoke: operation({
    name: 'sessions.remove',
    method: 'DELETE',
    path: '/v1/sessions/:id',
    summary: "Revoke a session; 'current' is the one you use",
    input: z.object({ id: z.union([Id, z.literal('current')]) }),
    output: byId,
    async run(context, { id }) {
      const own = id === 'current' ? context.principal.credential : id
      if (!own) throw notFound('session')
      await context.tx.updateTable('sessions').set({ revoked_at: sql`now()` }).where('id', '=', own).returning('id').executeTakeFirstOrThrow(() => notFound('session'))
      if (own === context.principal.credential) setCookie(context, '', 0)
      context.afterCommit(() => context.services.authenticator.forget())
      return { id: own }
    },
  }),
}

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

const keys = resource(apiKeys)

export const apiKeyOperations = {
  list: keys.list,
  create: operation({
    name: 'api_keys.create',
    method: 'POST',
    path: '/v1/api-keys',
    summary: 'Make an API key; it is shown this once',
    input: apiKeys.create,
    output: apiKeys.row.extend({ key: z.string() }),
    async run(context, input) {
      const scopes = narrow(input.scopes, context.principal.permissions)
      if (scopes.length === 0) throw new Problem(400, 'invalid_input', 'scopes: none of them is yours to give', { field: 'scopes' })
      const key = makeToken('vp')
      const row = await context.tx.insertInto('api_keys').values({ ...input, scopes, user_id: userOf(context), key_hash: hashToken(key), prefix: key.slice(0, 10) }).returningAll().executeTakeFirstOrThrow()
      return { ...row, key }
    },
  }),
  revoke: operation({
    name: 'api_keys.remove',
    method: 'DELETE',
    path: '/v1/api-keys/:id',
    summary: 'Revoke an API key',
    input: byId,
    output: byId,
    async run(context, { id }) {
      await context.tx.updateTable('api_keys').set({ revoked_at: sql`now()` }).where('id', '=', id).returning('id').executeTakeFirstOrThrow(() => notFound('API key'))
      context.afterCommit(() => context.services.authenticator.forget())
      return { id }
    },
  }),
}
