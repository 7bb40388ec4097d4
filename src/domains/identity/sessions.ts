import { sql } from 'kysely'
import { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import { cookieName } from '../../kit/http.ts'
import { type Context, operation } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import type { Authenticator } from './authenticate.ts'
import { sessions, users } from './identity.table.ts'
import { verifyPassword } from './passwords.ts'
import { hashToken, makeToken } from './tokens.ts'

declare module '../../kit/operation.ts' {
  interface Services {
    authenticator: Authenticator
  }
}

const sessionDays = 7
const byId = z.object({ id: Id })
const password = z.string().min(1).max(256)

const setCookie = (context: Context, value: string, seconds: number) => {
  const secure = context.request.origin.startsWith('https:')
  context.header('set-cookie', `${cookieName(secure)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}${secure ? '; Secure' : ''}`)
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
