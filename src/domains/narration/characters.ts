import { sql } from 'kysely'
import { z } from 'zod'
import { slugName } from '../../engines/language/slug-name.ts'
import type { Row, Tx } from '../../kit/database.ts'
import { Problem, notFound } from '../../kit/errors.ts'
import { operation } from '../../kit/operation.ts'
import { resource, toColumns } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { requireVoice } from './check-voice.ts'
import { markStale } from './mark-stale.ts'
import { characters } from './narration.table.ts'
import { findProject, requireEditable } from './project-state.ts'
import { giveLines } from './segments.ts'

const { list, get, create, update, remove } = resource(characters)
const name = z.string().trim().min(1).max(255)

type Character = Row<typeof characters>

export const characterOperations = {
  list: operation({
    ...list,
    async run(context, input) {
      const { project_id } = input as { project_id?: string }
      if (project_id) await findProject(context.tx, project_id)
      return list.run(context, input)
    },
  }),
  get,
  create: operation({
    ...create,
    summary: 'Add a character by hand',
    input: characters.create.extend({ name }),
    async run({ tx, services }, { voice_id, ...input }) {
      await requireEditable(tx, input.project_id)
      if (voice_id) await requireVoice(services, voice_id)
      const values = {
        ...input,
        voice_id: voice_id ?? null,
        voice_chosen: Boolean(voice_id),
        slug: await freeSlug(tx, input.project_id, input.name),
      }
      return tx
        .insertInto('characters')
        .values(toColumns(characters as never, values) as never)
        .returningAll()
        .executeTakeFirstOrThrow()
    },
  }),
  update: operation({
    ...update,
    summary: 'Change a character; a voice given here is kept, null leaves the choice to automatic casting',
    input: characters.update.extend({ id: Id, name: name.optional() }),
    async run({ tx, services }, { id, ...changes }) {
      const before = await findCharacter(tx, id)
      await requireEditable(tx, before.project_id)
      if (changes.voice_id) await requireVoice(services, changes.voice_id)
      if (before.role === 'narrator' && (changes.role ?? 'narrator') !== 'narrator')
        await requireOtherNarrator(tx, before.project_id, id)
      // Until it is cast anew it keeps its voice: a line needs one.
      const chosen =
        changes.voice_id === undefined
          ? {}
          : changes.voice_id === null
            ? { voice_id: before.voice_id, voice_chosen: false }
            : { voice_chosen: true }
      const after = await tx
        .updateTable('characters')
        .set({ ...toColumns(characters as never, changes), ...chosen, updated_at: sql`now()` } as never)
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow()
      await markStale(tx, services, before.project_id)
      return after
    },
  }),
  remove: operation({
    ...remove,
    summary: 'Remove a character; its lines are read by the narrator',
    async run(context, { id }) {
      const { project_id, role } = await findCharacter(context.tx, id)
      await requireEditable(context.tx, project_id)
      if (role === 'narrator') await requireOtherNarrator(context.tx, project_id, id)
      const removed = await remove.run(context, { id })
      await markStale(context.tx, context.services, project_id)
      return removed
    },
  }),
  merge: operation({
    name: 'characters.merge',
    method: 'POST',
    path: '/v1/characters/:id/merge',
    summary: 'Two characters are one: gives all lines and names of this one to another, and removes it',
    input: z.strictObject({ id: Id, into: Id }),
    output: characters.row.extend({ moved: z.number() }),
    async run({ tx, services }, { id, into }) {
      if (id === into) throw new Problem(400, 'invalid_input', 'into: is the same character', { field: 'into' })
      const from = await findCharacter(tx, id)
      await requireEditable(tx, from.project_id)
      const to = await tx
        .selectFrom('characters')
        .selectAll()
        .where('id', '=', into)
        .where('project_id', '=', from.project_id)
        .executeTakeFirst()
      if (!to) throw new Problem(400, 'invalid_input', 'into: this project has no such character', { field: 'into' })
      if (from.role === 'narrator') await requireOtherNarrator(tx, from.project_id, id)
      const lines = await tx.selectFrom('segments').select('id').where('character_id', '=', id).execute()
      await giveLines(
        tx,
        lines.map((line) => line.id),
        into,
        'characters.merge',
      )
      const aliases = [...new Set([...to.aliases, from.name, ...from.aliases])]
        .filter((alias) => alias !== to.name)
        .slice(0, 100)
      const earlier =
        (from.first_chapter ?? Infinity) < (to.first_chapter ?? Infinity)
          ? { first_chapter: from.first_chapter, first_start: from.first_start }
          : {}
      const after = await tx
        .updateTable('characters')
        .set({
          aliases,
          lines: to.lines + from.lines,
          words: to.words + from.words,
          ...earlier,
          updated_at: sql`now()`,
        })
        .where('id', '=', into)
        .returningAll()
        .executeTakeFirstOrThrow()
      await tx.deleteFrom('characters').where('id', '=', id).execute()
      await markStale(tx, services, from.project_id)
      return { ...after, moved: lines.length }
    },
  }),
}

const findCharacter = async (tx: Tx, id: string): Promise<Character> =>
  (await tx
    .selectFrom('characters')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow(() => notFound('character'))) as Character

async function requireOtherNarrator(tx: Tx, project: string, id: string): Promise<void> {
  const other = await tx
    .selectFrom('characters')
    .select('id')
    .where('project_id', '=', project)
    .where('role', '=', 'narrator')
    .where('id', '<>', id)
    .executeTakeFirst()
  if (!other)
    throw new Problem(
      409,
      'narrator_needed',
      'A book keeps a narrator: whoever has no lines of their own to read is read by them.',
    )
}

/** As a detection would name it, so that it is known again when the text holds it. */
export async function freeSlug(tx: Tx, project: string, of: string): Promise<string> {
  const base = slugName(of).slice(0, 180)
  const taken = new Set(
    (await tx.selectFrom('characters').select('slug').where('project_id', '=', project).execute()).map(
      (row) => row.slug,
    ),
  )
  let free = base
  for (let count = 2; taken.has(free); count++) free = `${base}-${count}`
  return free
}
