import { sql } from 'kysely'
import { Problem } from '../../kit/errors.ts'
import type { Context } from '../../kit/operation.ts'
import { enterTenant } from './act-as.ts'
import { hashToken, makeTenantToken, tenantOfToken } from './tokens.ts'

const minutes = 10
type ChallengeKind = 'add_passkey' | 'passkey' | 'oidc'

export const invalidChallenge = () =>
  new Problem(401, 'invalid_challenge', 'This took too long, was done already, or began elsewhere; begin again.')

/** Something unguessable for one ceremony, kept until it comes back. `seal` may bind what is kept to it. */
export async function makeChallenge(
  { tx, principal }: Context,
  kind: ChallengeKind,
  { user = null, seal }: { user?: string | null; seal?: (challenge: string) => string } = {},
): Promise<string> {
  const challenge = makeTenantToken('vc', principal.tenant)
  await tx.deleteFrom('challenges').where('expires_at', '<', sql<string>`now()`).execute()
  await tx
    .insertInto('challenges')
    .values({
      kind,
      user_id: user,
      token_hash: hashToken(challenge),
      sealed: seal?.(challenge) ?? null,
      expires_at: sql<string>`now() + ${minutes} * interval '1 minute'`,
    })
    .execute()
  return challenge
}

/** Takes it, once. The transaction is the system's in its tenant from here on. Throws Problem 401 invalid_challenge. */
export async function takeChallenge(
  context: Context,
  kind: ChallengeKind,
  challenge: string,
): Promise<{ tenant: string; user: string | null; sealed: string | null }> {
  const tenant = await enterTenant(context, tenantOfToken('vc', challenge), invalidChallenge)
  const taken = await context.tx
    .deleteFrom('challenges')
    .where('token_hash', '=', hashToken(challenge))
    .where('kind', '=', kind)
    .where('expires_at', '>', sql<string>`now()`)
    .returning(['user_id', 'sealed'])
    .executeTakeFirstOrThrow(invalidChallenge)
  return { tenant, user: taken.user_id, sealed: taken.sealed }
}
