import { z } from 'zod'
import { bytes, integer, json, oneOf, table, text, timestamp } from '../../kit/table.ts'

export const plans = ['single', 'team', 'enterprise'] as const

/** The root of everything: its own id is the tenant_id of all other rows. */
export const tenants = table('tenants', 'tenant', {
  name: text(255),
  slug: text(63).readonly(),
  plan: oneOf(plans).default("'single'").readonly(),
  subscription_status: oneOf(['trial', 'active', 'past_due', 'cancelled', 'expired']).default("'active'").readonly(),
  suspended_at: timestamp().nullable().readonly(),
  suspended_reason: text(1000).nullable().readonly(),
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

declare module '../../kit/database.ts' {
  interface DB {
    tenants: Columns<typeof tenants>
    tenant_settings: Columns<typeof tenantSettings>
    tenant_quotas: Columns<typeof tenantQuotas>
  }
}
