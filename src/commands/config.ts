import { configSchema } from '../kit/config.ts'
import { unwrap } from '../kit/coerce.ts'
import type { z } from 'zod'
import { table } from './print-table.ts'

const secret = /KEY|SECRET|CONNECTION|DATABASE_URL/

export function printConfig(): void {
  const rows = Object.entries(configSchema.shape as Record<string, z.ZodType>).map(([name, schema]) => {
    const value = process.env[name]
    const fallback =
      schema.def.type === 'default' ? String((schema.def as { defaultValue?: unknown }).defaultValue) : ''
    return [
      name,
      value ? (secret.test(name) ? '(set)' : value) : fallback,
      schema.description ?? unwrap(schema)?.description ?? '',
    ]
  })
  process.stdout.write(table(['Setting', 'Value', ''], rows))
}
