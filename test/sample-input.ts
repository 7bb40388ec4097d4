import { z } from 'zod'

interface JsonSchema {
  type?: string | string[]
  format?: string
  enum?: unknown[]
  const?: unknown
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  allOf?: JsonSchema[]
  items?: JsonSchema
  prefixItems?: JsonSchema[]
  minItems?: number
  minLength?: number
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  properties?: Record<string, JsonSchema>
  required?: string[]
  $ref?: string
  $defs?: Record<string, JsonSchema>
}
export type { JsonSchema }

export const inputSchema = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', target: 'draft-2020-12' }) as JsonSchema

const texts: Record<string, string> = {
  uuid: '00000000-0000-7000-8000-000000000000',
  email: 'sample@example.com',
  uri: 'https://example.com/',
  date: '2026-01-02',
  'date-time': '2026-01-02T03:04:05Z',
  time: '03:04:05',
}

/** Where only one of many texts does something. */
const byName: Record<string, unknown> = {
  password: 'correct horse battery',
  roles: ['viewer'],
  scopes: ['*'],
  return_to: '/',
  month: '2026-11',
  primary_color: '#112233',
}

/** The smallest value that a schema takes. */
export function sampleOf(schema: z.ZodType): unknown {
  return sample(inputSchema(schema))
}

function sample(schema: JsonSchema): unknown {
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  const [first] = schema.anyOf ?? schema.oneOf ?? schema.allOf ?? []
  if (first) return sample(first)
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  if (type === 'string') return (schema.format && texts[schema.format]) ?? 'sample'.padEnd(schema.minLength ?? 0, 'e')
  if (type === 'integer' || type === 'number') return schema.minimum ?? schema.exclusiveMinimum ?? 1
  if (type === 'boolean') return true
  if (type === 'array')
    return schema.prefixItems
      ? schema.prefixItems.map(sample)
      : Array.from({ length: schema.minItems ?? 0 }, () => sample(schema.items ?? {}))
  if (type === 'object')
    return Object.fromEntries((schema.required ?? []).map((name) => [name, sample(schema.properties?.[name] ?? {})]))
  return type === 'null' ? null : {}
}

const isId = (schema: JsonSchema): boolean => schema.format === 'uuid' || (schema.anyOf ?? []).some(isId)

/** An input for an operation, with `idOf(field)` wherever an id belongs; optional fields too when `full`. Null where it takes no id. */
export function inputWithIds(
  input: z.ZodObject,
  idOf: (field: string) => string,
  full: boolean,
): { input: Record<string, unknown>; takesIds: boolean } {
  const { properties = {}, required = [] } = inputSchema(input)
  let takesIds = false
  const values = Object.entries(properties).flatMap(([name, schema]): [string, unknown][] => {
    // A place in a list, not a thing.
    if (name === 'after') return []
    if (schema.format === 'binary') return []
    const ids = isId(schema) ? idOf(name) : schema.items && isId(schema.items) ? [idOf(name)] : undefined
    if (ids !== undefined) {
      takesIds = true
      return [[name, ids]]
    }
    return full || required.includes(name) ? [[name, byName[name] ?? sample(schema)]] : []
  })
  return { input: Object.fromEntries(values), takesIds }
}
