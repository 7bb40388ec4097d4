import { sql } from 'kysely'
import { z } from 'zod'
import { Problem } from '../../kit/errors.ts'
import { operation } from '../../kit/operation.ts'
import { actAsSystem, enterTenant } from './act-as.ts'
import { requireStrong } from './judge-password.ts'
import { accountHash, admitAttempt, recordAttempt } from './limit-attempts.ts'
import { endSessions } from './open-session.ts'
import { hashPassword } from './passwords.ts'
import { resetLetter } from './send-letter.job.ts'
import { siteOrigin } from './site-origin.ts'
import { hashToken, tenantOfToken } from './tokens.ts'

const done = z.object({})
export const invalidLink = () =>
  new Problem(400, 'invalid_link', 'This link is not valid, was used or has expired; ask for a new one.')

export const passwordOperations = {
  forgot: operation({
    name: 'passwords.forgot',
    method: 'POST',
    path: '/v1/passwords/forgot',
    summary:
      'Ask for a letter with which to choose a new password; the answer is the same whether there is an account or not',
    public: true,
    input: z.strictObject({ email: z.email().max(254).toLowerCase() }),
    output: done,
    async run(context, { email }) {
      await actAsSystem(context)
      const account = accountHash(context, email)
      await admitAttempt(context, 'reset', account)
      await recordAttempt(context, 'reset', account, false)
      // Who it is for is looked up later and elsewhere: here there is nothing that could take longer.
      await context.enqueue(resetLetter, { email, origin: await siteOrigin(context) })
      return {}
    },
  }),
  reset: operation({
    name: 'passwords.reset',
    method: 'POST',
    path: '/v1/passwords/reset',
    summary: 'Choose a new password with the link of that letter; all sessions end',
    public: true,
    input: z.strictObject({ token: z.string().max(200), password: z.string().min(1).max(256) }),
    output: done,
    async run(context, { token, password }) {
      const { tx, request } = context
      await enterTenant(context, tenantOfToken('vr', token), invalidLink)
      const used = await tx
        .updateTable('password_reset_tokens')
        .set({ used_at: sql`now()` })
        .where('token_hash', '=', hashToken(token))
        .where('used_at', 'is', null)
        .where('expires_at', '>', sql<string>`now()`)
        .returning('user_id')
        .executeTakeFirstOrThrow(invalidLink)
      const user = await tx
        .selectFrom('users')
        .selectAll()
        .where('id', '=', used.user_id)
        .where('deleted_at', 'is', null)
        .where('suspended_at', 'is', null)
        .executeTakeFirstOrThrow(invalidLink)
      // A refusal takes the use of the link back, so that they can try another one.
      await requireStrong(context, password, [user.email, user.full_name, user.username])
      await tx
        .updateTable('users')
        .set({ password_hash: await hashPassword(password), password_changed_at: sql`now()`, email_verified: true })
        .where('id', '=', user.id)
        .execute()
      await tx
        .updateTable('password_reset_tokens')
        .set({ used_at: sql`now()` })
        .where('user_id', '=', user.id)
        .where('used_at', 'is', null)
        .execute()
      await endSessions(context, user.id)
      // Whoever guessed at the old one has nothing to do with the new one.
      await recordAttempt(
        context,
        'password',
        accountHash({ ...context, principal: { ...context.principal, tenant: user.tenant_id } }, user.email),
        true,
      )
      await context.emit('security.password_reset', {
        user_id: user.id,
        severity: 'low',
        ip_address: request.address,
        details: {},
      })
      return {}
    },
  }),
}
