import { sql } from 'kysely'
import { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import { type Context, operation } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { resourceOwnership } from './authorization.table.ts'

const { list, get, create, update, remove } = resource(resourceOwnership)

async function requirePerson({ tx }: Context, id: string): Promise<void> {
  const user = await tx
    .selectFrom('users')
    .select('id')
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst()
  if (!user) throw notFound('user')
}

export const ownershipOperations = {
  list,
  get,
  create: operation({
    ...create,
    summary: 'Say whose a thing is, for policies to ask; once for each thing',
    async run(context, input) {
      const kind = context.services.authorization.resources.get(input.resource_type)
      if (!kind)
        throw new Problem(400, 'invalid_input', `resource_type: there is no table ${input.resource_type}`, {
          field: 'resource_type',
        })
      if (kind.owner === 'owner_id')
        throw new Problem(409, 'owned_already', `resource_type: every ${kind.singular} has its owner in its own row`, {
          field: 'resource_type',
        })
      const { rows } = await sql`select 1 from ${sql.table(kind.table)} where id = ${input.resource_id}::uuid`.execute(
        context.tx,
      )
      if (!rows.length) throw notFound(kind.singular)
      await requirePerson(context, input.owner_id)
      return create.run(context, input)
    },
  }),
  update: operation({
    ...update,
    summary: 'Hand a thing over',
    input: z.strictObject({ id: Id, owner_id: Id }),
    async run(context, input) {
      await requirePerson(context, input.owner_id)
      return update.run(context, input)
    },
  }),
  remove,
}
