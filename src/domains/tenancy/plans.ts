import { sql } from 'kysely'
import { z } from 'zod'
import type { Row, Tx } from '../../kit/database.ts'
import { Problem } from '../../kit/errors.ts'
import { operation } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { subscriptionPlans } from './resellers.table.ts'

/** @throws Problem 403 not_a_reseller, as for a reseller that is suspended */
export async function requireReseller(tx: Tx): Promise<string> {
  const { rows } = await sql<{ id: string | null }>`select acting_reseller() as id`.execute(tx)
  if (!rows[0]?.id) throw new Problem(403, 'not_a_reseller', 'Only a reseller has plans and brandings of its own.')
  return rows[0].id
}

const platform = '00000000-0000-0000-0000-000000000001'
const { list, get, create, update } = resource(subscriptionPlans)

/** What a reseller sells; the platform's are the system's tiers. */
export const planOperations = {
  list,
  get,
  offered: operation({
    name: 'subscription_plans.offered',
    method: 'GET',
    path: '/v1/subscription-plans/offered',
    summary: 'List the plans that your tenant may choose from, with the one it has',
    input: z.object({}),
    output: z.object({ items: z.array(subscriptionPlans.row) }),
    async run({ tx }) {
      const { rows } = await sql<Row<typeof subscriptionPlans>>`select * from offered_plans()`.execute(tx)
      return { items: rows }
    },
  }),
  create: operation({
    ...create,
    async run({ tx }, { features, ...plan }) {
      const seller = await requireReseller(tx)
      return tx
        .insertInto('subscription_plans')
        .values({
          ...plan,
          reseller_id: seller === platform ? null : seller,
          features: JSON.stringify(features ?? {}) as never,
        })
        .returningAll()
        .executeTakeFirstOrThrow()
    },
  }),
  update: operation({
    ...update,
    summary: 'Change a plan; tenants that have it keep their limits until it is given to them anew',
    async run(context, input) {
      await requireReseller(context.tx)
      return update.run(context, input)
    },
  }),
}
