import { sql } from 'kysely'
import type { Row, Tx } from '../../kit/database.ts'
import { notFound } from '../../kit/errors.ts'
import type { segments } from './narration.table.ts'

export type Segment = Row<typeof segments>

export const findSegment = async (tx: Tx, id: string): Promise<Segment> =>
  (await tx
    .selectFrom('segments')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow(() => notFound('segment'))) as Segment

/** What a person can change of a line, and so what undoing brings back. */
export const restorable = [
  'text',
  'source_text',
  'ssml',
  'character_id',
  'rule',
  'voice_id',
  'voice_settings',
  'gap_after',
] as const

/** Writes down how lines are before they are changed. */
export async function recordRevisions(tx: Tx, action: string, ids: string[]): Promise<void> {
  const before = sql.join(restorable.map((column) => sql`${sql.lit(column)}::text, ${sql.ref(column)}`))
  await sql`
    insert into segment_revisions (project_id, segment_id, action, before)
    select project_id, id, ${action}, jsonb_build_object(${before}) from segments where id = any (${ids}::uuid[])`.execute(
    tx,
  )
}
