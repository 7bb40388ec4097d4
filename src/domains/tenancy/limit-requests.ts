import type pg from 'pg'
import { Problem } from '../../kit/errors.ts'
import type { Gate } from '../../kit/kernel.ts'
import type { TenantFacts } from './tenant-facts.ts'

/** Requests a minute, and how many may come at once after a pause: the size of the token bucket. */
export const requestRates = {
  single: { perMinute: 100, burst: 120 },
  team: { perMinute: 500, burst: 600 },
  enterprise: { perMinute: 2000, burst: 2500 },
} as const
type Rate = (typeof requestRates)[keyof typeof requestRates]

/** Of people who have not signed in, each address has a small bucket of its own in each process: strangers can't use up a tenant's. */
const strangers = { perMinute: 300, burst: 300 }

interface Lease {
  /** Taken from the shared bucket and not used yet. */
  held: number
  /** Left in the shared bucket when it was last asked, and when that was. */
  left: number
  at: number
  asking: Promise<void> | undefined
}

/** Share of the burst that a process takes at once: the more, the fewer questions, and the more lies idle with others. */
const share = 1 / 20
/** After this long without a request a process gives back what it holds. */
const idle = 2_000

/**
 * The token bucket of each tenant lies in PostgreSQL; every process leases a small share of it, so that all of them together never let
 * more through than one would, and most requests ask nobody.
 */
export function openRequestLimits(
  pool: pg.Pool,
  factsOf: (tenant: string) => Promise<TenantFacts>,
): { gate: Gate; close(): Promise<void> } {
  const leases = new Map<string, Lease>()
  const addresses = new Map<string, { tokens: number; at: number }>()

  async function lease(tenant: string, { perMinute, burst }: Rate, wanted: number, of: Lease): Promise<void> {
    const { rows } = await pool.query<{ granted: number; remaining: number }>({
      name: 'lease_requests',
      text: 'select granted, remaining from lease_requests($1, $2, $3, $4)',
      values: [tenant, wanted, perMinute, burst],
    })
    of.held += rows[0]?.granted ?? 0
    of.left = rows[0]?.remaining ?? 0
    of.at = Date.now()
  }

  async function take(tenant: string, rate: Rate): Promise<{ passes: boolean; remaining: number }> {
    let of = leases.get(tenant)
    if (!of) leases.set(tenant, (of = { held: 0, left: 0, at: 0, asking: undefined }))
    // What was refused a moment ago is refused again without asking, until the bucket has gained one.
    const gained = ((Date.now() - of.at) / 60_000) * rate.perMinute
    while (of.held < 1 && (of.asking || of.left + gained >= 1 || of.at === 0)) {
      const waiting = of.asking
      of.asking ??= lease(tenant, rate, Math.ceil(rate.burst * share), of).finally(() => {
        of.asking = undefined
      })
      await of.asking
      if (!waiting && of.held < 1) break
    }
    if (of.held < 1) return { passes: false, remaining: 0 }
    of.held -= 1
    return { passes: true, remaining: Math.floor(of.held + of.left) }
  }

  function takeFromAddress(address: string): boolean {
    const now = Date.now()
    const known = addresses.get(address) ?? { tokens: strangers.burst, at: now }
    const tokens = Math.min(strangers.burst, known.tokens + ((now - known.at) / 60_000) * strangers.perMinute)
    if (addresses.size > 50_000) addresses.clear()
    addresses.set(address, { tokens: Math.max(tokens - 1, 0), at: now })
    return tokens >= 1
  }

  const giveBack = async (all = false): Promise<void> => {
    for (const [tenant, of] of leases) {
      if (of.asking || (!all && Date.now() - of.at < idle)) continue
      leases.delete(tenant)
      const rate = requestRates[(await factsOf(tenant)).tier]
      if (of.held >= 1) await lease(tenant, rate, -of.held, { ...of })
    }
  }
  const tidy = setInterval(() => void giveBack().catch(() => {}), idle)
  tidy.unref()

  return {
    async gate({ principal, request, header }) {
      if (principal.via === 'local') return
      if (principal.via === 'anonymous') {
        if (!takeFromAddress(request.address ?? '')) throw refused(strangers, header)
        return
      }
      const rate = requestRates[(await factsOf(principal.tenant)).tier]
      const { passes, remaining } = await take(principal.tenant, rate)
      // draft-ietf-httpapi-ratelimit-headers-10, 3 and 4: w of the bucket is the time in which it fills.
      header('ratelimit-policy', `"minute";q=${rate.perMinute};w=60, "burst";q=${rate.burst};w=${fills(rate)}`)
      header('ratelimit', `"burst";r=${remaining};t=${Math.ceil(((rate.burst - remaining) / rate.perMinute) * 60)}`)
      if (!passes) throw refused(rate, header)
    },
    async close() {
      clearInterval(tidy)
      await giveBack(true).catch(() => {})
    },
  }
}

const fills = ({ perMinute, burst }: { perMinute: number; burst: number }): number =>
  Math.ceil((burst / perMinute) * 60)

function refused(rate: { perMinute: number; burst: number }, header: (name: string, value: string) => void): Problem {
  const wait = Math.max(1, Math.ceil(60 / rate.perMinute))
  header('retry-after', String(wait))
  return new Problem(
    429,
    'too_many_requests',
    `At most ${rate.perMinute} requests a minute, and ${rate.burst} at once after a pause.`,
    {
      limit: rate.perMinute,
      used: rate.burst,
      unit: 'requests a minute',
      resets_at: new Date(Date.now() + wait * 1000).toISOString(),
      'violated-policies': ['burst'],
    },
  )
}
