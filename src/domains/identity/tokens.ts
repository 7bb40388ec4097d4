import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** `vp_` for keys, `vs_` for sessions: secret scanners find them, and the checksum tells a mistyped one from a wrong one without asking the database. */
export type TokenKind = 'vp' | 'vs'

export function makeToken(kind: TokenKind): string {
  const body = randomBytes(32).toString('base64url')
  return `${kind}_${body}${checksum(body)}`
}

const checksum = (body: string): string => crc32(body).toString(16).padStart(8, '0')

export function isWellFormed(token: string): boolean {
  const match = /^v[ps]_([A-Za-z0-9_-]{43})([0-9a-f]{8})$/.exec(token)
  return match !== null && checksum(match[1] as string) === match[2]
}

/** 256 random bits need no slow hash. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')
