import { Problem } from '../../kit/errors.ts'
import type { Context } from '../../kit/operation.ts'

/** The person who asks. Throws `Problem` 401 for what acts in nobody's name. */
export function userOf(context: Context): string {
  if (!context.principal.user) throw new Problem(401, 'unauthenticated', 'Only a person can do this.')
  return context.principal.user
}
