import { sql } from 'kysely'
import { z } from 'zod'
import { Problem } from '../../kit/errors.ts'
import { type Context, operation } from '../../kit/operation.ts'
import { actAsBefore, actAsSystem, refuse } from './act-as.ts'
import { accountHash, admitAttempt, recordAttempt } from './limit-attempts.ts'
import { ownRow } from './me.ts'
import { signedInUser, userOf } from './person.ts'
import {
  beginTotp,
  checkSecondFactor,
  checkTotp,
  mustHaveSecondFactor,
  removeSecondFactor,
  renewRecoveryCodes,
  secondFactorsOf,
} from './second-factor.ts'

const code = z.string().min(6).max(40)
const wrongCode = () => new Problem(403, 'wrong_code', 'code: is wrong, or was used already', { field: 'code' })

/** Asks for a code once more; guessing is limited as when signing in. */
async function confirmCode(context: Context, code: string, check = checkSecondFactor): Promise<boolean> {
  const { email, id } = await ownRow(context)
  const account = accountHash(context, email)
  await actAsSystem(context)
  await admitAttempt(context, 'second_factor', account)
  const matches = await check(context, id, code)
  await recordAttempt(context, 'second_factor', account, matches)
  await actAsBefore(context)
  if (!matches) refuse(context, wrongCode())
  return matches
}

const recoveryCodes = z.object({ recovery_codes: z.array(z.string()) })

export const secondFactorOperations = {
  show: operation({
    name: 'me.second_factor',
    method: 'GET',
    path: '/v1/me/second-factor',
    summary: 'Show whether you have a second factor, and how many recovery codes are left',
    input: z.object({}),
    output: z.object({
      totp: z.boolean(),
      passkeys: z.number(),
      recovery_codes_left: z.number(),
      required: z.boolean(),
    }),
    async run({ tx, ...context }) {
      const user = userOf({ tx, ...context })
      const { left } = await tx
        .selectFrom('recovery_codes')
        .select(({ fn }) => fn.countAll<number>().as('left'))
        .where('user_id', '=', user)
        .where('used_at', 'is', null)
        .executeTakeFirstOrThrow()
      return {
        ...(await secondFactorsOf(tx, user)),
        recovery_codes_left: Number(left),
        required: await mustHaveSecondFactor(tx, context.principal.roles),
      }
    },
  }),
  begin: operation({
    name: 'me.begin_totp',
    method: 'POST',
    path: '/v1/me/totp',
    summary: 'Begin to set up an authenticator app: its secret, and the address that its picture holds',
    input: z.object({}),
    output: z.object({ secret: z.string(), uri: z.string() }),
    async run(context) {
      const user = signedInUser(context)
      if ((await secondFactorsOf(context.tx, user)).totp)
        throw new Problem(409, 'already_exists', 'You have an authenticator app; remove it first.')
      return beginTotp(context, user, (await ownRow(context)).email)
    },
  }),
  confirm: operation({
    name: 'me.confirm_totp',
    method: 'POST',
    path: '/v1/me/totp/confirm',
    summary: 'Finish to set up an authenticator app with a code of it; answers recovery codes, shown this once',
    input: z.strictObject({ code }),
    output: recoveryCodes,
    async run(context, { code }) {
      const { tx, principal, request } = context
      const user = signedInUser(context)
      if ((await secondFactorsOf(tx, user)).totp)
        throw new Problem(409, 'already_exists', 'You have an authenticator app; remove it first.')
      if (!(await confirmCode(context, code, checkTotp))) return { recovery_codes: [] }
      await tx.updateTable('totp_secrets').set({ confirmed_at: sql`now()` }).where('user_id', '=', user).execute()
      // This session has proved what it was waiting for; others of before have not.
      await tx
        .updateTable('sessions')
        .set({ scopes: null, method: 'second_factor' })
        .where('user_id', '=', user)
        .where('id', '=', principal.credential ?? user)
        .execute()
      context.afterCommit(() => context.services.authenticator.forget())
      await context.emit('security.second_factor_added', {
        user_id: user,
        severity: 'low',
        ip_address: request.address,
        details: {},
      })
      return { recovery_codes: await renewRecoveryCodes(context, user) }
    },
  }),
  remove: operation({
    name: 'me.remove_totp',
    method: 'DELETE',
    path: '/v1/me/totp',
    summary: 'Remove your authenticator app, with a code of it or a recovery code',
    input: z.strictObject({ code }),
    output: z.object({ removed: z.boolean() }),
    async run(context, { code }) {
      const user = signedInUser(context)
      if (await mustHaveSecondFactor(context.tx, context.principal.roles))
        throw new Problem(403, 'second_factor_needed', 'Your tenant asks you to have a second factor.')
      if (!(await confirmCode(context, code))) return { removed: false }
      await removeSecondFactor(context, user)
      await context.emit('security.second_factor_removed', {
        user_id: user,
        severity: 'medium',
        ip_address: context.request.address,
        details: { by: user },
      })
      return { removed: true }
    },
  }),
  renew: operation({
    name: 'me.renew_recovery_codes',
    method: 'POST',
    path: '/v1/me/recovery-codes',
    summary: 'Make new recovery codes, shown this once; those of before stop working',
    input: z.strictObject({ code }),
    output: recoveryCodes,
    async run(context, { code }) {
      const user = signedInUser(context)
      if (!(await confirmCode(context, code))) return { recovery_codes: [] }
      return { recovery_codes: await renewRecoveryCodes(context, user) }
    },
  }),
}
