import { createHmac } from 'node:crypto'
import { sql } from 'kysely'
import { Problem } from '../../kit/errors.ts'
import type { Context } from '../../kit/operation.ts'
import { deriveKey } from '../../kit/seal.ts'

export type AttemptKind = 'password' | 'second_factor' | 'reset' | 'verification'

/**
 * Failures that one account may have within a quarter of an hour, within a day, and one address over all accounts in a quarter. They count in windows that
 * slide on, so that nobody is locked out for ever, and from the last success on.
 */
const limits: Record<AttemptKind, { account: number; daily: number; address: number }> = {
  password: { account: 10, daily: 100, address: 50 },
  second_factor: { account: 10, daily: 100, address: 50 },
  // Requests and not failures: how many letters one may cause.
  reset: { account: 3, daily: 10, address: 20 },
  verification: { account: 3, daily: 10, address: 20 },
}

/** The same whether there is such an account or not, and it can't be turned back into an address. */
export const accountHash = ({ services, principal }: Pick<Context, 'services' | 'principal'>, email: string): string =>
  createHmac('sha256', deriveKey(services.config.secret, 'login attempts'))
    .update(`${principal.tenant} ${email}`)
    .digest('hex')

/** Who has one IPv6 address has 2^64 of them. */
const network = ({ request }: Context) => {
  const address = request.address?.replace(/^::ffff:(?=\d+\.)/i, '') ?? null
  return sql<
    string | null
  >`(select case when family(a) = 6 then network(set_masklen(a, 64))::inet else a end from (select ${address}::inet as a) as given)`
}

/**
 * Refuses what guesses. An address from which the account has signed in within 30 days is counted by itself, so that strangers
 * who guess from anywhere can't keep its owner out. Holds the account and the address until the transaction ends: of many at once each counts.
 * Needs the system's sight.
 * @throws Problem 429 too_many_attempts with `retry_after` in seconds
 */
export async function admitAttempt(context: Context, kind: AttemptKind, account: string): Promise<void> {
  await countAttempts(context, kind, account)
  for (const held of [account, context.request.address ?? ''])
    await sql`select pg_advisory_xact_lock(hashtextextended(${`${kind} ${held}`}, 0))`.execute(context.tx)
  await countAttempts(context, kind, account)
}

interface Counted {
  is_known: boolean
  recent: number
  daily: number
  from_address: number
}

async function countAttempts(context: Context, kind: AttemptKind, account: string): Promise<void> {
  const { rows } = await sql<Counted>`
    with given as (select ${network(context)} as address),
    known as (select exists (
      select from login_attempts, given where account_hash = ${account} and ip_address = given.address and succeeded and created_at > now() - interval '30 days') as is_known),
    mine as (
      select created_at from login_attempts, given, known
      where account_hash = ${account} and kind = ${kind} and not succeeded and created_at > now() - interval '1 day' and (not is_known or ip_address = given.address)
        and created_at > coalesce((select max(created_at) from login_attempts where account_hash = ${account} and kind = ${kind} and succeeded and created_at > now() - interval '1 day'), '-infinity'))
    select is_known, (select count(*) from mine where created_at > now() - interval '15 minutes') as recent, (select count(*) from mine) as daily,
      (select count(*) from login_attempts where ip_address = given.address and kind = ${kind} and not succeeded and created_at > now() - interval '15 minutes') as from_address
    from known, given`.execute(context.tx)
  const counted = rows[0] as Counted
  const limit = limits[kind]
  if (counted.recent < limit.account && counted.daily < limit.daily && counted.from_address < limit.address) return
  const wait = counted.daily >= limit.daily ? 3600 : 900
  context.header('retry-after', String(wait))
  throw new Problem(
    429,
    'too_many_attempts',
    `Too many attempts; try again in ${wait / 60} minutes, or ask for a new password.`,
    { retry_after: wait },
  )
}

export async function recordAttempt(
  context: Context,
  kind: AttemptKind,
  account: string,
  succeeded: boolean,
): Promise<void> {
  await context.tx
    .insertInto('login_attempts')
    .values({ kind, account_hash: account, ip_address: network(context), succeeded })
    .execute()
  if (succeeded)
    await context.tx
      .deleteFrom('login_attempts')
      .where('created_at', '<', sql<string>`now() - interval '31 days'`)
      .execute()
}

/** Whether this failure was the one that filled the account's window, so that it is told once. */
export async function isLastAllowed({ tx }: Context, kind: AttemptKind, account: string): Promise<boolean> {
  const { rows } = await sql<{
    failures: number
  }>`select count(*) as failures from login_attempts where account_hash = ${account} and kind = ${kind} and not succeeded and created_at > now() - interval '15 minutes'`.execute(
    tx,
  )
  return rows[0]?.failures === limits[kind].account
}
