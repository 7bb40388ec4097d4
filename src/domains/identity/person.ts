import { Problem } from '../../kit/errors.ts'
import type { Context } from '../../kit/operation.ts'

/** The person who asks. Throws `Problem` 401 for what acts in nobody's name. */
export function userOf(context: Context): string {
  if (!context.principal.user) throw new Problem(401, 'unauthenticated', 'Only a person can do this.')
  return context.principal.user
}

/** What changes how somebody signs in isn't done with a key: one that leaked would make itself at home. */
export function signedInUser(context: Context): string {
  if (context.principal.via === 'api_key')
    throw new Problem(403, 'session_needed', 'Sign in to do this; an API key is not enough.')
  return userOf(context)
}
