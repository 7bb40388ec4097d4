import { Readable } from 'node:stream'
import { sql } from 'kysely'
import { z } from 'zod'
import type { Tx } from '../../kit/database.ts'
import { type FileReply, file, operation } from '../../kit/operation.ts'
import { Id } from '../../kit/table.ts'
import { AnyId } from './resolve-tenant.ts'
import { etagOf, writeCsv } from './write-csv.ts'

const month = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'must be a month as 2026-11')
const input = z.object({ month, reseller_id: AnyId.optional() })

const line = z.object({
  id: Id,
  name: z.string(),
  slug: z.string(),
  plan_name: z.string().nullable(),
  standing: z.string(),
  users: z.number(),
  storage_bytes: z.number(),
  narration_minutes: z.number(),
  transcription_minutes: z.number(),
  ai_tokens: z.number(),
  api_requests: z.number(),
  cost_usd: z.number(),
  price_monthly: z.number(),
  commission_rate: z.number().nullable(),
  commission: z.number().nullable(),
})
type Line = z.output<typeof line>

async function statement(tx: Tx, { month, reseller_id }: z.output<typeof input>): Promise<Line[]> {
  const since = `${month}-01T00:00:00Z`
  const { rows } = await sql<Line>`
    select * from account_statement(${since}::timestamptz, (${since}::timestamptz at time zone 'utc' + interval '1 month') at time zone 'utc', ${reseller_id ?? null}::uuid) order by name, id`.execute(
    tx,
  )
  return rows
}

/** Cents, since a sum of binary fractions is not one. */
const total = (lines: Line[], of: 'price_monthly' | 'commission'): number =>
  lines.reduce((sum, one) => sum + Math.round((one[of] ?? 0) * 100), 0) / 100

export const accountStatementOperations = {
  show: operation({
    name: 'accounts.statement',
    method: 'GET',
    path: '/v1/account-statements/:month',
    summary: 'Add up usage and commission of a month (UTC), a line a tenant',
    writes: true,
    input,
    output: z.object({
      month: z.string(),
      lines: z.array(line),
      total_price: z.number(),
      total_commission: z.number(),
    }),
    async run({ tx }, asked) {
      const lines = await statement(tx, asked)
      return {
        month: asked.month,
        lines,
        total_price: total(lines, 'price_monthly'),
        total_commission: total(lines, 'commission'),
      }
    },
  }),
  csv: operation({
    name: 'accounts.statement_csv',
    method: 'GET',
    path: '/v1/account-statements/:month/csv',
    summary: 'The same statement as CSV (RFC 4180)',
    writes: true,
    input,
    output: file('text/csv'),
    async run({ tx }, asked): Promise<FileReply> {
      const bytes = Buffer.from(writeCsv(Object.keys(line.shape), await statement(tx, asked)))
      return {
        filename: `accounts-${asked.month}.csv`,
        mediaType: 'text/csv; charset=utf-8',
        size: bytes.length,
        etag: etagOf(bytes),
        open: async (range) => Readable.from([range ? bytes.subarray(range.start, range.end + 1) : bytes]),
      }
    },
  }),
}
