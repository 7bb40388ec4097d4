import { z } from 'zod'
import { Field, boolean, email, integer, json, oneOf, table, text, timestamp, uuid } from '../../kit/table.ts'
import { assets, colour, texts, theme } from './brand-fields.ts'
import { features } from './features.ts'
import { tiers } from './tenancy.table.ts'

const price = () =>
  new Field(
    z.number().min(0).max(99_999_999),
    { type: 'numeric(10,2)', nullable: false, check: '@ >= 0' },
    'write',
    false,
  )
const percent = () =>
  new Field(
    z.number().min(0).max(100),
    { type: 'numeric(5,2)', nullable: false, check: '@ between 0 and 100' },
    'write',
    false,
  )

/** `tenant_id` is its office: the tenant that its own people belong to. */
export const resellers = table('resellers', 'reseller', {
  name: text(255),
  email: email().personal().of('user', 'pseudonymise'),
  phone: text(50).nullable().personal(),
  commission_rate: percent().default('0'),
  status: oneOf(['active', 'suspended']).default("'active'"),
})

/** One without a reseller is a system tier. */
export const subscriptionPlans = table('subscription_plans', 'subscription plan', {
  reseller_id: uuid().nullable().readonly(),
  name: text(100),
  description: text(2000).nullable(),
  /** Sets how many requests a minute the API takes. */
  tier: oneOf(tiers).default("'single'"),
  price_monthly: price().default('0'),
  price_yearly: price().default('0'),
  storage_quota_mb: integer(),
  processing_quota_minutes: integer(),
  max_users: integer(),
  max_projects: integer().default('10'),
  max_podcasts: integer().default('5'),
  max_campaigns: integer().default('10'),
  features: json(features).default("'{}'"),
  is_active: boolean().default('true'),
})

export const brandingConfigurations = table('branding_configurations', 'branding configuration', {
  reseller_id: uuid().readonly(),
  name: text(100),
  is_default: boolean().default('false'),
  theme: json(theme).default("'{}'"),
  assets: json(assets).default("'{}'").readonly(),
  texts: json(texts).default("'{}'"),
})

/** A tenant's own look over its reseller's, and the domain it wants to be reached by. */
export const whiteLabelSettings = table('white_label_settings', 'white label settings', {
  brand_name: text(100).nullable(),
  /** Where the uploaded logo is to be had. */
  logo_url: text(2000).nullable().readonly(),
  primary_color: new Field(
    colour,
    { type: 'text', nullable: false, check: 'length(@) <= 7' },
    'write',
    false,
  ).nullable(),
  custom_domain: text(253).nullable().readonly(),
  domain_token: text(64).nullable().readonly(),
  domain_verified_at: timestamp().nullable().readonly(),
  theme: json(theme).default("'{}'"),
  assets: json(assets).default("'{}'").readonly(),
  texts: json(texts).default("'{}'"),
})

declare module '../../kit/database.ts' {
  interface DB {
    resellers: Columns<typeof resellers>
    subscription_plans: Columns<typeof subscriptionPlans>
    branding_configurations: Columns<typeof brandingConfigurations>
    white_label_settings: Columns<typeof whiteLabelSettings>
  }
}
