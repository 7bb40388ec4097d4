import { sql } from 'kysely'
import { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import { type Context, operation } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { actAs, actAsSystem, enterTenant, refuse } from './act-as.ts'
import { sessions } from './identity.table.ts'
import { accountHash, admitAttempt, isLastAllowed, recordAttempt } from './limit-attempts.ts'
import {
  endSessions,
  issueTokens,
  longestSessionDays,
  openSession,
  sessionDays,
  setCookie,
  signedIn,
  tokensIssued,
} from './open-session.ts'
import { verifyPassword } from './passwords.ts'
import { signedInUser, userOf } from './person.ts'
import { checkSecondFactor, mustHaveSecondFactor, secondFactorsOf } from './second-factor.ts'
import { hashToken, tenantOfToken } from './tokens.ts'

const byId = z.object({ id: Id })
const password = z.string().min(1).max(256)
const kind = z.enum(['browser', 'program']).default('browser')

const wrong = () => new Problem(401, 'wrong_credentials', 'The address or the password is wrong.')
const invalidRefresh = () =>
  new Problem(401, 'invalid_credential', 'This credential is not valid, was revoked or has expired.')

/** Records a failure, and tells of it when it was the one that fills the account's window. */
async function failed(
  context: Context,
  attempt: 'password' | 'second_factor',
  account: string,
  user: string | null,
  problem: Problem,
): Promise<never> {
  await recordAttempt(context, attempt, account, false)
  if (await isLastAllowed(context, attempt, account))
    await context.emit('security.sign_in_blocked', {
      user_id: user,
      severity: 'medium',
      ip_address: context.request.address,
      details: { attempt },
    })
  return refuse(context, problem)
}

export const sessionOperations = {
  signIn: operation({
    name: 'sessions.create',
    method: 'POST',
    path: '/v1/sessions',
    summary: 'Sign in: a browser gets a cookie, a program an access token and a refresh token',
    public: true,
    input: z.strictObject({
      email: z.email().max(254).toLowerCase(),
      password,
      /** From an authenticator app, or a recovery code; asked for by the problem second_factor_needed. */
      code: z.string().max(40).optional(),
      kind,
    }),
    output: signedIn,
    async run(context, { email, password, code, kind }) {
      const { tx } = context
      await actAsSystem(context)
      const account = accountHash(context, email)
      await admitAttempt(context, 'password', account)
      const user = await tx
        .selectFrom('users')
        .selectAll()
        .where('email', '=', email)
        .where('deleted_at', 'is', null)
        .executeTakeFirst()
      const matches = await verifyPassword(user?.password_hash, password)
      if (!user || !matches || user.suspended_at) return failed(context, 'password', account, user?.id ?? null, wrong())
      const factors = await secondFactorsOf(tx, user.id)
      const isNeeded = await mustHaveSecondFactor(tx, user.roles)
      if (factors.totp) {
        if (code === undefined)
          return refuse(
            context,
            new Problem(401, 'second_factor_needed', 'Send the code of your authenticator app too.', {
              methods: ['totp', 'recovery_code', ...(factors.passkeys ? ['passkey'] : [])],
            }),
          )
        await admitAttempt(context, 'second_factor', account)
        if (!(await checkSecondFactor(context, user.id, code)))
          return failed(
            context,
            'second_factor',
            account,
            user.id,
            new Problem(401, 'wrong_code', 'code: is wrong, or was used already', { field: 'code' }),
          )
        await recordAttempt(context, 'second_factor', account, true)
      } else if (isNeeded && factors.passkeys)
        throw new Problem(401, 'second_factor_needed', 'Sign in with your passkey.', { methods: ['passkey'] })
      await recordAttempt(context, 'password', account, true)
      return openSession(context, user, {
        kind,
        method: factors.totp ? 'second_factor' : 'password',
        mustSetUp: isNeeded && !factors.totp,
      })
    },
  }),
  refresh: operation({
    name: 'sessions.refresh',
    method: 'POST',
    path: '/v1/sessions/refresh',
    summary:
      'Change a refresh token for new tokens; each works once, and one that comes a second time ends its session',
    public: true,
    input: z.strictObject({ refresh_token: z.string().max(200) }),
    output: tokensIssued,
    async run(context, { refresh_token }) {
      const { tx } = context
      const tenant = await enterTenant(context, tenantOfToken('vf', refresh_token), invalidRefresh)
      // Two that come with the same token meet here: the second one finds it used.
      const token = await tx
        .selectFrom('refresh_tokens')
        .selectAll()
        .where('token_hash', '=', hashToken(refresh_token))
        .forUpdate()
        .executeTakeFirst()
      if (!token) throw invalidRefresh()
      if (token.used_at) return reused(context, token)
      const session = await tx
        .selectFrom('sessions')
        .innerJoin('users', (join) =>
          join.onRef('users.id', '=', 'sessions.user_id').onRef('users.tenant_id', '=', 'sessions.tenant_id'),
        )
        .select(['sessions.id', 'sessions.user_id'])
        .where('sessions.id', '=', token.session_id)
        .where('sessions.revoked_at', 'is', null)
        .where('sessions.expires_at', '>', sql<string>`now()`)
        .where('users.suspended_at', 'is', null)
        .where('users.deleted_at', 'is', null)
        .where(sql<boolean>`${token.expires_at}::timestamptz > now()`)
        .executeTakeFirst()
      if (!session) throw invalidRefresh()
      await tx.updateTable('refresh_tokens').set({ used_at: sql`now()` }).where('id', '=', token.id).execute()
      await actAs(context, session.user_id, tenant)
      await tx
        .updateTable('sessions')
        .set({
          last_accessed_at: sql`now()`,
          expires_at: sql`least(now() + ${sessionDays} * interval '1 day', created_at + ${longestSessionDays} * interval '1 day')`,
        })
        .where('id', '=', session.id)
        .execute()
      return issueTokens(context, { tenant, user: session.user_id, session: session.id })
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
    run: (context, { id }) => revoke(context, id),
  }),
}

/** Either the thief or the owner is the second to come with it; nobody can tell which, so both are signed out (RFC 9700, 4.14.2). */
async function reused(
  context: Context,
  { id, session_id, user_id }: { id: string; session_id: string; user_id: string },
): Promise<never> {
  const { tx, request } = context
  const ended = await tx
    .updateTable('sessions')
    .set({ revoked_at: sql`now()` })
    .where('id', '=', session_id)
    .where('revoked_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  await tx
    .updateTable('refresh_tokens')
    .set({ revoked_at: sql`now()` })
    .where('session_id', '=', session_id)
    .where('revoked_at', 'is', null)
    .execute()
  if (ended)
    await context.emit('security.refresh_token_reused', {
      user_id,
      severity: 'high',
      ip_address: request.address,
      details: { session_id, token_id: id },
    })
  context.afterCommit(() => context.services.authenticator.forget())
  return refuse(context, invalidRefresh())
}

async function revoke(context: Context, id: string): Promise<{ id: string }> {
  const own = id === 'current' ? context.principal.credential : id
  if (!own || (id === 'current' && context.principal.via !== 'session')) throw notFound('session')
  await context.tx
    .updateTable('sessions')
    .set({ revoked_at: sql`now()` })
    .where('id', '=', own)
    .where('revoked_at', 'is', null)
    .returning('id')
    .executeTakeFirstOrThrow(() => notFound('session'))
  if (own === context.principal.credential) setCookie(context, '', 0)
  context.afterCommit(() => context.services.authenticator.forget())
  return { id: own }
}

const ownSession = sessions.row.extend({ is_current: z.boolean() })

/** What everybody does with sessions of their own, whatever else they may do. */
export const ownSessionOperations = {
  list: operation({
    name: 'me.sessions',
    method: 'GET',
    path: '/v1/me/sessions',
    summary: 'List where you are signed in',
    input: z.object({}),
    output: z.object({ items: z.array(ownSession) }),
    async run(context) {
      const items = await context.tx
        .selectFrom('sessions')
        .selectAll()
        .where('user_id', '=', userOf(context))
        .where('revoked_at', 'is', null)
        .where('expires_at', '>', sql<string>`now()`)
        .orderBy('last_accessed_at', 'desc')
        .execute()
      return {
        items: items.map((session) => ({ ...session, is_current: session.id === context.principal.credential })),
      }
    },
  }),
  revoke: operation({
    name: 'me.revoke_session',
    method: 'DELETE',
    path: '/v1/me/sessions/:id',
    summary: "Sign out of one of your sessions; 'current' is the one you use",
    input: z.object({ id: z.union([Id, z.literal('current')]) }),
    output: byId,
    async run(context, { id }) {
      const user = signedInUser(context)
      if (id !== 'current')
        await context.tx
          .selectFrom('sessions')
          .select('id')
          .where('id', '=', id)
          .where('user_id', '=', user)
          .executeTakeFirstOrThrow(() => notFound('session'))
      return revoke(context, id)
    },
  }),
  signOutEverywhere: operation({
    name: 'me.sign_out_everywhere',
    method: 'DELETE',
    path: '/v1/me/sessions',
    summary: 'Sign out of all your sessions, this one too unless you keep it',
    input: z.object({ keep_this_one: z.boolean().default(false) }),
    output: z.object({ ended: z.number() }),
    async run(context, { keep_this_one }) {
      const user = signedInUser(context)
      const ended = await endSessions(context, user, keep_this_one ? context.principal.credential : null)
      if (!keep_this_one) setCookie(context, '', 0)
      await context.emit('security.signed_out_everywhere', {
        user_id: user,
        severity: 'low',
        ip_address: context.request.address,
        details: { ended },
      })
      return { ended }
    },
  }),
}
