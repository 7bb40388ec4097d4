import { sql } from 'kysely'
import { z } from 'zod'
import type { Row } from '../../kit/database.ts'
import { cookieName } from '../../kit/http.ts'
import type { Context } from '../../kit/operation.ts'
import { accessTokenMinutes } from './access-token.ts'
import { actAs } from './act-as.ts'
import { sessions, users } from './identity.table.ts'
import { hashOfSession, hashToken, makeTenantToken, makeToken } from './tokens.ts'

export const sessionDays = 7
/** However often it is refreshed. */
export const longestSessionDays = 90
/** All that a session may do whose person has to set up a second factor first. */
const settingUp = ['me.*', 'sessions.remove']

type SessionKind = Row<typeof sessions>['kind']
type SessionMethod = Row<typeof sessions>['method']

const tokens = {
  access_token: z.string().optional(),
  token_type: z.literal('Bearer').optional(),
  /** Seconds. */
  expires_in: z.number().optional(),
  refresh_token: z.string().optional(),
}
export const tokensIssued = z.object(tokens).required()
export const signedIn = z.object({
  user: users.row,
  session_id: z.uuid(),
  expires_at: z.string(),
  must_set_up_second_factor: z.boolean(),
  ...tokens,
})

export const setCookie = (context: Context, value: string, seconds: number) => {
  const secure = context.request.origin.startsWith('https:')
  context.header(
    'set-cookie',
    `${cookieName(secure)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}${secure ? '; Secure' : ''}`,
  )
}

interface Wanted {
  kind: SessionKind
  method: SessionMethod
  mustSetUp?: boolean
  tenant?: string
}

/** Opens a session for a person who has proved who they are; the rest of the transaction is theirs. Needs the system's sight. */
export async function openSession(
  context: Context,
  user: Row<typeof users>,
  { kind, method, mustSetUp = false, tenant = context.principal.tenant }: Wanted,
): Promise<z.input<typeof signedIn>> {
  const { tx, request, principal } = context
  // What the browser came with ends here: whoever planted it doesn't share what comes now.
  if (kind === 'browser' && principal.via === 'session' && principal.credential) {
    context.afterCommit(() => context.services.authenticator.forget())
    await tx
      .updateTable('sessions')
      .set({ revoked_at: sql`now()` })
      .where('id', '=', principal.credential)
      .where('revoked_at', 'is', null)
      .execute()
  }
  const known = await tx
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', user.id)
    .where(sql<boolean>`ip_address is not distinct from ${request.address}::inet`)
    .limit(1)
    .executeTakeFirst()
  const earlier =
    known ?? (await tx.selectFrom('sessions').select('id').where('user_id', '=', user.id).limit(1).executeTakeFirst())
  if (earlier && !known)
    await context.emit('security.new_address', {
      user_id: user.id,
      severity: 'low',
      ip_address: request.address,
      details: { method },
    })
  await actAs(context, user.id, tenant)
  const { rows } = await sql<{ id: string }>`select uuid_v7() as id`.execute(tx)
  const id = rows[0]?.id as string
  const token = makeToken('vs')
  const session = await tx
    .insertInto('sessions')
    .values({
      id,
      user_id: user.id,
      token_hash: kind === 'browser' ? hashToken(token) : hashOfSession(id),
      kind,
      method,
      scopes: mustSetUp ? settingUp : null,
      ip_address: request.address,
      user_agent: request.userAgent?.slice(0, 500) ?? null,
      expires_at: sql<string>`now() + ${sessionDays} * interval '1 day'`,
    })
    .returning('expires_at')
    .executeTakeFirstOrThrow()
  await tx.updateTable('users').set({ last_login_at: sql`now()` }).where('id', '=', user.id).execute()
  if (kind === 'browser') setCookie(context, token, sessionDays * 86_400)
  return {
    user,
    session_id: id,
    expires_at: session.expires_at,
    must_set_up_second_factor: mustSetUp,
    ...(kind === 'program' && (await issueTokens(context, { tenant, user: user.id, session: id }))),
  }
}

/** An access token, and the refresh token that the next one is asked with. */
export async function issueTokens(
  context: Context,
  { tenant, user, session }: { tenant: string; user: string; session: string },
) {
  const refresh = makeTenantToken('vf', tenant)
  await context.tx
    .insertInto('refresh_tokens')
    .values({
      user_id: user,
      session_id: session,
      token_hash: hashToken(refresh),
      expires_at: sql<string>`now() + ${sessionDays} * interval '1 day'`,
    })
    .execute()
  return {
    access_token: await context.services.accessTokens.sign({ tenant, user, session }),
    token_type: 'Bearer' as const,
    expires_in: accessTokenMinutes * 60,
    refresh_token: refresh,
  }
}

/** Ends sessions and what could renew them; all of the person's, but for the one that is kept. */
export async function endSessions(context: Context, user: string, keep?: string | null): Promise<number> {
  const ended = await context.tx
    .updateTable('sessions')
    .set({ revoked_at: sql`now()` })
    .where('user_id', '=', user)
    .where('revoked_at', 'is', null)
    .$if(Boolean(keep), (query) => query.where('id', '<>', keep as string))
    .returning('id')
    .execute()
  context.afterCommit(() => context.services.authenticator.forget())
  return ended.length
}
