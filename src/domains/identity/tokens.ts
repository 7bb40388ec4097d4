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

/** Refresh, verification, reset, invitation, challenge: they name their tenant, since they come back to any host. */
export type TenantTokenKind = 'vf' | 'vv' | 'vr' | 'vi' | 'vc'

export function makeTenantToken(kind: TenantTokenKind, tenant: string): string {
  const body = Buffer.concat([Buffer.from(tenant.replaceAll('-', ''), 'hex'), randomBytes(32)]).toString('base64url')
  return `${kind}_${body}${checksum(body)}`
}

/** The tenant that a token names; null when it isn't one of that kind. It proves nothing before its hash was found there. */
export function tenantOfToken(kind: TenantTokenKind, token: string): string | null {
  const match = /^(v[fvric])_([A-Za-z0-9_-]{64})([0-9a-f]{8})$/.exec(token)
  const [, prefix, body = '', sum] = match ?? []
  if (prefix !== kind || checksum(body) !== sum) return null
  return Buffer.from(body, 'base64url')
    .subarray(0, 16)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** 256 random bits need no slow hash. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')

/** A program's session is found by its id, which its signed access tokens name; nobody holds what this is the hash of. */
export const hashOfSession = (id: string): string => hashToken(`session ${id}`)
