import { z } from 'zod'
import type { AnyOperation } from '../../kit/operation.ts'
import type { Field, Fields, Table } from '../../kit/table.ts'

/** What a column is to a rule. Columns of other types (fractions, JSON, addresses) are none of its attributes. */
export type AttributeType = 'String' | 'Long' | 'Boolean' | 'datetime' | 'Set'

/** A declared table as rules see it: an entity type, its attributes and what lies above it. */
export interface Resource {
  /** Cedar's name of it: `Project`, `ApiKey`. */
  type: string
  table: string
  singular: string
  attributes: Map<string, { type: AttributeType; optional: boolean }>
  /** Columns that refer to a row which this one lies in. */
  parents: { column: string; resource: string }[]
  /** Column of the person whose it is, where the table says. */
  owner?: string
  /** Where people share rows of it, or of the row it lies in: a table with a person and `can_…` columns. */
  shares?: Shares
}

export interface Shares {
  table: string
  /** Of the table of shares. */
  column: string
  /** Of the row itself: `id`, or the column of what it lies in. */
  of: string
  /** `can_edit`, `can_comment`, … */
  rights: string[]
  isRevocable: boolean
}

/** Tenants are the root, and not an attribute of themselves. */
const root = 'tenants'
const ownerColumns = ['owner_id', 'user_id']
const attributeTypes: Record<string, AttributeType> = {
  text: 'String',
  uuid: 'String',
  integer: 'Long',
  bigint: 'Long',
  boolean: 'Boolean',
  timestamptz: 'datetime',
  'text[]': 'Set',
}

const inPascalCase = (words: string): string =>
  words
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase())
    .join('')

export function describeResources(tables: Table<string, Fields>[]): Map<string, Resource> {
  const declared = tables.filter(({ name }) => name !== root)
  const names = new Set(declared.map(({ name }) => name))
  const shares = new Map(declared.flatMap((table) => sharesOf(table, names)))
  const resources = declared.map((table): Resource => {
    const shown = (Object.entries(table.fields) as [string, Field][]).filter(([, field]) => field.access !== 'secret')
    const parents = shown.flatMap(
      ([
        column,
        {
          column: { references },
        },
      ]) => (references && names.has(references) ? [{ column, resource: references }] : []),
    )
    const shared = [{ column: 'id', resource: table.name }, ...parents].find(({ resource }) => shares.has(resource))
    const owner = ownerColumns.find((column) => column in table.fields)
    return {
      type: inPascalCase(table.singular),
      table: table.name,
      singular: table.singular,
      attributes: new Map(
        shown.flatMap(([name, { column }]) => {
          const type = attributeTypes[column.type]
          return type && name !== 'id' ? [[name, { type, optional: column.nullable }]] : []
        }),
      ),
      parents,
      ...(owner && { owner }),
      ...(shared && { shares: { ...(shares.get(shared.resource) as Omit<Shares, 'of'>), of: shared.column } }),
    }
  })
  return new Map(resources.map((resource) => [resource.table, resource]))
}

function sharesOf(table: Table<string, Fields>, names: Set<string>): [string, Omit<Shares, 'of'>][] {
  const fields = Object.entries(table.fields) as [string, Field][]
  const rights = fields.flatMap(([name, { column }]) =>
    name.startsWith('can_') && column.type === 'boolean' ? [name] : [],
  )
  const shared = fields.find(
    ([, { column }]) => column.references && column.references !== 'users' && names.has(column.references),
  )
  if (!rights.length || !shared || !('user_id' in table.fields)) return []
  return [
    [
      shared[1].column.references as string,
      { table: table.name, column: shared[0], rights, isRevocable: 'revoked_at' in table.fields },
    ],
  ]
}

/** What an operation is about: a row that its input names, or else the tenant. */
export interface Subject {
  resource: Resource
  /** Of the input. */
  field: string
  /** Whether a call may leave it out, or say something else than an id there; it is about the tenant then. */
  isOptional: boolean
}

/** By the path (`/v1/projects/:id/cover` is about a project), then by the room's own table, then by a field such as `project_id`. */
export function subjectOf(operation: AnyOperation, resources: Map<string, Resource>): Subject | undefined {
  const shape = operation.input.shape as Record<string, z.ZodType>
  const subject = (table: string | undefined, field: string): Subject | undefined => {
    const resource = table && resources.get(table)
    return resource && shape[field] ? { resource, field, isOptional: !(shape[field] instanceof z.ZodUUID) } : undefined
  }
  const segments = operation.path.split('/')
  const inPath = segments.flatMap((segment, index) =>
    segment.startsWith(':') ? [{ field: segment.slice(1), table: segments[index - 1]?.replaceAll('-', '_') }] : [],
  )
  for (const { field, table } of inPath.toReversed()) {
    const found = subject(table, field) ?? (field === 'id' ? subject(operation.name.split('.')[0], field) : undefined)
    if (found) return found
  }
  const bySingular = new Map(
    [...resources.values()].map((resource) => [
      `${resource.singular.toLowerCase().replaceAll(' ', '_')}_id`,
      resource.table,
    ]),
  )
  for (const field of Object.keys(shape)) {
    const found = subject(bySingular.get(field), field)
    // Whom something is given to is not what it is about.
    if (found && found.resource.table !== 'users') return found
  }
  return undefined
}
