import { z } from 'zod'

type Shaper = (value: unknown) => unknown

const same: Shaper = (value) => value

/**
 * Compiles a schema to a function that copies what is declared and nothing else, so that an undeclared column never leaves.
 * Unlike a full parse it trusts the types of our own rows, which makes it cheap enough for every reply.
 */
export function compileShaper(schema: z.ZodType): Shaper {
  if (schema instanceof z.ZodObject) {
    const fields = Object.entries(schema.shape).map(
      ([name, field]) => [name, compileShaper(field as z.ZodType)] as const,
    )
    const loose = schema.def.catchall && !(schema.def.catchall instanceof z.ZodNever)
    if (loose) return same
    return (value) => {
      if (value === null || typeof value !== 'object') return value
      const shaped: Record<string, unknown> = {}
      for (const [name, shape] of fields) {
        const field = (value as Record<string, unknown>)[name]
        if (field !== undefined) shaped[name] = shape === same ? field : shape(field)
      }
      return shaped
    }
  }
  if (schema instanceof z.ZodArray) {
    const shape = compileShaper(schema.element as z.ZodType)
    return shape === same ? same : (value) => (Array.isArray(value) ? value.map(shape) : value)
  }
  if (schema instanceof z.ZodRecord) {
    const shape = compileShaper(schema.valueType as z.ZodType)
    return shape === same
      ? same
      : (value) =>
          value && typeof value === 'object'
            ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, shape(item)]))
            : value
  }
  if (schema instanceof z.ZodNullable || schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) {
    const shape = compileShaper(schema.unwrap() as z.ZodType)
    return shape === same ? same : (value) => (value == null ? value : shape(value))
  }
  // Which branch of a union holds only a parse can tell.
  if (schema instanceof z.ZodUnion)
    return schema.options.every((option) => compileShaper(option as z.ZodType) === same)
      ? same
      : (value) => schema.parse(value)
  return same
}
