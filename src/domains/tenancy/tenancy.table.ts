import { z } from 'zod'
import { bytes, integer, json, oneOf, real, reference, table, text, timestamp, uuid } from '../../kit/table.ts'
import { states } from './standing.ts'

export const tiers = ['single', 'team', 'enterprise'] as const

/** The root of everything: its own id is the tenant_id of all other rows. */
export const tenants = table('tenants', 'tenant', {
  name: text(255),
  slug: text(63).readonly(),
  plan: oneOf(tiers).default("'single'").readonly(),
  subscription_status: oneOf(states).default("'active'").readonly(),
  suspended_at: timestamp().nullable().readonly(),
  suspended_reason: text(1000).nullable().readonly(),
  domain: text(253).nullable().readonly(),
  reseller_id: uuid().nullable().readonly(),
  pending_reseller_id: uuid().nullable().secret(),
  subscription_plan_id: uuid().nullable().readonly(),
  branding_configuration_id: uuid().nullable().readonly(),
  trial_ends_at: timestamp().nullable().readonly(),
  current_period_ends_at: timestamp().nullable().readonly(),
  past_due_since: timestamp().nullable().readonly(),
  stripe_customer_id: text(255).nullable().secret(),
  subscription_id: text(255).nullable().secret(),
})

export const tenantSettings = table('tenant_settings', 'settings', {
  settings: json(z.record(z.string().max(100), z.unknown())).default("'{}'"),
})

export const tenantQuotas = table('tenant_quotas', 'quotas', {
  max_users: integer().default('5').readonly(),
  max_projects: integer().default('10').readonly(),
  max_podcasts: integer().default('5').readonly(),
  max_campaigns: integer().default('10').readonly(),
  max_storage_bytes: bytes().default('107374182400').readonly(),
  max_processing_minutes: integer().default('6000').readonly(),
})

/** What running jobs will use. */
export const quotaReservations = table('quota_reservations', 'quota reservation', {
  quota: oneOf(['processing', 'storage']).readonly(),
  amount: real().readonly(),
  job_id: reference('jobs').readonly(),
})

/** One token bucket a tenant; filled and drawn from by `lease_requests` alone. */
export const requestBuckets = table('request_buckets', 'request bucket', {
  tokens: real().readonly(),
  refilled_at: timestamp().default('now()').readonly(),
})

declare module '../../kit/database.ts' {
  interface DB {
    tenants: Columns<typeof tenants>
    tenant_settings: Columns<typeof tenantSettings>
    tenant_quotas: Columns<typeof tenantQuotas>
    quota_reservations: Columns<typeof quotaReservations>
    request_buckets: Columns<typeof requestBuckets>
  }
}
