import { sql } from 'kysely'
import { Problem } from '../../kit/errors.ts'
import type { Context } from '../../kit/operation.ts'
import { covers } from './roles.ts'

/** Nobody hands out more than they hold: by a role, or with an API key by what its scopes leave of it. */
export function requireHeld(context: Context, permissions: readonly string[], field: string): void {
  const beyond = permissions.find((wanted) => !context.principal.permissions.some((held) => covers(held, wanted)))
  if (beyond)
    throw new Problem(
      403,
      'forbidden',
      `${field}: you cannot grant more than you hold yourself, and ${beyond} is more`,
      { field, permission: beyond },
    )
}

/** Roles that are there, and grant no more than who assigns them holds. */
export async function requireGrantable(context: Context, names: readonly string[]): Promise<void> {
  const { roles } = await context.services.authorization.rules.of(context.principal.tenant, context.tx)
  const unknown = names.find((name) => !roles.has(name))
  if (unknown !== undefined)
    throw new Problem(
      400,
      'invalid_input',
      `roles: there is no role ${unknown}; there are ${[...roles.keys()].toSorted().join(', ')}`,
      { field: 'roles' },
    )
  requireHeld(
    context,
    names.flatMap((name) => roles.get(name) ?? []),
    'roles',
  )
}

/** Locks the tenant's people who are administrators, so that two who remove each other at once leave one. */
export async function requireAnAdmin({ tx }: Context): Promise<void> {
  const { rows } =
    await sql`select id from users where 'admin' = any (roles) and suspended_at is null and deleted_at is null order by id for update`.execute(
      tx,
    )
  if (rows.length === 0)
    throw new Problem(409, 'last_administrator', 'A tenant keeps at least one active administrator.')
}

/** So that a change holds at once for everyone who is signed in here; in other processes it does within seconds. */
export function changesRights(context: Context): void {
  context.afterCommit(() => {
    context.services.authorization.forget(context.principal.tenant)
    context.services.authenticator.forget()
  })
}
