import { sql } from 'kysely'
import { z } from 'zod'
import { notFound } from '../../kit/errors.ts'
import { operation } from '../../kit/operation.ts'
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
    run: ({ tx }) => tx.selectFrom('tenants').selectAll().executeTakeFirstOrThrow(() => notFound('tenant')),
  }),
  update: operation({
    name: 'tenant.update',
    method: 'PATCH',
    path: '/v1/tenant',
    summary: 'Rename your tenant',
    input: tenants.update,
    output: tenants.row,
    run: ({ tx }, input) => tx.updateTable('tenants').set({ ...input, updated_at: sql`now()` }).returningAll().executeTakeFirstOrThrow(() => notFound('tenant')),
  }),
  quotas: operation({
    name: 'tenant.quotas',
    method: 'GET',
    path: '/v1/tenant/quotas',
    summary: 'Show what your tenant may use at most',
    input: none,
    output: tenantQuotas.row,
    run: ({ tx }) => tx.selectFrom('tenant_quotas').selectAll().executeTakeFirstOrThrow(() => notFound('quotas')),
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
        .onConflict((conflict) => conflict.column('tenant_id').doUpdateSet({ settings: sql`jsonb_strip_nulls(tenant_settings.settings || excluded.settings)`, updated_at: sql`now()` }))
        .returningAll()
        .executeTakeFirstOrThrow(),
  }),
}
