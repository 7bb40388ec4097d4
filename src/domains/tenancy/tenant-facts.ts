import type pg from 'pg'
import { Problem } from '../../kit/errors.ts'
import type { Gate } from '../../kit/kernel.ts'
import type { Features } from './features.ts'
import { type Standing, requireChangeable } from './standing.ts'
import type { tiers } from './tenancy.table.ts'

export interface TenantFacts {
  tier: (typeof tiers)[number]
  standing: Standing
  features: Features | null
  suspended: boolean
}

/** The longest that a changed plan or a suspension still is not known in another process. */
const believed = 5_000

/** What the door asks about a tenant, kept for a moment. */
export function openTenantFacts(pool: pg.Pool): { of(tenant: string): Promise<TenantFacts>; forget(): void } {
  const known = new Map<string, { facts: Promise<TenantFacts>; until: number }>()
  async function read(tenant: string): Promise<TenantFacts> {
    const { rows } = await pool.query<TenantFacts>({
      name: 'tenant_facts',
      text: 'select * from tenant_facts($1)',
      values: [tenant],
    })
    if (!rows[0]) throw new Problem(404, 'not_found', 'There is no such tenant.')
    return rows[0]
  }
  return {
    of(tenant) {
      const cached = known.get(tenant)
      if (cached && cached.until > Date.now()) return cached.facts
      if (known.size >= 10_000) known.clear()
      const facts = read(tenant)
      facts.catch(() => known.delete(tenant))
      known.set(tenant, { facts, until: Date.now() + believed })
      return facts
    },
    forget: () => known.clear(),
  }
}

/** Keeps an ended subscription to what it still allows, and everybody out of a suspended tenant. */
export const standingGate =
  (factsOf: (tenant: string) => Promise<TenantFacts>): Gate =>
  async ({ operation, principal }) => {
    if (principal.via === 'local' || principal.via === 'anonymous') return
    const { standing, suspended } = await factsOf(principal.tenant)
    if (suspended)
      throw new Problem(401, 'invalid_credential', 'This credential is not valid, was revoked or has expired.')
    requireChangeable(standing, operation)
  }
