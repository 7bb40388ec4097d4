import { sql } from 'kysely'
import { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import { operation } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { comments } from './narration.table.ts'
import { findProject } from './project-state.ts'

const { list, get, create, update, remove } = resource(comments)
const text = z.string().trim().min(1).max(5000)

export const commentOperations = {
  list,
  get,
  create: operation({
    ...create,
    summary: 'Comment on a project, a chapter, a line or a moment of its audio',
    input: comments.create.extend({ text }),
    async run({ tx }, input) {
      await findProject(tx, input.project_id)
      const { rows } = await sql<{
        may: boolean
      }>`select sees_all() or ${input.project_id}::uuid = any (commentable_projects()) as may`.execute(tx)
      if (!rows[0]?.may)
        throw new Problem(403, 'forbidden', 'This project is shared with you to view, not to comment on.')
      const chapter =
        input.chapter_id &&
        (await tx
          .selectFrom('chapters')
          .select('id')
          .where('id', '=', input.chapter_id)
          .where('project_id', '=', input.project_id)
          .executeTakeFirst())
      if (input.chapter_id && !chapter)
        throw new Problem(400, 'invalid_input', 'chapter_id: this project has no such chapter', { field: 'chapter_id' })
      const segment = input.segment_id
        ? await tx
            .selectFrom('segments')
            .select(['id', 'chapter_id'])
            .where('id', '=', input.segment_id)
            .where('project_id', '=', input.project_id)
            .executeTakeFirst()
        : undefined
      if (input.segment_id && !segment)
        throw new Problem(400, 'invalid_input', 'segment_id: this project has no such segment', { field: 'segment_id' })
      return tx
        .insertInto('comments')
        .values({ ...input, chapter_id: input.chapter_id ?? segment?.chapter_id ?? null })
        .returningAll()
        .executeTakeFirstOrThrow()
    },
  }),
  update: operation({
    ...update,
    summary: 'Change what you wrote',
    input: comments.update.extend({ id: Id, text: text.optional() }),
    async run(context, input) {
      const { user_id } = await context.tx
        .selectFrom('comments')
        .select('user_id')
        .where('id', '=', input.id)
        .executeTakeFirstOrThrow(() => notFound('comment'))
      if (user_id !== context.principal.user)
        throw new Problem(403, 'forbidden', 'Only who wrote a comment can change its words.')
      return update.run(context, input)
    },
  }),
  resolve: operation({
    name: 'comments.resolve',
    method: 'POST',
    path: '/v1/comments/:id/resolve',
    summary: 'Mark a comment as dealt with, or open it again',
    input: z.strictObject({ id: Id, resolved: z.boolean().default(true) }),
    output: comments.row,
    async run({ tx }, { id, resolved }) {
      await tx
        .selectFrom('comments')
        .select('id')
        .where('id', '=', id)
        .executeTakeFirstOrThrow(() => notFound('comment'))
      return tx
        .updateTable('comments')
        .set({ resolved_at: resolved ? sql<string>`coalesce(resolved_at, now())` : null, updated_at: sql`now()` })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow(
          () => new Problem(403, 'forbidden', 'Only who wrote a comment or may edit the project can do this.'),
        )
    },
  }),
  remove,
}
