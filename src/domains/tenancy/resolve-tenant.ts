import { isIP } from 'node:net'
import type pg from 'pg'
import { z } from 'zod'
import { Problem } from '../../kit/errors.ts'
import type { TenantFacts } from './tenant-facts.ts'

const firstTenant = '00000000-0000-0000-0000-000000000001'
/** The first tenant's and the first reseller's id is fixed, and of no version that RFC 9562 knows. */
export const AnyId = z.guid()

export interface TenantResolver {
  /**
   * The tenant that the address or X-Tenant-ID names; null when neither does, as on the server's own host.
   * @throws Problem 404 not_found for a name that is nobody's, 403 tenant_mismatch when the two disagree
   */
  named(from: { host: string; tenant?: string }): Promise<string | null>
  /** The tenant that somebody without a credential deals with; throws Problem 404 not_found when it is suspended or not there. */
  forStranger(from: { host: string; tenant?: string }): Promise<string>
  /** A tenant for this domain that a certificate may be made for. */
  serves(host: string): Promise<boolean>
  forget(): void
}

const mismatch = (): Problem =>
  new Problem(403, 'tenant_mismatch', 'Address, X-Tenant-ID and credential do not name the same tenant.')

/** The credential's tenant, if nothing else names another one. */
export function agree(credential: string, named: string | null): string {
  if (named !== null && named !== credential) throw mismatch()
  return credential
}

interface Found {
  /** null: of nobody. */
  id: string | null
  suspended: boolean
  until: number
}

/**
 * Finds tenants by address: a custom domain that was proved, or a name before the server's own host. Without `publicUrl` the server does
 * not know its own host, and an address that is nobody's is taken for it.
 */
export function openTenantResolver(
  pool: pg.Pool,
  factsOf: (tenant: string) => Promise<TenantFacts>,
  publicUrl: string | undefined,
): TenantResolver {
  const own = publicUrl ? new URL(publicUrl).hostname.toLowerCase() : undefined
  const known = new Map<string, Found>()

  async function find(host: string, label: string | null): Promise<Found> {
    const cached = known.get(host)
    if (cached && cached.until > Date.now()) return cached
    const { rows } = await pool.query<{ id: string; suspended: boolean }>({
      name: 'find_address',
      text: 'select id, suspended from find_address($1, $2)',
      values: [host, label],
    })
    const found = { id: rows[0]?.id ?? null, suspended: rows[0]?.suspended ?? false, until: Date.now() + 5_000 }
    if (known.size >= 10_000) known.clear()
    known.set(host, found)
    return found
  }

  /** The name before our own host; any first part when our own host is not known. */
  function labelOf(host: string): string | null {
    const [label = '', ...rest] = host.split('.')
    if (own) return rest.join('.') === own ? label : null
    return rest.length ? label : null
  }

  async function byHost(written: string): Promise<string | null> {
    const host = written.toLowerCase().replace(/\.$/, '')
    if (host === own || !host.includes('.') || isIP(host.replace(/^\[|\]$/g, ''))) return null
    const label = labelOf(host)
    const { id, suspended } = await find(host, label)
    if (id && !suspended) return id
    if (id || (own && label)) throw new Problem(404, 'not_found', 'There is no such tenant.')
    return null
  }

  async function named({ host, tenant }: { host: string; tenant?: string }) {
    const addressed = await byHost(host)
    if (tenant === undefined) return addressed
    if (!AnyId.safeParse(tenant).success)
      throw new Problem(400, 'invalid_input', 'X-Tenant-ID: must be a UUID', { field: 'X-Tenant-ID' })
    if (addressed !== null && addressed !== tenant.toLowerCase()) throw mismatch()
    return tenant.toLowerCase()
  }

  return {
    named,
    async forStranger(from) {
      const tenant = (await named(from)) ?? firstTenant
      if ((await factsOf(tenant)).suspended) throw new Problem(404, 'not_found', 'There is no such tenant.')
      return tenant
    },
    async serves(host) {
      const name = host.toLowerCase()
      if (name === own) return true
      const { id, suspended } = await find(name, labelOf(name))
      return id !== null && !suspended
    },
    forget: () => known.clear(),
  }
}
