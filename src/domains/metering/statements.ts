import { Readable } from 'node:stream'
import { sql } from 'kysely'
import { z } from 'zod'
import type { Tx } from '../../kit/database.ts'
import { type FileReply, file, operation } from '../../kit/operation.ts'
import { Id } from '../../kit/table.ts'
import { etagOf, writeCsv } from '../tenancy/write-csv.ts'

const day = z.iso.date()
const groups = ['tenant', 'project', 'user', 'day'] as const
const input = z.object({
  /** Days, UTC, both included; this month when they are left out. */
  from: day.optional(),
  to: day.optional(),
  by: z.enum(groups).default('day'),
  project_id: Id.optional(),
  user_id: Id.optional(),
})

const line = z.object({
  /** The project, the person, the day; the tenant's id when everything is added up. */
  key: z.string().nullable(),
  storage_bytes: z.number(),
  narration_minutes: z.number(),
  transcription_minutes: z.number(),
  ai_tokens: z.number(),
  api_requests: z.number(),
  paid_calls: z.number(),
  cost_usd: z.number(),
})
type Line = z.output<typeof line>

const keyOf = {
  tenant: 'tenant_id::text',
  project: 'project_id::text',
  user: 'user_id::text',
  day: `to_char(at at time zone 'utc', 'YYYY-MM-DD')`,
} as const

/** Requests know no project: they stand in the line without one. */
async function statement(tx: Tx, { from, to, by, project_id, user_id }: z.output<typeof input>): Promise<Line[]> {
  const key = sql.raw(keyOf[by])
  const { rows } = await sql<Line>`
    with bounds as (
      select coalesce(${from ?? null}::date, date_trunc('month', now() at time zone 'utc')::date)::timestamp at time zone 'utc' as since,
        (coalesce(${to ?? null}::date, (now() at time zone 'utc')::date) + 1)::timestamp at time zone 'utc' as until),
    everything as (
      select tenant_id, project_id, user_id, recorded_at as at, resource_type as what, amount, 0::numeric as cost from usage_records, bounds where recorded_at >= since and recorded_at < until
      union all
      select tenant_id, project_id, user_id, created_at, 'tokens', token_count, 0 from ai_token_usage, bounds where created_at >= since and created_at < until
      union all
      select tenant_id, project_id, user_id, created_at, 'call', 1, cost_usd from cost_entries, bounds where created_at >= since and created_at < until
      union all
      select tenant_id, null, user_id, occurred_at, 'request', 1, 0 from api_usage, bounds where occurred_at >= since and occurred_at < until)
    select ${key} as key,
      coalesce(sum(amount) filter (where what = 'storage'), 0) as storage_bytes,
      coalesce(sum(amount) filter (where what = 'narration'), 0) as narration_minutes,
      coalesce(sum(amount) filter (where what = 'transcription'), 0) as transcription_minutes,
      coalesce(sum(amount) filter (where what = 'tokens'), 0) as ai_tokens,
      count(*) filter (where what = 'request') as api_requests,
      count(*) filter (where what = 'call') as paid_calls,
      coalesce(sum(cost), 0) as cost_usd
    from everything
    where (${project_id ?? null}::uuid is null or project_id = ${project_id ?? null}::uuid) and (${user_id ?? null}::uuid is null or user_id = ${user_id ?? null}::uuid)
    group by 1 order by 1 nulls last limit 10000`.execute(tx)
  return rows
}

export const statementOperations = {
  show: operation({
    name: 'statements.get',
    method: 'GET',
    path: '/v1/statement',
    summary: 'Add up what was used and what it cost, by tenant, project, person or day',
    input,
    output: z.object({ by: z.enum(groups), lines: z.array(line) }),
    run: async ({ tx }, asked) => ({ by: asked.by, lines: await statement(tx, asked) }),
  }),
  csv: operation({
    name: 'statements.csv',
    method: 'GET',
    path: '/v1/statement/csv',
    summary: 'The same statement as CSV (RFC 4180)',
    input,
    output: file('text/csv'),
    async run({ tx }, asked): Promise<FileReply> {
      const bytes = Buffer.from(writeCsv(Object.keys(line.shape), await statement(tx, asked)))
      return {
        filename: `statement-by-${asked.by}.csv`,
        mediaType: 'text/csv; charset=utf-8',
        size: bytes.length,
        etag: etagOf(bytes),
        open: async (range) => Readable.from([range ? bytes.subarray(range.start, range.end + 1) : bytes]),
      }
    },
  }),
}
