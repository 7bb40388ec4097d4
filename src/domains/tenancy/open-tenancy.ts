import { openPublicFetch } from '../../kit/fetch-public.ts'
import type { Kernel } from '../../kit/kernel.ts'
import { openRequestLimits } from './limit-requests.ts'
import { type TenantResolver, openTenantResolver } from './resolve-tenant.ts'
import { openTenantFacts, standingGate } from './tenant-facts.ts'
import { type FetchPage, type ResolveTxt, resolveTxt } from './verify-domain.ts'

export interface Tenancy {
  resolver: TenantResolver
  resolveTxt: ResolveTxt
  fetchPage: FetchPage
  /** Forgets what was looked up, so that a change works here at once. */
  forget(): void
}

declare module '../../kit/operation.ts' {
  interface Services {
    tenancy: Tenancy
  }
}

/** Resolution, state and request limits of tenants, for all doors. */
export function openTenancy(kernel: Kernel): Tenancy {
  const { config, pool } = kernel
  const facts = openTenantFacts(pool)
  if (config.VOICEPRESS_RATE_LIMITS) {
    const limits = openRequestLimits(pool, facts.of)
    kernel.gates.push(limits.gate)
    kernel.closing.push(() => limits.close())
  }
  kernel.gates.push(standingGate(facts.of))
  const resolver = openTenantResolver(pool, facts.of, config.VOICEPRESS_PUBLIC_URL)
  return {
    resolver,
    resolveTxt,
    fetchPage: openPublicFetch({ allowPrivate: config.VOICEPRESS_PRIVATE_ADDRESSES, maximumBytes: 10_000 }),
    forget() {
      facts.forget()
      resolver.forget()
    },
  }
}
