import { z } from 'zod'

/** Who sets a field: a person at any time, a person once, the system, or the system with nobody ever shown it. */
export type Access = 'write' | 'create' | 'read' | 'secret'

interface Column {
  type: string
  nullable: boolean
  default?: string
  check?: string
  references?: string
}

/**
 * What becomes of a row when the person whom a column of it names asks to be forgotten: the row goes, its personal columns are emptied, or it
 * stays, for a reason that the person is told (GDPR, 17(3)).
 */
export type Erasure = 'delete' | 'pseudonymise' | { keep: string }

/** For a row about a thing: what it says of the person ends with their account. */
export const namesNobody = {
  keep: 'It tells of a thing; the id in it leads to nobody once the account is empty.',
} as const

/** How a column names a person: by their id, their address, the keyed hash of it that signing in counts by, or somewhere in its JSON. */
export type NamedBy = 'id' | 'address' | 'login' | 'mention'

interface Privacy {
  isPersonal?: boolean
  isBlob?: boolean
  names?: { by: NamedBy; erasure: Erasure }
}

/** A column, once: its zod type and its SQL. Immutable; each method gives a changed copy. */
export class Field<Z extends z.ZodType = z.ZodType, A extends Access = Access, D extends boolean = boolean> {
  readonly zod: Z
  readonly column: Column
  readonly access: A
  /** True when an insert may leave it out. */
  readonly omittable: D
  readonly privacy: Privacy

  constructor(zod: Z, column: Column, access: A, omittable: D, privacy: Privacy = {}) {
    this.zod = zod
    this.column = column
    this.access = access
    this.omittable = omittable
    this.privacy = privacy
  }

  nullable(): Field<z.ZodNullable<Z>, A, true> {
    return new Field(
      this.zod.nullable() as z.ZodNullable<Z>,
      { ...this.column, nullable: true },
      this.access,
      true,
      this.privacy,
    )
  }

  /** `sql` is the default's SQL text: `'draft'` with its quotes, `now()`, `0`. */
  default(sql: string): Field<Z, A, true> {
    return new Field(this.zod, { ...this.column, default: sql }, this.access, true, this.privacy)
  }

  /** Set by a person when the row is made, and never again. */
  once(): Field<Z, 'create', D> {
    return new Field(this.zod, this.column, 'create', this.omittable, this.privacy)
  }

  /** Set by the system, shown to people. */
  readonly(): Field<Z, 'read', D> {
    return new Field(this.zod, this.column, 'read', this.omittable, this.privacy)
  }

  /** Set by the system, shown to nobody. */
  secret(): Field<Z, 'secret', D> {
    return new Field(this.zod, this.column, 'secret', this.omittable, this.privacy)
  }

  /** Says something about the person whom the row names: part of access requests, erased with them. */
  personal(): Field<Z, A, D> {
    return new Field(this.zod, this.column, this.access, this.omittable, { ...this.privacy, isPersonal: true })
  }

  /** Names a file in the blob store that is the row's own. */
  blob(): Field<Z, A, D> {
    return new Field(this.zod, this.column, this.access, this.omittable, { ...this.privacy, isBlob: true })
  }

  /** Names a person, so that the row is about them. A uuid is taken for an id, JSON for something that may mention them, text for an address. */
  of(_whom: 'user', erasure: Erasure, by?: NamedBy): Field<Z, A, D> {
    const usual = { uuid: 'id', jsonb: 'mention' } as const
    const names = { erasure, by: by ?? usual[this.column.type as 'uuid'] ?? 'address' }
    return new Field(this.zod, this.column, this.access, this.omittable, { ...this.privacy, names })
  }
}

const plain = <Z extends z.ZodType>(zod: Z, type: string, check?: string): Field<Z, 'write', false> =>
  new Field(zod, { type, nullable: false, ...(check && { check }) }, 'write', false)

export const Id = z.uuid()

/** At most `max` UTF-16 units; without the control characters that PostgreSQL or a terminal would choke on. */
export const text = (max: number) =>
  plain(
    z
      .string()
      .max(max)
      .refine((value) => !value.includes('\u0000'), 'must not contain NUL'),
    'text',
    `length(@) <= ${max}`,
  )
export const uuid = () => plain(z.uuid(), 'uuid')
/** A row of another table of the same tenant; the key in SQL is composite. */
export const reference = (table: string) =>
  new Field(z.uuid(), { type: 'uuid', nullable: false, references: table }, 'write', false)
export const integer = (min = 0, max = 2_147_483_647) =>
  plain(z.number().int().min(min).max(max), 'integer', `@ between ${min} and ${max}`)
