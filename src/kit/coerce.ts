import { z } from 'zod'
import { parseJson } from './parse-json.ts'

/** Query strings and command-line flags are all text: gives each field the type that its schema asks for, and leaves what does not fit for the schema to refuse. */
export function coerceStrings(schema: z.ZodObject, values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, coerce(schema.shape[name] as z.ZodType | undefined, value)]),
  )
}

function coerce(schema: z.ZodType | undefined, value: unknown): unknown {
  const inner = unwrap(schema)
  if (inner instanceof z.ZodArray)
    return (Array.isArray(value) ? value : typeof value === 'string' ? value.split(',') : [value]).map((item) =>
      coerce(inner.element as z.ZodType, item),
    )
  if (typeof value !== 'string') return value
  if (inner instanceof z.ZodNumber && value.trim() !== '' && Number.isFinite(Number(value))) return Number(value)
  if (inner instanceof z.ZodBoolean) return value === 'true' ? true : value === 'false' ? false : value
  if (value === 'null' && isNullable(schema)) return null
  if (inner instanceof z.ZodObject || inner instanceof z.ZodRecord) return parsed(value)
  return value
}

function isNullable(schema: z.ZodType | undefined): boolean {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return isNullable(schema.unwrap() as z.ZodType)
  return schema instanceof z.ZodNullable
}

export function unwrap(schema: z.ZodType | undefined): z.ZodType | undefined {
  let inner = schema
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodNullable || inner instanceof z.ZodDefault)
    inner = inner.unwrap() as z.ZodType
  return inner
}

/** What is no JSON stays text, for the schema to refuse. */
function parsed(value: string): unknown {
  try {
    return parseJson(value)
  } catch {
    return value
  }
}
