import { sql } from 'kysely'
import { z } from 'zod'
import type { Row } from '../../kit/database.ts'
import { notFound } from '../../kit/errors.ts'
import { operation } from '../../kit/operation.ts'
import { type Quota, quotaUnits } from './enforce-quota.ts'
import { features } from './features.ts'
import { requestRates } from './limit-requests.ts'
import { subscriptionPlans } from './resellers.table.ts'
import { states } from './standing.ts'
import { tenantQuotas, tenantSettings, tenants } from './tenancy.table.ts'

const none = z.object({})

export const operations = {
  show: operation({
    name: 'tenant.get',
    method: 'GET',
    path: '/v1/tenant',
    summary: 'Show your tenant',
    input: none,
    output: tenants.row,
    run: ({ tx }) =>
      tx
        .selectFrom('tenants')
        .selectAll()
        .executeTakeFirstOrThrow(() => notFound('tenant')),
  }),
  update: operation({
    name: 'tenant.update',
    method: 'PATCH',
    path: '/v1/tenant',
    summary: 'Rename your tenant',
    input: tenants.update,
    output: tenants.row,
    run: ({ tx }, input) =>
      tx
        .updateTable('tenants')
        .set({ ...input, updated_at: sql`now()` })
        .returningAll()
        .executeTakeFirstOrThrow(() => notFound('tenant')),
  }),
  quotas: operation({
    name: 'tenant.quotas',
    method: 'GET',
    path: '/v1/tenant/quotas',
    summary: 'Show what your tenant may use at most',
    input: none,
    output: tenantQuotas.row,
    run: ({ tx }) =>
      tx
        .selectFrom('tenant_quotas')
        .selectAll()
        .executeTakeFirstOrThrow(() => notFound('quotas')),
  }),
  subscription: operation({
    name: 'tenant.subscription',
    method: 'GET',
    path: '/v1/tenant/subscription',
    summary: 'Show your plan, its state, what it has and how many requests a minute it allows',
    input: none,
    output: z.object({
      plan: subscriptionPlans.row.nullable(),
      standing: z.enum(states),
      features: features.nullable(),
      requests_per_minute: z.number(),
      request_burst: z.number(),
      trial_ends_at: z.string().nullable(),
      current_period_ends_at: z.string().nullable(),
    }),
    async run({ tx }) {
      const tenant = await tx
        .selectFrom('tenants')
        .selectAll()
        .select(sql<(typeof states)[number]>`standing_of(tenants)`.as('standing'))
        .executeTakeFirstOrThrow(() => notFound('tenant'))
      const { rows } = await sql<
        Row<typeof subscriptionPlans>
      >`select * from offered_plans() where id = ${tenant.subscription_plan_id}`.execute(tx)
      const { perMinute, burst } = requestRates[tenant.plan]
      return {
        ...tenant,
        plan: rows[0] ?? null,
        features: rows[0]?.features ?? null,
        requests_per_minute: perMinute,
        request_burst: burst,
      }
    },
  }),
  usage: operation({
    name: 'tenant.usage',
    method: 'GET',
    path: '/v1/tenant/usage',
    summary: 'Show how much of each limit is used now',
    input: none,
    output: z.object({ items: z.array(z.object({ quota: z.string(), used: z.number(), unit: z.string() })) }),
    async run({ tx }) {
      const { rows } = await sql<{
        quota: Quota
        used: number
      }>`select quota, quota_used(quota) as used from unnest(${Object.keys(quotaUnits)}::text[]) as quota`.execute(tx)
      return { items: rows.map((row) => ({ ...row, unit: quotaUnits[row.quota] })) }
    },
  }),
  settings: operation({
    name: 'tenant.settings',
    method: 'GET',
    path: '/v1/tenant/settings',
    summary: "Show your tenant's settings",
    input: none,
    output: z.object({ settings: z.record(z.string(), z.unknown()) }),
    async run({ tx }) {
      return (await tx.selectFrom('tenant_settings').select('settings').executeTakeFirst()) ?? { settings: {} }
    },
  }),
  changeSettings: operation({
    name: 'tenant.change_settings',
    method: 'PATCH',
    path: '/v1/tenant/settings',
    summary: "Change your tenant's settings: what is sent is merged into them, null removes",
    input: z.strictObject({ settings: z.record(z.string().max(100), z.unknown()) }),
    output: tenantSettings.row,
    run: ({ tx }, { settings }) =>
      tx
        .insertInto('tenant_settings')
        .values({ settings: JSON.stringify(settings) as never })
        .onConflict((conflict) =>
          conflict.column('tenant_id').doUpdateSet({
            settings: sql`jsonb_strip_nulls(tenant_settings.settings || excluded.settings)`,
            updated_at: sql`now()`,
          }),
        )
        .returningAll()
        .executeTakeFirstOrThrow(),
  }),
}
