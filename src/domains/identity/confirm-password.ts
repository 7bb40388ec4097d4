import { Problem } from '../../kit/errors.ts'
import type { Context } from '../../kit/operation.ts'
import { actAsBefore, actAsSystem, refuse } from './act-as.ts'
import { accountHash, admitAttempt, recordAttempt } from './limit-attempts.ts'
import { verifyPassword } from './passwords.ts'

/** Asks the person at the keyboard for their password once more; false, with the refusal on its way, when it is wrong. Guessing is limited as when signing in. */
export async function confirmPassword(
  context: Context,
  user: { email: string; password_hash: string | null },
  password: string | undefined,
): Promise<boolean> {
  const account = accountHash(context, user.email)
  await actAsSystem(context)
  await admitAttempt(context, 'password', account)
  const matches = await verifyPassword(user.password_hash, password ?? '')
  if (!matches) await recordAttempt(context, 'password', account, false)
  await actAsBefore(context)
  if (!matches)
    refuse(
      context,
      new Problem(403, 'wrong_credentials', 'current_password: is not your password', { field: 'current_password' }),
    )
  return matches
}
