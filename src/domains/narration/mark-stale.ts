import { sql } from 'kysely'
import type { PlacedBlock } from '../../engines/manuscript/manuscript.ts'
import type { Tx } from '../../kit/database.ts'
import type { Services } from '../../kit/operation.ts'
import { lineSources, openLineSettings } from './line-settings.ts'
import { chapterKey, planLines } from './plan-lines.ts'
import { projectStatus } from './narration.table.ts'
import { findProject, moveProject, reach } from './project-state.ts'

/**
 * Says of every line and chapter that has audio whether that audio is still what would be made now, after anything that it depends on has
 * changed: a text, a speaker, a voice, the lexicon, the mastering. What was changed and changed back is up to date again, and needs no work.
 */
export async function markStale(
  tx: Tx,
  services: Pick<Services, 'speech'>,
  projectId: string,
  chapter?: string,
): Promise<void> {
  const chapters = await tx
    .selectFrom('chapters')
    .select(['id', 'blocks', 'audio_key', 'status'])
    .where('project_id', '=', projectId)
    .where('audio_blob', 'is not', null)
    .$if(chapter !== undefined, (query) => query.where('id', '=', chapter ?? ''))
    .execute()
  if (chapters.length === 0) return
  const project = await findProject(tx, projectId)
  const settings = await openLineSettings(tx, services, project)
  const sources = await lineSources(tx, projectId, chapter)
  for (const { id, blocks, audio_key, status } of chapters) {
    const lines = planLines(sources.get(id) ?? [], blocks as PlacedBlock[], settings)
    const keys = JSON.stringify(lines.map(({ segment, key }) => ({ id: segment, key })))
    await sql`
      update segments set
        status = case when segments.cache_key is distinct from planned.key then 'pending' else 'complete' end,
        error = null,
        approved_at = case when segments.cache_key is distinct from planned.key then null else approved_at end
      from jsonb_to_recordset(${keys}::jsonb) as planned (id uuid, key text)
      where segments.id = planned.id and segments.chapter_id = ${id}::uuid
        and ((segments.status in ('complete', 'error') and segments.cache_key is distinct from planned.key)
          or (segments.status = 'pending' and segments.cache_key = planned.key
            and exists (select from audio_cache where audio_cache.cache_key = planned.key)))`.execute(tx)
    const isCurrent = lines.length > 0 && chapterKey(project.settings, lines) === audio_key
    if (isCurrent === (status === 'audio_complete') || (status === 'error' && !isCurrent)) continue
    await tx
      .updateTable('chapters')
      .set({ status: isCurrent ? 'audio_complete' : 'segmented', updated_at: sql`now()` })
      .where('id', '=', id)
      .execute()
  }
  const open = await tx
    .selectFrom('chapters')
    .select('id')
    .where('project_id', '=', projectId)
    .where('included', '=', true)
    .where('status', '<>', 'audio_complete')
    .limit(1)
    .executeTakeFirst()
  if (!open && project.status === 'voices_assigned') await reach(tx, project, 'audio_generated')
  if (open && isBeyondVoices(project.status)) await moveProject(tx, project, 'voices_assigned')
}

const isBeyondVoices = (status: (typeof projectStatus)[number]): boolean =>
  projectStatus.indexOf(status) > projectStatus.indexOf('voices_assigned')
