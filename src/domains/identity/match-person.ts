import { z } from 'zod'
import type { Row } from '../../kit/database.ts'
import { Problem } from '../../kit/errors.ts'
import type { Context } from '../../kit/operation.ts'
import { enforceQuota } from '../tenancy/enforce-quota.ts'
import type { Claims } from './ask-provider.ts'
import type { oidcProviders } from './factors.table.ts'
import type { users } from './identity.table.ts'
import { canonicalLocale } from './locale.ts'

const unknown = (detail: string) => new Problem(403, 'no_account', detail)

/**
 * The person whom a provider vouches for: by its own name for them, then by an address that it has proved, otherwise a new one if it may make any.
 * An address that it merely repeats opens no account, since in some directories anyone may write any.
 * @throws Problem 403 no_account
 */
export async function matchPerson(
  { tx }: Context,
  provider: Row<typeof oidcProviders>,
  claims: Claims,
): Promise<Row<typeof users>> {
  const known = await tx
    .selectFrom('users')
    .selectAll()
    .where('oidc_provider_id', '=', provider.id)
    .where('external_subject', '=', claims.subject)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  if (known) {
    if (known.suspended_at) throw unknown('This account is suspended.')
    return known
  }
  const email = z.email().max(254).safeParse(claims.email).data
  if (!email) throw unknown(`${provider.name} told no address.`)
  const domain = email.split('@')[1] as string
  if (provider.allowed_domains.length && !provider.allowed_domains.some((allowed) => allowed.toLowerCase() === domain))
    throw unknown(`${provider.name} may not speak for addresses of ${domain} here.`)
  if (!claims.emailVerified && !provider.trusts_addresses)
    throw unknown(`${provider.name} has not verified your address.`)
  const external = { oidc_provider_id: provider.id, external_subject: claims.subject }
  const same = await tx
    .selectFrom('users')
    .selectAll()
    .where('email', '=', email)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  if (same) {
    if (same.suspended_at) throw unknown('This account is suspended.')
    // Somebody else there has it, or had it: an address may be given to another person, a subject never is.
    if (same.external_subject !== null)
      throw unknown('This address belongs to an account that signs in in another way.')
    return tx
      .updateTable('users')
      .set({ ...external, email_verified: true })
      .where('id', '=', same.id)
      .returningAll()
      .executeTakeFirstOrThrow()
  }
  if (!provider.creates_users)
    throw unknown('There is no account for you here; ask your administrator for an invitation.')
  await enforceQuota(tx, 'users')
  return tx
    .insertInto('users')
    .values({
      ...external,
      email,
      email_verified: true,
      full_name: claims.name,
      first_name: claims.givenName,
      last_name: claims.familyName,
      locale: localeOf(claims.locale),
      roles: provider.default_roles,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

function localeOf(tag: string | null): string {
  try {
    return canonicalLocale((tag ?? 'en').replace('_', '-'))
  } catch {
    return 'en'
  }
}
