import { z } from 'zod'
import { integer, json, oneOf, real, table, text, timestamp, usd, uuid } from '../../kit/table.ts'

/** One row a paid call; only `meter` writes it. */
export const costEntries = table('cost_entries', 'cost entry', {
  project_id: uuid().nullable().readonly(),
  user_id: uuid().nullable().readonly(),
  job_id: uuid().nullable().readonly(),
  service: text(50).readonly(),
  operation: text(100).readonly(),
  model: text(100).nullable().readonly(),
  prompt_tokens: integer().default('0').readonly(),
  completion_tokens: integer().default('0').readonly(),
  units: real().default('0').readonly(),
  unit_type: text(50).readonly(),
  cost_usd: usd().readonly(),
  metadata: json(z.record(z.string(), z.unknown())).default("'{}'").readonly(),
})

export const usageRecords = table('usage_records', 'usage record', {
  user_id: uuid().nullable().readonly(),
  job_id: uuid().nullable().readonly(),
  project_id: uuid().nullable().readonly(),
  resource_type: oneOf(['storage', 'narration', 'transcription']).readonly(),
  amount: real().readonly(),
  unit: oneOf(['bytes', 'minutes']).readonly(),
  recorded_at: timestamp().default('now()').readonly(),
})

declare module '../../kit/database.ts' {
  interface DB {
    cost_entries: Columns<typeof costEntries>
    usage_records: Columns<typeof usageRecords>
  }
}
