import type pg from 'pg'
import type { Credentials } from '../../kit/http.ts'
import { Problem } from '../../kit/errors.ts'
import type { Principal } from '../../kit/operation.ts'
import { narrow } from './roles.ts'
import { hashToken, isWellFormed } from './tokens.ts'

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

export function openAuthenticator(pool: pg.Pool, permissionsOf: PermissionsOf): Authenticator {
  const known = new Map<string, { principal: Principal; until: number }>()
  const tenants = new Map<string, { id: string | null; until: number }>()

  async function lookUp(token: string): Promise<Principal> {
    const hash = hashToken(token)
    const cached = known.get(hash)
    if (cached && cached.until > Date.now()) return cached.principal
    const { rows } = await pool.query<Held>({ name: 'find_credential', text: 'select * from find_credential($1)', values: [hash] })
    const [held] = rows
    if (!held) throw invalid()
    const principal = principalOf(held, await permissionsOf(held.tenant_id, held.roles))
    if (known.size >= cacheSize) known.clear()
    known.set(hash, { principal, until: Date.now() + believed })
    return principal
  }

  async function tenantOf(host: string): Promise<string> {
    const [slug = ''] = host.split('.')
    if (!host.includes('.') || /^[\d.]+$/.test(host)) return defaultTenant
    const cached = tenants.get(slug)
    if (cached && cached.until > Date.now()) return cached.id ?? defaultTenant
    const { rows } = await pool.query<{ id: string | null }>('select find_tenant($1) as id', [slug])
    if (tenants.size >= cacheSize) tenants.clear()
    tenants.set(slug, { id: rows[0]?.id ?? null, until: Date.now() + 60_000 })
    return rows[0]?.id ?? defaultTenant
  }

  return {
    async authenticate({ authorization, cookie, host, tenant }) {
      const bearer = authorization === undefined ? undefined : /^Bearer +(\S+)$/i.exec(authorization)?.[1]
      if (authorization !== undefined && !bearer) throw invalid()
      const token = bearer ?? cookie
      if (!token) return anonymous(await tenantOf(host))
      if (!isWellFormed(token)) throw invalid()
      const principal = await lookUp(token)
      if (tenant && tenant !== principal.tenant) throw new Problem(403, 'tenant_mismatch', 'X-Tenant-ID is not the tenant that this credential belongs to.')
      return principal
    },
    forget: () => known.clear(),
  }
}

const invalid = () => new Problem(401, 'invalid_credential', 'This credential is not valid, was revoked or has expired.')

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

export const anonymous = (tenant: string): Principal => ({ tenant, user: null, email: null, roles: [], permissions: [], seesAll: false, via: 'anonymous', credential: null })
