import { sql } from 'kysely'
import { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import { type Context, operation } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { projectShares } from './narration.table.ts'
import { requireEditable } from './project-state.ts'

const { list, get } = resource(projectShares)
const byId = z.object({ id: Id })
const rights = { can_comment: z.boolean().optional(), can_edit: z.boolean().optional() }

export const shareOperations = {
  list,
  get,
  create: operation({
    name: 'project_shares.create',
    method: 'POST',
    path: '/v1/project-shares',
    summary:
      'Share a project with somebody to view, and if you say so to comment or to edit; again for one who had it before gives it back',
    input: z.strictObject({
      project_id: Id,
      user_id: Id.optional(),
      email: z.email().max(254).toLowerCase().optional(),
      ...rights,
    }),
    output: projectShares.row,
    async run({ tx }, { project_id, user_id, email, ...wanted }) {
      const project = await requireEditable(tx, project_id)
      if ((user_id === undefined) === (email === undefined))
        throw new Problem(400, 'invalid_input', 'user_id: give either a user_id or an email', { field: 'user_id' })
      const field = email === undefined ? 'user_id' : 'email'
      const user = await tx
        .selectFrom('users')
        .select('id')
        .where(email === undefined ? 'id' : 'email', '=', email ?? user_id ?? '')
        .where('deleted_at', 'is', null)
        .executeTakeFirst()
      if (!user) throw new Problem(400, 'invalid_input', `${field}: there is no such person here`, { field })
      if (user.id === project.owner_id)
        throw new Problem(400, 'invalid_input', `${field}: the project is theirs already`, { field })
      const values = { can_comment: wanted.can_comment ?? false, can_edit: wanted.can_edit ?? false }
      return tx
        .insertInto('project_shares')
        .values({ project_id, user_id: user.id, ...values })
        .onConflict((conflict) =>
          conflict
            .columns(['tenant_id', 'project_id', 'user_id'])
            .doUpdateSet({ ...values, revoked_at: null, updated_at: sql`now()` }),
        )
        .returningAll()
        .executeTakeFirstOrThrow()
    },
  }),
  update: operation({
    name: 'project_shares.update',
    method: 'PATCH',
    path: '/v1/project-shares/:id',
    summary: 'Change what somebody may do with a project that is shared with them',
    input: z.strictObject({ id: Id, ...rights }),
    output: projectShares.row,
    run: (context, { id, ...changes }) => change(context, id, changes),
  }),
  remove: operation({
    name: 'project_shares.remove',
    method: 'DELETE',
    path: '/v1/project-shares/:id',
    summary: 'Take a shared project back',
    input: byId,
    output: projectShares.row,
    run: (context, { id }) => change(context, id, { revoked_at: sql<string>`coalesce(revoked_at, now())` }),
  }),
}

async function change({ tx }: Context, id: string, changes: object): Promise<z.output<typeof projectShares.row>> {
  const share = await tx
    .selectFrom('project_shares')
    .select('project_id')
    .where('id', '=', id)
    .executeTakeFirstOrThrow(() => notFound('share'))
  await requireEditable(tx, share.project_id)
  return tx
    .updateTable('project_shares')
    .set({ ...changes, updated_at: sql`now()` })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow(
      () => new Problem(403, 'forbidden', 'Only who shared the project, or its owner, can change this.'),
    )
}
