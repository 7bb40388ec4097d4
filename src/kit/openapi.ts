import { z } from 'zod'
import type { Kernel } from './kernel.ts'
import { version } from './version.ts'
import { type AnyOperation, isEventsOutput, isFileOutput, isReadOnly } from './operation.ts'

type Json = Record<string, unknown>

/** OpenAPI 3.1.1, made from the declared operations; rows become `$ref`s. */
export function openApi(kernel: Kernel): Json {
  const schemas: Json = {}
  const paths: Record<string, Json> = {}
  for (const operation of kernel.operations.values()) {
    const path = operation.path.replaceAll(/:([a-z_]+)/g, '{$1}')
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: describe(operation, schemas) }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Voicepress',
      version,
      description:
        'Every operation of Voicepress. Errors are RFC 9457 problems; lists page by `after`; unsafe methods take an `Idempotency-Key`.',
      license: { name: 'AGPL-3.0-or-later', identifier: 'AGPL-3.0-or-later' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, { session: [] }],
    tags: kernel.domains.filter((domain) => domain.operations.length).map((domain) => ({ name: domain.name })),
    paths,
    components: {
      schemas: {
        problem: {
          type: 'object',
          description: 'RFC 9457',
          properties: {
            type: { type: 'string' },
            title: { type: 'string' },
            status: { type: 'integer' },
            detail: { type: 'string' },
            request_id: { type: 'string' },
            field: { type: 'string' },
          },
          required: ['type', 'title', 'status', 'detail'],
        },
        ...schemas,
      },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key (vp_…)' },
        session: { type: 'apiKey', in: 'cookie', name: '__Host-voicepress' },
      },
    },
  }

  function describe(operation: AnyOperation, into: Json): Json {
    const input = z.toJSONSchema(operation.input, { io: 'input', unrepresentable: 'any', target: 'draft-2020-12' }) as {
      properties?: Record<string, Json>
      required?: string[]
      additionalProperties?: unknown
    }
    const inPath = [...operation.path.matchAll(/:([a-z_]+)/g)].map(([, name]) => name as string)
    const properties = Object.entries(input.properties ?? {})
    const required = new Set(input.required)
    const rest = properties.filter(([name]) => !inPath.includes(name))
    const asQuery = operation.method === 'GET' || operation.method === 'DELETE'
    const isMultipart = rest.some(([, schema]) => schema.format === 'binary')
    const domain = kernel.domains.find(({ operations }) =>
      operations.some((room) => Object.values(room).includes(operation)),
    )
    return {
      operationId: operation.name,
      summary: operation.summary,
      tags: [domain?.name ?? 'system'],
      ...(operation.public ? { security: [] } : { 'x-permission': operation.name }),
      parameters: [
        ...inPath.map((name) => ({
          name,
          in: 'path',
          required: true,
          schema: properties.find(([property]) => property === name)?.[1] ?? { type: 'string' },
        })),
        ...(asQuery ? rest.map(([name, schema]) => ({ name, in: 'query', required: required.has(name), schema })) : []),
        ...(isReadOnly(operation)
          ? []
          : [{ name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string', maxLength: 255 } }]),
      ],
      ...(!asQuery &&
        rest.length > 0 && {
          requestBody: {
            required: rest.some(([name]) => required.has(name)),
            content: {
              [isMultipart ? 'multipart/form-data' : 'application/json']: {
                schema: {
                  type: 'object',
                  properties: Object.fromEntries(rest),
                  required: rest.map(([name]) => name).filter((name) => required.has(name)),
                },
              },
            },
          },
        }),
      responses: {
        200: reply(operation, into),
        default: {
          description: 'A problem',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/problem' } } },
        },
      },
    }
  }
}

function reply({ output }: AnyOperation, into: Json): Json {
  if (isFileOutput(output))
    return {
      description: 'The file; single ranges and conditional requests are understood',
      content: { [output.mediaType]: { schema: { type: 'string', format: 'binary' } } },
    }
  const schema = isEventsOutput(output) ? output.schema : output
  const json = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any', target: 'draft-2020-12' }) as Json & {
    $defs?: Json
  }
  const {
    $defs,
    $schema: _,
    ...own
  } = JSON.parse(JSON.stringify(json).replaceAll('"#/$defs/', '"#/components/schemas/')) as Json & { $defs?: Json }
  Object.assign(into, $defs)
  const id = schema.meta()?.id
  if (id) into[id] = own
  const shown = id ? { $ref: `#/components/schemas/${id}` } : own
  return {
    description: 'Done',
    content: { [isEventsOutput(output) ? 'text/event-stream' : 'application/json']: { schema: shown } },
  }
}
