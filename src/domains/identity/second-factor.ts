import { createHash, randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { Secret, TOTP } from 'otpauth'
import type { Tx } from '../../kit/database.ts'
import type { Context } from '../../kit/operation.ts'
import { deriveKey, seal, unseal } from '../../kit/seal.ts'

const period = 30
const hashCode = (code: string): string =>
  createHash('sha256')
    .update(code.toUpperCase().replaceAll(/[^A-Z2-7]/g, ''))
    .digest('hex')
const keyOf = ({ services }: Context): Buffer => deriveKey(services.config.secret, 'totp secrets')

/** What authenticator apps agree on: SHA-1, six digits, 30 seconds (RFC 6238). */
const totpOf = (secret: string, label = ''): TOTP =>
  new TOTP({ issuer: 'Voicepress', label, algorithm: 'SHA1', digits: 6, period, secret: Secret.fromBase32(secret) })

export interface SecondFactors {
  totp: boolean
  passkeys: number
}

export async function secondFactorsOf(tx: Tx, user: string): Promise<SecondFactors> {
  const totp = await tx
    .selectFrom('totp_secrets')
    .select('id')
    .where('user_id', '=', user)
    .where('confirmed_at', 'is not', null)
    .executeTakeFirst()
  const { passkeys } = await tx
    .selectFrom('user_credentials')
    .select(({ fn }) => fn.countAll<number>().as('passkeys'))
    .where('user_id', '=', user)
    .executeTakeFirstOrThrow()
  return { totp: totp !== undefined, passkeys: Number(passkeys) }
}

/** The tenant's setting `require_second_factor`: of administrators unless it says 'nobody' or 'everyone'. */
export async function mustHaveSecondFactor(tx: Tx, roles: string[]): Promise<boolean> {
  const held = await tx.selectFrom('tenant_settings').select('settings').executeTakeFirst()
  const wanted = held?.settings.require_second_factor ?? 'administrators'
  return wanted === 'everyone' || (wanted !== 'nobody' && roles.includes('admin'))
}

/** Makes a secret that doesn't count before a code of it was seen. `uri` is what the app reads from a picture. */
export async function beginTotp(
  context: Context,
  user: string,
  label: string,
): Promise<{ secret: string; uri: string }> {
  const secret = new Secret({ size: 20 }).base32
  await context.tx
    .insertInto('totp_secrets')
    .values({ user_id: user, secret_encrypted: seal(keyOf(context), secret, user) })
    .onConflict((conflict) =>
      conflict
        .columns(['tenant_id', 'user_id'])
        .doUpdateSet({ secret_encrypted: sql`excluded.secret_encrypted`, last_step: 0, updated_at: sql`now()` })
        .where('totp_secrets.confirmed_at', 'is', null),
    )
    .execute()
  return { secret, uri: totpOf(secret, label).toString() }
}

/** Takes a code of the app once; one step of clock drift either way (RFC 6238, 5.2). */
export async function checkTotp(context: Context, user: string, code: string): Promise<boolean> {
  const digits = code.replaceAll(/\s/g, '')
  if (!/^\d{6}$/.test(digits)) return false
  const held = await context.tx
    .selectFrom('totp_secrets')
    .select(['id', 'secret_encrypted'])
    .where('user_id', '=', user)
    .executeTakeFirst()
  if (!held) return false
  const now = Date.now()
  const delta = totpOf(unseal(keyOf(context), held.secret_encrypted, user)).validate({
    token: digits,
    timestamp: now,
    window: 1,
  })
  if (delta === null) return false
  const step = Math.floor(now / 1000 / period) + delta
  const taken = await context.tx
    .updateTable('totp_secrets')
    .set({ last_step: step })
    .where('id', '=', held.id)
    .where('last_step', '<', step)
    .returning('id')
    .executeTakeFirst()
  return taken !== undefined
}

/** A code of the app, or one of the recovery codes, each of which works once. */
export async function checkSecondFactor(context: Context, user: string, code: string): Promise<boolean> {
  if (/^[\d\s]+$/.test(code)) return checkTotp(context, user, code)
  const taken = await context.tx
    .updateTable('recovery_codes')
    .set({ used_at: sql`now()` })
    .where('user_id', '=', user)
    .where('code_hash', '=', hashCode(code))
    .where('used_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  if (taken)
    await context.emit('security.recovery_code_used', {
      user_id: user,
      severity: 'medium',
      ip_address: context.request.address,
      details: {},
    })
  return taken !== undefined
}

/** Ten codes of 80 bits, shown this once; those from before stop working. */
export async function renewRecoveryCodes({ tx }: Context, user: string): Promise<string[]> {
  await tx.deleteFrom('recovery_codes').where('user_id', '=', user).execute()
  const codes = Array.from({ length: 10 }, () =>
    new Secret({ buffer: new Uint8Array(randomBytes(10)).buffer }).base32.replace(/(.{4})(?=.)/g, '$1-'),
  )
  await tx
    .insertInto('recovery_codes')
    .values(codes.map((code) => ({ user_id: user, code_hash: hashCode(code) })))
    .execute()
  return codes
}

export async function removeSecondFactor({ tx }: Context, user: string): Promise<void> {
  await tx.deleteFrom('totp_secrets').where('user_id', '=', user).execute()
  await tx.deleteFrom('recovery_codes').where('user_id', '=', user).execute()
}
