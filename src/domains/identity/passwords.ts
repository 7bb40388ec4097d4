import { randomBytes } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import { Problem } from '../../kit/errors.ts'

// OWASP Password Storage Cheat Sheet: argon2id with m = 19 MiB, t = 2, p = 1.
const options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

export const hashPassword = (password: string): Promise<string> => hash(password, options)

let decoy: Promise<string> | undefined

/** Takes as long whether there is such a user, with such a password, or not. */
export async function verifyPassword(stored: string | null | undefined, password: string): Promise<boolean> {
  decoy ??= hashPassword(randomBytes(16).toString('hex'))
  const matches = await verify(stored ?? (await decoy), password).catch(() => false)
  return Boolean(stored) && matches
}

/** @throws Problem 400 weak_password */
export function requireStrong(password: string): void {
  if (password.length < 12) throw new Problem(400, 'weak_password', 'password: at least 12 characters', { field: 'password', limit: 12 })
  if (new Set(password).size < 5) throw new Problem(400, 'weak_password', 'password: too few different characters', { field: 'password' })
}
