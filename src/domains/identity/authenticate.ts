import type pg from 'pg'
import type { Credentials } from '../../kit/http.ts'
import { Problem } from '../../kit/errors.ts'
import type { Principal } from '../../kit/operation.ts'
import { type TenantResolver, agree } from '../tenancy/resolve-tenant.ts'
import { type AccessTokens, looksLikeJwt } from './access-token.ts'
import type { UseRecorder } from './record-use.ts'
import { narrow } from './roles.ts'
import { hashOfSession, hashToken, isWellFormed } from './tokens.ts'

export const defaultTenant = '00000000-0000-0000-0000-000000000001'

interface Held {
  kind: 'session' | 'api_key'
  credential: string
  tenant_id: string
  user_id: string
  email: string
  roles: string[]
  scopes: string[] | null
}

/** How long a looked-up credential is believed without looking again: the longest that a revoked one still works in another process. */
const believed = 5_000
const cacheSize = 10_000

/** What roles of a tenant grant, as patterns. */
export type PermissionsOf = (tenant: string, roles: readonly string[]) => Promise<string[]>

export interface Authenticator {
  authenticate(credentials: Credentials): Promise<Principal>
  /** Forgets what was looked up, so that a revocation works here at once. */
  forget(): void
}

export function openAuthenticator(
  pool: pg.Pool,
  accessTokens: AccessTokens,
  uses: UseRecorder,
  names: TenantResolver,
  permissionsOf: PermissionsOf,
): Authenticator {
  const known = new Map<string, { principal: Principal; until: number }>()

  async function hashOfAccess(token: string): Promise<string | null> {
    const claims = await accessTokens.verify(token)
    return claims && hashOfSession(claims.session)
  }

  async function lookUp(hash: string): Promise<Principal | null> {
    const cached = known.get(hash)
    if (cached && cached.until > Date.now()) return cached.principal
    const { rows } = await pool.query<Held>({
      name: 'find_credential',
      text: 'select * from find_credential($1)',
      values: [hash],
    })
    const [held] = rows
    if (!held) return null
    const principal = principalOf(held, await permissionsOf(held.tenant_id, held.roles))
    if (known.size >= cacheSize) known.clear()
    known.set(hash, { principal, until: Date.now() + believed })
    return principal
  }

  return {
    async authenticate({ authorization, cookie, host, tenant }) {
      const bearer = authorization === undefined ? undefined : /^Bearer +(\S+)$/i.exec(authorization)?.[1]
      if (authorization !== undefined && !bearer) throw invalid()
      const token = bearer ?? cookie
      if (!token) return anonymous(await names.forStranger({ host, tenant }))
      const hash =
        bearer && looksLikeJwt(bearer) ? await hashOfAccess(bearer) : isWellFormed(token) ? hashToken(token) : null
      const principal = hash === null ? null : await lookUp(hash)
      if (!principal) {
        // A browser can't throw an old cookie away by itself, and must be able to sign in again.
        if (!bearer) return anonymous(await names.forStranger({ host, tenant }))
        throw invalid()
      }
      uses.note({
        tenant: principal.tenant,
        kind: principal.via as 'session' | 'api_key',
        id: principal.credential as string,
      })
      agree(principal.tenant, await names.named({ host, tenant }))
      return principal
    },
    forget: () => known.clear(),
  }
}

const invalid = () =>
  new Problem(401, 'invalid_credential', 'This credential is not valid, was revoked or has expired.')

function principalOf(held: Held, own: string[]): Principal {
  return {
    tenant: held.tenant_id,
    user: held.user_id,
    email: held.email,
    roles: held.roles,
    permissions: held.scopes ? narrow(held.scopes, own) : own,
    seesAll: held.roles.includes('admin'),
    via: held.kind,
    credential: held.credential,
  }
}

export const anonymous = (tenant: string): Principal => ({
  tenant,
  user: null,
  email: null,
  roles: [],
  permissions: [],
  seesAll: false,
  via: 'anonymous',
  credential: null,
})
