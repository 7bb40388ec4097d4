import type { Tx } from '../../kit/database.ts'

export interface Metered {
  user: string | null
  project?: string | null
  job?: string | null
  cost?: { service: string; operation: string; model?: string; units: number; unitType: string; costUsd: number; promptTokens?: number; completionTokens?: number; metadata?: Record<string, unknown> }
  usage?: { resource: 'storage' | 'narration' | 'transcription'; amount: number }
}

/** The one place that writes down what was used and what it cost. */
export async function meter(tx: Tx, metered: Metered[]): Promise<void> {
  const who = ({ user, project, job }: Metered) => ({ user_id: user, project_id: project ?? null, job_id: job ?? null })
  const costs = metered.flatMap((one) => {
    if (!one.cost) return []
    const { service, operation, model, units, unitType, costUsd, promptTokens = 0, completionTokens = 0, metadata = {} } = one.cost
    return [{ ...who(one), service, operation, model: model ?? null, units, unit_type: unitType, cost_usd: costUsd, prompt_tokens: promptTokens, completion_tokens: completionTokens, metadata: JSON.stringify(metadata) as never }]
  })
  const usage = metered.flatMap((one) => {
    if (!one.usage || one.usage.amount === 0) return []
    const unit: 'bytes' | 'minutes' = one.usage.resource === 'storage' ? 'bytes' : 'minutes'
    return [{ ...who(one), resource_type: one.usage.resource, amount: one.usage.amount, unit }]
  })
  if (costs.length) await tx.insertInto('cost_entries').values(costs).execute()
  if (usage.length) await tx.insertInto('usage_records').values(usage).execute()
}
