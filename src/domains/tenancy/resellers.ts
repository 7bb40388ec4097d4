import { sql } from 'kysely'
import { z } from 'zod'
import type { Row, Tx } from '../../kit/database.ts'
import { notFound } from '../../kit/errors.ts'
import { operation } from '../../kit/operation.ts'
import { page, pageOf } from '../../kit/resource.ts'
import { Id, email } from '../../kit/table.ts'
import { accountOperations } from './accounts.ts'
import { AnyId } from './resolve-tenant.ts'
import { resellers } from './resellers.table.ts'

type Reseller = Row<typeof resellers>
const byId = z.object({ id: AnyId })
const output = resellers.row.extend({ office: Id }).meta({ id: 'reseller_account' })
const shown = (row: Reseller) => ({ ...row, office: row.tenant_id })

async function one(tx: Tx, id: string) {
  const { rows } = await sql<Reseller>`select * from managed_resellers(${id}, null, 1)`.execute(tx)
  if (!rows[0]) throw notFound('reseller')
  return shown(rows[0])
}

/** The platform's: everyone else has no resellers, and is told that there are none. */
export const resellerOperations = {
  mine: operation({
    name: 'reseller.get',
    method: 'GET',
    path: '/v1/reseller',
    summary: 'Show the reseller whose office your tenant is',
    input: z.object({}),
    output: resellers.row,
    run: ({ tx }) =>
      tx
        .selectFrom('resellers')
        .selectAll()
        .executeTakeFirstOrThrow(() => notFound('reseller')),
  }),
  list: operation({
    name: 'resellers.list',
    method: 'GET',
    path: '/v1/resellers',
    summary: 'List resellers, newest first',
    input: z.object({ limit: z.number().int().min(1).max(200).default(50), after: AnyId.optional() }),
    output: page(output),
    async run({ tx }, { limit, after }) {
      const { rows } =
        await sql<Reseller>`select * from managed_resellers(null, ${after ?? null}, ${limit + 1})`.execute(tx)
      return pageOf(rows.map(shown), limit)
    },
  }),
  get: operation({
    name: 'resellers.get',
    method: 'GET',
    path: '/v1/resellers/:id',
    summary: 'Show a reseller',
    input: byId,
    output,
    run: ({ tx }, { id }) => one(tx, id),
  }),
  create: operation({
    name: 'resellers.create',
    method: 'POST',
    path: '/v1/resellers',
    summary: 'Make a reseller with an office: a tenant for its own people',
    input: resellers.create
      .omit({ status: true })
      .extend({ slug: accountOperations.create.input.shape.slug, administrator_email: email().zod }),
    output,
    async run({ tx, request }, { name, slug, email, phone, commission_rate, administrator_email }) {
      const { rows } = await sql<{ id: string }>`
        select open_reseller(${name}, ${slug}, ${email}, ${phone ?? null}, ${commission_rate ?? 0}, ${administrator_email}, ${request.origin}) as id`.execute(
        tx,
      )
      return one(tx, rows[0]?.id ?? '')
    },
  }),
  update: operation({
    name: 'resellers.update',
    method: 'PATCH',
    path: '/v1/resellers/:id',
    summary: 'Change or suspend a reseller; its tenants go on, its people can run none of them',
    input: resellers.update.extend(byId.shape),
    output,
    async run({ tx }, { id, ...changes }) {
      await sql`select change_reseller(${id}, ${JSON.stringify(changes)}::jsonb)`.execute(tx)
      return one(tx, id)
    },
  }),
}
