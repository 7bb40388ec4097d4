import { cpus } from 'node:os'
import type { PlacedBlock } from '../../engines/manuscript/manuscript.ts'
import type { JobContext } from '../../kit/jobs.ts'
import { reserveQuota } from '../tenancy/enforce-quota.ts'
import { forgetLines } from './forget-lines.ts'
import { lineSources, openLineSettings } from './line-settings.ts'
import { type ChapterPlan, masterChapter } from './master-chapter.ts'
import { type PlannedLine, chapterKey, planLines } from './plan-lines.ts'
import { type Project, findProject, reach } from './project-state.ts'
import { speakLines } from './speak-lines.ts'

export interface Generated {
  chapters: number
  seconds: number
  failed_segments: number
}

/** Speaks and masters the chapters that are not up to date; with `remaster` also those that are, with `force` from lines spoken anew. Progress runs between `from` and `to` per cent of the job. */
export async function generateInProject(
  context: JobContext,
  projectId: string,
  options: { chapters?: number[]; force?: boolean; remaster?: boolean; from: number; to: number },
): Promise<Generated> {
  const { project, plans, estimate } = await context.scoped(async (tx) => {
    const project = await findProject(tx, projectId)
    const rows = await tx
      .selectFrom('chapters')
      .select(['id', 'number', 'title', 'blocks', 'audio_key', 'audio_generated_at', 'status', 'estimated_seconds'])
      .where('project_id', '=', projectId)
      .where('included', '=', true)
      .$if(options.chapters !== undefined, (query) => query.where('number', 'in', [...(options.chapters ?? []), 0]))
      .orderBy('number')
      .execute()
    // Of this job; what it has done before it was killed is not done again.
    const { created_at: since } = await tx
      .selectFrom('jobs')
      .select('created_at')
      .where('id', '=', context.id)
      .executeTakeFirstOrThrow()
    const settings = await openLineSettings(tx, context.services, project)
    const sources = await lineSources(tx, projectId)
    const plans: ChapterPlan[] = []
    let estimate = 0
    for (const row of rows) {
      const lines = planLines(sources.get(row.id) ?? [], row.blocks as PlacedBlock[], settings)
      if (lines.length === 0) continue
      const key = chapterKey(project.settings, lines)
      const isDone =
        options.force || options.remaster
          ? row.audio_generated_at !== null && row.audio_generated_at > since
          : row.audio_key === key
      if (isDone && row.status === 'audio_complete') continue
      plans.push({ id: row.id, number: row.number, title: row.title, lines, key })
      estimate += row.estimated_seconds
    }
    return { project, plans, estimate }
  }, true)
  await context.scoped((tx) => reserveQuota(tx, 'processing', estimate / 60, context.id))
  // The audio engine starts while the first lines are spoken; what fails here fails again where it matters.
  if (plans.length) context.services.media.measureParts([]).catch(() => {})

  const total = plans.reduce((sum, { lines }) => sum + charactersOf(lines), 0)
  let spoken = 0
  let mastered = 0
  const report = (chapter?: string) =>
    context.progress(
      options.from + ((options.to - options.from) * (0.5 * spoken + 0.5 * mastered)) / Math.max(total, 1),
      {
        step: 'voice',
        ...(chapter && { chapter }),
        done: Math.round((spoken + mastered) / 2),
        total,
        unit: 'characters',
      },
    )

  const result: Generated = { chapters: 0, seconds: 0, failed_segments: 0 }
  // Mastering runs beside the speaking of what comes next; as many at once as there are cores.
  const mastering = new Set<Promise<void>>()
  let failure: unknown
  for (const plan of plans) {
    context.signal.throwIfAborted()
    if (failure) break
    if (options.force)
      await forgetLines(
        context,
        plan.lines.map(({ key }) => key),
      )
    const lines = await speakLines(context, projectId, plan.lines, (characters) => {
      spoken += characters
      report(plan.title)
    })
    while (mastering.size >= cpus().length) await Promise.race(mastering)
    const one: Promise<void> = masterChapter(context, project, plan, lines)
      .then((made) => {
        mastered += charactersOf(plan.lines)
        result.chapters += 1
        result.seconds += made
        result.failed_segments += lines.failed.size
        report(plan.title)
      })
      .catch((error) => {
        failure ??= error
      })
      .finally(() => mastering.delete(one))
    mastering.add(one)
  }
  await Promise.all(mastering)
  if (failure) throw failure
  await finishProject(context, project)
  return result
}

const charactersOf = (lines: PlannedLine[]): number => lines.reduce((sum, { request }) => sum + request.text.length, 0)

async function finishProject(context: JobContext, project: Project): Promise<void> {
  await context.scoped(async (tx) => {
    const open = await tx
      .selectFrom('chapters')
      .select('id')
      .where('project_id', '=', project.id)
      .where('included', '=', true)
      .where('status', '<>', 'audio_complete')
      .limit(1)
      .executeTakeFirst()
    if (!open) await reach(tx, await findProject(tx, project.id), 'audio_generated')
  })
}
