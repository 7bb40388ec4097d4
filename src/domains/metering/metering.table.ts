import { z } from 'zod'
import {
  Field,
  integer,
  json,
  namesNobody,
  oneOf,
  real,
  reference,
  table,
  text,
  timestamp,
  usd,
  uuid,
} from '../../kit/table.ts'

/** One row a paid call; only `meter` writes it. */
export const costEntries = table('cost_entries', 'cost entry', {
  project_id: uuid().nullable().readonly(),
  user_id: uuid().nullable().readonly().of('user', namesNobody),
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
  user_id: uuid().nullable().readonly().of('user', namesNobody),
  job_id: uuid().nullable().readonly(),
  project_id: uuid().nullable().readonly(),
  resource_type: oneOf(['storage', 'narration', 'transcription']).readonly(),
  amount: real().readonly(),
  unit: oneOf(['bytes', 'minutes']).readonly(),
  recorded_at: timestamp().default('now()').readonly(),
})

/** Tokens that language models took and gave; only `meter` writes it. */
export const aiTokenUsage = table('ai_token_usage', 'token usage', {
  user_id: uuid().nullable().readonly().of('user', namesNobody),
  project_id: uuid().nullable().readonly(),
  job_id: uuid().nullable().readonly(),
  usage_type: text(50).readonly(),
  model: text(100).nullable().readonly(),
  token_count: integer().readonly(),
})

/** How many tokens a person may still use; below zero when the last call took more than was left. */
export const aiTokenBalances = table('ai_token_balances', 'token balance', {
  user_id: reference('users').once().of('user', 'delete'),
  balance: new Field(z.number().int(), { type: 'bigint', nullable: false }, 'write', false),
})

/** One row a request, kept for VOICEPRESS_API_USAGE_DAYS. */
export const apiUsage = table('api_usage', 'API request', {
  api_key_id: uuid().nullable().readonly(),
  user_id: uuid().nullable().readonly().of('user', namesNobody),
  /** The operation's name. */
  endpoint: text(200).readonly(),
  method: text(10).readonly(),
  status_code: integer(100, 599).readonly(),
  response_time_ms: new Field(
    z.number().min(0),
    { type: 'double precision', nullable: false, check: '@ >= 0' },
    'read',
    false,
  ),
  occurred_at: timestamp().default('now()').readonly(),
})

declare module '../../kit/database.ts' {
  interface DB {
    cost_entries: Columns<typeof costEntries>
    usage_records: Columns<typeof usageRecords>
    ai_token_usage: Columns<typeof aiTokenUsage>
    ai_token_balances: Columns<typeof aiTokenBalances>
    api_usage: Columns<typeof apiUsage>
  }
}