/** A number that may outgrow an integer. */
export const count = () => plain(z.number().int().min(0), 'bigint', '@ >= 0')
export const bytes = () => count()
export const real = () => plain(z.number(), 'double precision')
export const seconds = () => plain(z.number().min(0), 'double precision', '@ >= 0')
export const fraction = () => plain(z.number().min(0).max(1), 'double precision', '@ between 0 and 1')
export const usd = () => plain(z.number().min(0), 'numeric(14,6)', '@ >= 0')
export const boolean = () => plain(z.boolean(), 'boolean')
export const timestamp = () => plain(z.iso.datetime({ offset: true }), 'timestamptz')
export const email = () => plain(z.email().max(254).toLowerCase(), 'text', 'length(@) <= 254')
/** IPv4 or IPv6, as `node:net` knows them; PostgreSQL refuses any other text. */
export const networkAddress = () => plain(z.string().max(64), 'inet')
export const json = <Z extends z.ZodType>(zod: Z) => plain(zod, 'jsonb')
export const list = (max: number, length = 100) => plain(z.array(z.string().max(max)).max(length), 'text[]')
/** `text` and a CHECK, never an enum type: enum `=` is not leakproof and loses its index under row security. */
export const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  plain(z.enum(values), 'text', `@ in (${values.map((value) => `'${value}'`).join(', ')})`)

export type Fields = Record<string, Field>

type Shape<F extends Fields, A extends Access> = { [K in keyof F as F[K]['access'] extends A ? K : never]: F[K]['zod'] }
type CreateShape<F extends Fields> = {
  [K in keyof F as F[K]['access'] extends 'write' | 'create' ? K : never]: F[K]['omittable'] extends true
    ? z.ZodOptional<F[K]['zod']>
    : F[K]['zod']
}
type UpdateShape<F extends Fields> = {
  [K in keyof F as F[K]['access'] extends 'write' ? K : never]: z.ZodOptional<F[K]['zod']>
}

const own = {
  id: uuid().default('uuid_v7()').readonly(),
  created_at: timestamp().default('now()').readonly(),
  updated_at: timestamp().default('now()').readonly(),
}
const tenant = { tenant_id: uuid().default('current_tenant()').secret() }
type Own = typeof own & typeof tenant

export interface Table<N extends string = string, F extends Fields = Fields> {
  name: N
  /** One row, in words: 'project'. */
  singular: string
  fields: F
  /** What leaves the system. */
  row: z.ZodObject<Shape<F, 'write' | 'create' | 'read'>>
  /** What a person may send to make one. */
  create: z.ZodObject<CreateShape<F>>
  update: z.ZodObject<UpdateShape<F>>
}

const pick = (fields: Fields, access: Access[], zod: (field: Field) => z.ZodType): Record<string, z.ZodType> =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([, field]) => access.includes(field.access))
      .map(([name, field]) => [name, zod(field)]),
  )

/** Declares a tenant's table. `id`, `tenant_id`, `created_at` and `updated_at` are every table's. */
export function table<const N extends string, F extends Fields>(
  name: N,
  singular: string,
  fields: F,
): Table<N, F & Own> {
  const all = { id: own.id, ...tenant, ...fields, created_at: own.created_at, updated_at: own.updated_at } as F & Own
  return {
    name,
    singular,
    fields: all,
    row: z
      .object(pick(all, ['write', 'create', 'read'], (field) => field.zod))
      .meta({ id: singular.replaceAll(' ', '_') }) as never,
    create: z.strictObject(
      pick(all, ['write', 'create'], (field) => (field.omittable ? field.zod.optional() : field.zod)),
    ) as never,
    update: z.strictObject(pick(all, ['write'], (field) => field.zod.optional())) as never,
  }
}

/** The SQL that makes a declared table, for a person to edit into a migration. */
export function draftSql(declared: Table): string {
  const columns = Object.entries(declared.fields).map(([name, { column }]) =>
    [
      `  ${name} ${column.type}`,
      !column.nullable && 'not null',
      column.default && `default ${column.default}`,
      column.check && `check (${column.check.replaceAll('@', name)})`,
    ]
      .filter(Boolean)
      .join(' '),
  )
  const keys = Object.entries(declared.fields).flatMap(([name, { column }]) =>
    column.references
      ? [`  foreign key (tenant_id, ${name}) references ${column.references} (tenant_id, id) on delete cascade`]
      : [],
  )
  return `create table ${declared.name} (\n${[...columns, ...keys].join(',\n')}\n);\nselect make_tenant_table('${declared.name}');\n`
}
