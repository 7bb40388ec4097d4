import { sql } from 'kysely'
import { z } from 'zod'
import { Problem } from '../../kit/errors.ts'
import { operation } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { aiTokenBalances, aiTokenUsage, apiUsage } from './metering.table.ts'

const balances = resource(aiTokenBalances)

export const tokenOperations = {
  used: { ...resource(aiTokenUsage).list },
  balances: balances.list,
  set: operation({
    name: 'ai_token_balances.set',
    method: 'PUT',
    path: '/v1/ai-token-balances/:user_id',
    summary: 'Say how many tokens of language models a person may still use',
    input: z.strictObject({ user_id: Id, balance: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER) }),
    output: aiTokenBalances.row,
    run: ({ tx }, { user_id, balance }) =>
      tx
        .insertInto('ai_token_balances')
        .values({ user_id, balance })
        .onConflict((conflict) =>
          conflict
            .columns(['tenant_id', 'user_id'])
            .doUpdateSet({ balance: sql`excluded.balance`, updated_at: sql`now()` }),
        )
        .returningAll()
        .executeTakeFirstOrThrow(),
  }),
  unset: operation({
    name: 'ai_token_balances.remove',
    method: 'DELETE',
    path: '/v1/ai-token-balances/:user_id',
    summary: 'Let a person use as many tokens as the plan allows',
    input: z.object({ user_id: Id }),
    output: z.object({ user_id: Id }),
    async run({ tx }, { user_id }) {
      await tx
        .deleteFrom('ai_token_balances')
        .where('user_id', '=', user_id)
        .returning('id')
        .executeTakeFirstOrThrow(() => new Problem(404, 'not_found', 'There is no such token balance.'))
      return { user_id }
    },
  }),
}

export const apiUsageOperations = { list: resource(apiUsage).list }
