import { z } from 'zod'
import type { PlacedBlock } from '../../engines/manuscript/manuscript.ts'
import { type JobContext, job } from '../../kit/jobs.ts'
import { Id } from '../../kit/table.ts'
import { enforceQuota } from '../tenancy/enforce-quota.ts'
import { forgetLines } from './forget-lines.ts'
import { type Generated, generateInProject } from './generate-audio.ts'
import { lineSources, openLineSettings } from './line-settings.ts'
import { type PlannedLine, planLines } from './plan-lines.ts'
import { findProject } from './project-state.ts'
import { speakLines } from './speak-lines.ts'

/** Speaks one line anew; a chapter that was mastered before is mastered again, its other lines from the cache. */
export const regenerateJob = job({
  name: 'narration.regenerate',
  payload: z.object({ project_id: Id, chapter_id: Id, segment_id: Id, force: z.boolean() }),
  async run(
    context,
    { project_id, chapter_id, segment_id, force },
  ): Promise<{ segment_id: string; generated: Generated | null }> {
    const { line, chapter } = await context.scoped((tx) => plan(tx, context, project_id, chapter_id, segment_id), true)
    if (!line) return { segment_id, generated: null }
    await context.scoped((tx) => enforceQuota(tx, 'processing', line.request.text.length / charactersPerMinute))
    if (force) await forgetLines(context, [line.key])
    const { failed } = await speakLines(context, project_id, [line], () => {})
    const problem = failed.get(line.key)
    if (problem) {
      await context.scoped((tx) =>
        tx
          .updateTable('segments')
          .set({ status: 'error', error: JSON.stringify(problem) as never, cache_key: line.key })
          .where('id', '=', segment_id)
          .execute(),
      )
      throw problem
    }
    await context.scoped((tx) =>
      tx
        .updateTable('segments')
        .set((update) => ({
          cache_key: line.key,
          error: null,
          status: update
            .case()
            .when('status', '=', 'needs_revision')
            .then('needs_revision' as const)
            .else('complete' as const)
            .end(),
        }))
        .where('id', '=', segment_id)
        .execute(),
    )
    const generated = chapter.audio_blob
      ? await generateInProject(context, project_id, { chapters: [chapter.number], remaster: force, from: 20, to: 100 })
      : null
    return { segment_id, generated }
  },
})

/** About 150 words of six characters. */
const charactersPerMinute = 900

async function plan(
  tx: Parameters<typeof findProject>[0],
  context: JobContext,
  projectId: string,
  chapterId: string,
  segmentId: string,
): Promise<{ line: PlannedLine | undefined; chapter: { number: number; audio_blob: string | null } }> {
  const project = await findProject(tx, projectId)
  const chapter = await tx
    .selectFrom('chapters')
    .select(['number', 'blocks', 'audio_blob'])
    .where('id', '=', chapterId)
    .executeTakeFirstOrThrow()
  const settings = await openLineSettings(tx, context.services, project)
  const sources = (await lineSources(tx, projectId, chapterId)).get(chapterId) ?? []
  const lines = planLines(sources, chapter.blocks as PlacedBlock[], settings)
  return { line: lines.find(({ segment }) => segment === segmentId), chapter }
}
