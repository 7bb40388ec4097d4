import { sql } from 'kysely'
import { z } from 'zod'
import { operation } from '../../kit/operation.ts'
import { actAsBefore, actAsSystem, enterTenant } from './act-as.ts'
import { confirmPassword } from './confirm-password.ts'
import { accountHash, admitAttempt, recordAttempt } from './limit-attempts.ts'
import { ownRow } from './me.ts'
import { signedInUser } from './person.ts'
import { invalidLink } from './reset-password.ts'
import { verificationLetter } from './send-letter.job.ts'
import { siteOrigin } from './site-origin.ts'
import { hashToken, tenantOfToken } from './tokens.ts'

const email = z.email().max(254).toLowerCase()

export const emailOperations = {
  resend: operation({
    name: 'me.verify_email',
    method: 'POST',
    path: '/v1/me/email/verification',
    summary: 'Ask for a letter with which to confirm your address',
    input: z.object({}),
    output: z.object({ email }),
    async run(context) {
      const user = await ownRow(context)
      const account = accountHash(context, user.email)
      await actAsSystem(context)
      await admitAttempt(context, 'verification', account)
      await recordAttempt(context, 'verification', account, false)
      await actAsBefore(context)
      await context.enqueue(verificationLetter, {
        user_id: user.id,
        email: user.email,
        origin: await siteOrigin(context),
      })
      return { email: user.email }
    },
  }),
  change: operation({
    name: 'me.change_email',
    method: 'POST',
    path: '/v1/me/email',
    summary: 'Change your address; it holds once the letter that goes there was answered',
    input: z.strictObject({ email, current_password: z.string().max(256) }),
    output: z.object({ email }),
    async run(context, { email, current_password }) {
      const user = await ownRow(context)
      signedInUser(context)
      if (!(await confirmPassword(context, user, current_password))) return { email }
      const account = accountHash(context, user.email)
      await actAsSystem(context)
      await admitAttempt(context, 'verification', account)
      await recordAttempt(context, 'verification', account, false)
      await actAsBefore(context)
      // Whether somebody else has it already is told to nobody but its owner.
      await context.enqueue(verificationLetter, { user_id: user.id, email, origin: await siteOrigin(context) })
      return { email }
    },
  }),
  confirm: operation({
    name: 'email.verify',
    method: 'POST',
    path: '/v1/email/verify',
    summary: 'Confirm an address with the link of the letter',
    public: true,
    input: z.strictObject({ token: z.string().max(200) }),
    output: z.object({ email }),
    async run(context, { token }) {
      const { tx, request } = context
      await enterTenant(context, tenantOfToken('vv', token), invalidLink)
      const used = await tx
        .updateTable('email_verification_tokens')
        .set({ used_at: sql`now()` })
        .where('token_hash', '=', hashToken(token))
        .where('used_at', 'is', null)
        .where('expires_at', '>', sql<string>`now()`)
        .returning(['user_id', 'email'])
        .executeTakeFirstOrThrow(invalidLink)
      const user = await tx
        .selectFrom('users')
        .select(['id', 'email'])
        .where('id', '=', used.user_id)
        .where('deleted_at', 'is', null)
        .where('suspended_at', 'is', null)
        .executeTakeFirstOrThrow(invalidLink)
      await tx
        .updateTable('users')
        .set({ email: used.email, email_verified: true, updated_at: sql`now()` })
        .where('id', '=', user.id)
        .execute()
      if (used.email !== user.email) {
        // Links to the old address would let whoever reads it in.
        await tx
          .updateTable('password_reset_tokens')
          .set({ used_at: sql`now()` })
          .where('user_id', '=', user.id)
          .where('used_at', 'is', null)
          .execute()
        context.afterCommit(() => context.services.authenticator.forget())
        await context.emit('security.email_changed', {
          user_id: user.id,
          severity: 'medium',
          ip_address: request.address,
          details: { before: user.email },
        })
      }
      return { email: used.email }
    },
  }),
}
