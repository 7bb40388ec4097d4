import { sql } from 'kysely'
import type { Tx } from '../../kit/database.ts'
import { Problem } from '../../kit/errors.ts'

export interface Metered {
  user: string | null
  project?: string | null
  job?: string | null
  /** Tokens of a language model among it are counted, and taken from the person's balance if they have one. */
  cost?: {
    service: string
    operation: string
    model?: string
    units: number
    unitType: string
    costUsd: number
    promptTokens?: number
    completionTokens?: number
    metadata?: Record<string, unknown>
  }
  usage?: { resource: 'storage' | 'narration' | 'transcription'; amount: number }
}

/** The one place that writes down what was used and what it cost: usage_records, cost_entries, ai_token_usage and balances. */
export async function meter(tx: Tx, metered: Metered[]): Promise<void> {
  const who = ({ user, project, job }: Metered) => ({ user_id: user, project_id: project ?? null, job_id: job ?? null })
  const costs = metered.flatMap((one) => {
    if (!one.cost) return []
    const {
      service,
      operation,
      model,
      units,
      unitType,
      costUsd,
      promptTokens = 0,
      completionTokens = 0,
      metadata = {},
    } = one.cost
    return [
      {
        ...who(one),
        service,
        operation,
        model: model ?? null,
        units,
        unit_type: unitType,
        cost_usd: costUsd,
        prompt_tokens: promptTokens,
        completion_tokens: completionTokens,
        metadata: JSON.stringify(metadata) as never,
      },
    ]
  })
  const usage = metered.flatMap((one) => {
    if (!one.usage || one.usage.amount === 0) return []
    const unit: 'bytes' | 'minutes' = one.usage.resource === 'storage' ? 'bytes' : 'minutes'
    return [{ ...who(one), resource_type: one.usage.resource, amount: one.usage.amount, unit }]
  })
  const tokens = costs.flatMap(({ user_id, project_id, job_id, operation, model, prompt_tokens, completion_tokens }) =>
    prompt_tokens + completion_tokens > 0
      ? [
          {
            user_id,
            project_id,
            job_id,
            usage_type: operation.slice(0, 50),
            model,
            token_count: prompt_tokens + completion_tokens,
          },
        ]
      : [],
  )
  if (costs.length) await tx.insertInto('cost_entries').values(costs).execute()
  if (usage.length) await tx.insertInto('usage_records').values(usage).execute()
  if (tokens.length) {
    await tx.insertInto('ai_token_usage').values(tokens).execute()
    const people = Map.groupBy(
      tokens.filter(({ user_id }) => user_id !== null),
      ({ user_id }) => user_id as string,
    )
    // In one order everywhere, so that two who write at once don't lock each other out.
    for (const [user, used] of [...people].sort(([one], [other]) => (one < other ? -1 : 1))) {
      const count = used.reduce((sum, { token_count }) => sum + token_count, 0)
      await tx
        .updateTable('ai_token_balances')
        .set({ balance: sql`balance - ${count}`, updated_at: sql`now()` })
        .where('user_id', '=', user)
        .execute()
    }
  }
}

/**
 * Refuses a call to a language model by somebody whose tokens are used up, before it costs anything.
 * @throws Problem 403 quota_exceeded
 */
export async function requireTokens(tx: Tx, user: string | null, wanted = 1): Promise<void> {
  if (user === null) return
  const row = await tx.selectFrom('ai_token_balances').select('balance').where('user_id', '=', user).executeTakeFirst()
  if (!row || row.balance >= wanted) return
  throw new Problem(
    403,
    'quota_exceeded',
    `${Math.max(row.balance, 0)} tokens are left to you and this needs ${wanted}; an administrator can give you more.`,
    { quota: 'ai_tokens', limit: Math.max(row.balance, 0), used: 0, wanted, unit: 'tokens' },
  )
}
