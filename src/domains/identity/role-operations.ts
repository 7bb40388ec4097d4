import { sql } from 'kysely'
import { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import { type Context, operation } from '../../kit/operation.ts'
import { page, resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { roles, userRoles } from './authorization.table.ts'
import { changesRights, requireAnAdmin, requireGrantable, requireHeld } from './grant-roles.ts'

const byId = z.object({ id: Id })
const permissions = z
  .array(z.string().max(100))
  .max(500)
  .meta({ description: "Operations' names, or patterns such as `projects.*`" })
const name = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, 'small letters, digits, - and _, at most 63')
const role = roles.row
  .extend({ permissions: z.array(z.string()), people: z.number().int() })
  .meta({ id: 'role_with_permissions' })

const withPermissions = (context: Pick<Context, 'tx'>) =>
  context.tx
    .selectFrom('roles')
    .selectAll()
    .select([
      sql<
        string[]
      >`array(select permission from role_permissions where (role_permissions.tenant_id, role_id) = (roles.tenant_id, roles.id) order by permission)`.as(
        'permissions',
      ),
      sql<number>`(select count(*) from user_roles where (user_roles.tenant_id, role_id) = (roles.tenant_id, roles.id))`.as(
        'people',
      ),
    ])

const one = (context: Context, id: string) =>
  withPermissions(context)
    .where('id', '=', id)
    .executeTakeFirstOrThrow(() => notFound('role'))

/** Patterns that grant something: an operation's name, `projects.*`, `*`. */
function requireKnown({ services }: Context, patterns: string[]): void {
  const names = [...services.kernel.operations.keys()]
  const unknown = patterns.find(
    (pattern) =>
      pattern !== '*' &&
      !names.includes(pattern) &&
      !(pattern.endsWith('.*') && names.some((known) => known.startsWith(pattern.slice(0, -1)))),
  )
  if (unknown !== undefined)
    throw new Problem(400, 'invalid_input', `permissions: there is no operation ${unknown}`, {
      field: 'permissions',
      permission: unknown,
    })
}

async function ownRole(context: Context, id: string) {
  const found = await one(context, id)
  if (found.is_system)
    throw new Problem(
      409,
      'system_role',
      `${found.name} comes with the software and is the same everywhere; make a role of your own.`,
    )
  return found
}

const { list } = resource(roles)

export const roleOperations = {
  list: operation({
    ...list,
    output: page(role),
    async run(context, input) {
      const { items, next } = await list.run(context, input)
      if (items.length === 0) return { items: [], next }
      const full = await withPermissions(context)
        .where(
          'id',
          'in',
          items.map(({ id }) => id),
        )
        .orderBy('id', 'desc')
        .execute()
      return { items: full, next }
    },
  }),
  get: operation({
    name: 'roles.get',
    method: 'GET',
    path: '/v1/roles/:id',
    summary: 'Show one role and what it grants',
    input: byId,
    output: role,
    run: (context, { id }) => one(context, id),
  }),
  create: operation({
    name: 'roles.create',
    method: 'POST',
    path: '/v1/roles',
    summary: 'Make a role of your own',
    input: roles.create.extend({ name, permissions }),
    output: role,
    async run(context, { permissions, ...input }) {
      requireKnown(context, permissions)
      requireHeld(context, permissions, 'permissions')
      const { id } = await context.tx.insertInto('roles').values(input).returning('id').executeTakeFirstOrThrow()
      await setPermissions(context, id, permissions)
      changesRights(context)
      return one(context, id)
    },
  }),
  update: operation({
    name: 'roles.update',
    method: 'PATCH',
    path: '/v1/roles/:id',
    summary: 'Change what a role of your own grants',
    input: roles.update.extend({ ...byId.shape, permissions: permissions.optional() }),
    output: role,
    async run(context, { id, permissions, ...changes }) {
      const before = await ownRole(context, id)
      if (permissions) {
        requireKnown(context, permissions)
        requireHeld(
          context,
          permissions.filter((pattern) => !before.permissions.includes(pattern)),
          'permissions',
        )
        await setPermissions(context, id, permissions)
      }
      await context.tx
        .updateTable('roles')
        .set({ ...changes, updated_at: sql`now()` })
        .where('id', '=', id)
        .execute()
      changesRights(context)
      return one(context, id)
    },
  }),
  remove: operation({
    name: 'roles.remove',
    method: 'DELETE',
    path: '/v1/roles/:id',
    summary: 'Remove a role that nobody has any more',
    input: byId,
    output: byId,
    async run(context, { id }) {
      const { people } = await ownRole(context, id)
      if (people)
        throw new Problem(
          409,
          'role_in_use',
          `${people} ${people === 1 ? 'person has' : 'people have'} this role; give them another first.`,
          { people },
        )
      await context.tx.deleteFrom('roles').where('id', '=', id).execute()
      changesRights(context)
      return { id }
    },
  }),
}

async function setPermissions({ tx }: Context, role: string, permissions: string[]): Promise<void> {
  await tx
    .deleteFrom('role_permissions')
    .where('role_id', '=', role)
    .$if(permissions.length > 0, (query) => query.where('permission', 'not in', permissions))
    .execute()
  if (permissions.length)
    await tx
      .insertInto('role_permissions')
      .values([...new Set(permissions)].map((permission) => ({ role_id: role, permission })))
      .onConflict((conflict) => conflict.columns(['tenant_id', 'role_id', 'permission']).doNothing())
      .execute()
}

export const userRoleOperations = {
  list: resource(userRoles).list,
  create: operation({
    name: 'user_roles.create',
    method: 'POST',
    path: '/v1/user-roles',
    summary: 'Give a person one role more',
    input: z.strictObject({ user_id: Id, role: name }),
    output: userRoles.row,
    async run(context, { user_id, role }) {
      await requireGrantable(context, [role])
      const user = await context.tx
        .selectFrom('users')
        .select('id')
        .where('id', '=', user_id)
        .where('deleted_at', 'is', null)
        .executeTakeFirst()
      if (!user) throw notFound('user')
      const made = await context.tx
        .insertInto('user_roles')
        .columns(['user_id', 'role_id'])
        .expression((query) =>
          query
            .selectFrom('roles')
            .select([sql.val(user_id).$castTo<string>().as('user_id'), 'id as role_id'])
            .where('name', '=', role),
        )
        .returningAll()
        .executeTakeFirstOrThrow()
      changesRights(context)
      return made
    },
  }),
  remove: operation({
    name: 'user_roles.remove',
    method: 'DELETE',
    path: '/v1/user-roles/:id',
    summary: 'Take a role away from a person, who keeps at least one',
    input: byId,
    output: byId,
    async run(context, { id }) {
      const { tx } = context
      const { user_id } = await tx
        .selectFrom('user_roles')
        .select('user_id')
        .where('id', '=', id)
        .executeTakeFirstOrThrow(() => notFound('assigned role'))
      const others = await tx
        .selectFrom('user_roles')
        .select('id')
        .where('user_id', '=', user_id)
        .where('id', '<>', id)
        .limit(1)
        .executeTakeFirst()
      if (!others)
        throw new Problem(409, 'last_role', 'A person keeps at least one role; suspend or remove them instead.')
      await tx.deleteFrom('user_roles').where('id', '=', id).execute()
      await requireAnAdmin(context)
      changesRights(context)
      return { id }
    },
  }),
}

const permission = z
  .object({ name: z.string(), resource_type: z.string(), action: z.string(), description: z.string() })
  .meta({ id: 'permission' })

export const permissionOperations = {
  list: operation({
    name: 'permissions.list',
    method: 'GET',
    path: '/v1/permissions',
    summary: 'List everything that a role can grant',
    input: z.object({}),
    output: z.object({ items: z.array(permission) }),
    async run({ tx }) {
      const { rows } = await sql<
        z.input<typeof permission>
      >`select name, resource_type, action, description from permissions where not is_public order by name`.execute(tx)
      return { items: rows }
    },
  }),
}
