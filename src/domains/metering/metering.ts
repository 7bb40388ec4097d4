import { sql } from 'kysely'
import { z } from 'zod'
import { operation } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { costEntries, usageRecords } from './metering.table.ts'

const day = z.iso.date()
const line = z.object({
  service: z.string(),
  operation: z.string(),
  day: z.string(),
  calls: z.number(),
  units: z.number(),
  unit_type: z.string(),
  cost_usd: z.number(),
})

export const costOperations = {
  list: { ...resource(costEntries).list, name: 'costs.list', path: '/v1/costs' },
  summary: operation({
    name: 'costs.summary',
    method: 'GET',
    path: '/v1/costs/summary',
    summary: 'Add up costs by service, operation and day',
    input: z.object({ project_id: Id.optional(), from: day.optional(), to: day.optional() }),
    output: z.object({ total_usd: z.number(), lines: z.array(line) }),
    async run({ tx }, { project_id, from, to }) {
      let query = tx
        .selectFrom('cost_entries')
        .select([
          'service',
          'operation',
          'unit_type',
          sql<string>`to_char(created_at at time zone 'utc', 'YYYY-MM-DD')`.as('day'),
          sql<number>`count(*)`.as('calls'),
          sql<number>`sum(units)`.as('units'),
          sql<number>`sum(cost_usd)`.as('cost_usd'),
        ])
      if (project_id) query = query.where('project_id', '=', project_id)
      if (from) query = query.where('created_at', '>=', `${from}T00:00:00Z`)
      if (to) query = query.where('created_at', '<', sql<string>`${to}::date + 1`)
      const lines = await query
        .groupBy(['service', 'operation', 'unit_type', 'day'])
        .orderBy('day')
        .orderBy('service')
        .orderBy('operation')
        .execute()
      return { total_usd: lines.reduce((sum, { cost_usd }) => sum + cost_usd, 0), lines }
    },
  }),
}

export const usageOperations = {
  list: { ...resource(usageRecords).list, name: 'usage.list', path: '/v1/usage' },
}
