import { sql } from 'kysely'
import type { Problem } from '../../kit/errors.ts'
import type { Context } from '../../kit/operation.ts'

const enter = ({ tx, request }: Context, tenant: string, user: string | null, seesAll: boolean) =>
  sql`select set_tenant_context(${tenant}::uuid, ${user}::uuid, ${seesAll}, nullif(current_setting('app.action', true), ''), ${request.id})`.execute(
    tx,
  )

/** The rest of the transaction is done by the system for somebody whom nobody knows yet; it sees all rows of the tenant. */
export const actAsSystem = (context: Context, tenant = context.principal.tenant) => enter(context, tenant, null, true)

/** The rest of the transaction is done in the name of a person who has just proved who they are. */
export const actAs = (context: Context, user: string, tenant = context.principal.tenant) =>
  enter(context, tenant, user, false)

/** What the rest of the transaction was before one of these. */
export const actAsBefore = (context: Context) =>
  enter(context, context.principal.tenant, context.principal.user, context.principal.seesAll)

/** Enters the tenant that a token names, as the system. The token proves itself afterwards; a suspended tenant has none that hold. */
export async function enterTenant(context: Context, tenant: string | null, otherwise: () => Problem): Promise<string> {
  if (!tenant) throw otherwise()
  await actAsSystem(context, tenant)
  const open = await context.tx.selectFrom('tenants').select('id').where('suspended_at', 'is', null).executeTakeFirst()
  if (!open) throw otherwise()
  return tenant
}

/** Commits what was written so far, an attempt say, and answers the problem all the same. */
export function refuse(context: Context, problem: Problem): never {
  context.afterCommit(() => {
    throw problem
  })
  return undefined as never
}
