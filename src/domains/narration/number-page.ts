import { z } from 'zod'

/** Pages of what has a number of its own, in that order: `after` is the last number seen. */
export const numberInput = {
  limit: z.number().int().min(1).max(500).default(200),
  after: z.number().int().min(0).default(0),
}
export const numberPage = <Z extends z.ZodType>(row: Z) =>
  z.object({ items: z.array(row), next: z.number().int().nullable() })

/** Of one row more than was asked for. */
export const numberPageOf = <T extends { number: number }>(rows: T[], limit: number) => ({
  items: rows.slice(0, limit),
  next: rows.length > limit ? (rows[limit - 1]?.number ?? null) : null,
})
