import { mkdtemp, rm, stat } from 'node:fs/promises'
import { createReadStream } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { RenderResult } from '../../engines/media/media.ts'
import type { PlacedBlock } from '../../engines/manuscript/manuscript.ts'
import { Problem } from '../../kit/errors.ts'
import type { JobContext } from '../../kit/jobs.ts'
import { meter } from '../metering/meter.ts'
import { reserveQuota } from '../tenancy/enforce-quota.ts'
import { forgetLines } from './forget-lines.ts'
import { lineSources, openLineSettings } from './line-settings.ts'
import { markStale } from './mark-stale.ts'
import { type PlannedLine, chapterKey, planLines } from './plan-lines.ts'
import { type Project, findProject, projectFolder, reach } from './project-state.ts'
import { type SpokenLines, speakLines } from './speak-lines.ts'

export const chapterBitRate = 64_000
export const headSeconds = 0.75
export const tailSeconds = 2

export interface ChapterPlan {
  id: string
  number: number
  title: string
  lines: PlannedLine[]
  key: string
}

export interface Generated {
  chapters: number
  seconds: number
  failed_segments: number
}

/** Speaks and masters the chapters that are not up to date; with `remaster` also those that are, with `force` from lines spoken anew. Progress runs between `from` and `to` per cent of the job. */
export async function generateInProject(context: JobContext, projectId: string, options: { chapters?: number[]; force?: boolean; remaster?: boolean; from: number; to: number }): Promise<Generated> {
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
    const { created_at: since } = await tx.selectFrom('jobs').select('created_at').where('id', '=', context.id).executeTakeFirstOrThrow()
    const settings = await openLineSettings(tx, context.services, project)
    const sources = await lineSources(tx, projectId)
    const plans: ChapterPlan[] = []
    let estimate = 0
    for (const row of rows) {
      const lines = planLines(sources.get(row.id) ?? [], row.blocks as PlacedBlock[], settings)
      if (lines.length === 0) continue
      const key = chapterKey(project.settings, lines)
      const isDone = options.force || options.remaster ? row.audio_generated_at !== null && row.audio_generated_at > since : row.audio_key === key
      if (isDone && row.status === 'audio_complete') continue
      plans.push({ id: row.id, number: row.number, title: row.title, lines, key })
      estimate += row.estimated_seconds
    }
    return { project, plans, estimate }
  }, true)
  await context.scoped((tx) => reserveQuota(tx, 'processing', estimate / 60, context.id))

  const total = plans.reduce((sum, { lines }) => sum + charactersOf(lines), 0)
  let spoken = 0
  let mastered = 0
  const report = (chapter?: string) =>
    context.progress(options.from + ((options.to - options.from) * (0.5 * spoken + 0.5 * mastered)) / Math.max(total, 1), { step: 'voice', ...(chapter && { chapter }), done: Math.round((spoken + mastered) / 2), total, unit: 'characters' })

  const result: Generated = { chapters: 0, seconds: 0, failed_segments: 0 }
  // Mastering runs beside the speaking of what comes next; as many at once as there are cores.
  const mastering = new Set<Promise<void>>()
  let failure: unknown
  for (const plan of plans) {
    context.signal.throwIfAborted()
    if (failure) break
    if (options.force) await forgetLines(context, plan.lines.map(({ key }) => key))
    const lines = await speakLines(context, projectId, plan.lines, (characters) => {
      spoken += characters
      report(plan.title)
    })
    while (mastering.size >= cpus().length) await Promise.race(mastering)
    const one: Promise<void> = masterChapter(context, project, plan, lines)
      .then((made) => {
        mastered += charactersOf(plan.lines)
        result.chapters += 1
        result.seconds += made.duration
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

async function masterChapter(context: JobContext, project: Project, plan: ChapterPlan, { spoken, failed }: SpokenLines): Promise<RenderResult> {
  const { storage, media, scratch } = context.services
  const playable = plan.lines.filter(({ key }) => spoken.has(key))
  if (playable.length === 0) {
    await markChapter(context, plan, failed, { status: 'error' })
    throw [...failed.values()][0] ?? new Problem(422, 'nothing_to_read', `${plan.title} has nothing to read aloud.`)
  }
  const folder = await mkdtemp(join(scratch, 'chapter-'))
  try {
    const parts = await Promise.all(playable.map(async ({ key, gapAfter }) => ({ file: await storage.localPath(spoken.get(key)?.blob ?? ''), gapAfter })))
    const adts = join(folder, 'chapter.aac')
    const m4a = join(folder, 'chapter.m4a')
    const rendered = await media.render(
      { parts, chain: project.settings.processing_chain ?? 'audiobook_standard', head: headSeconds, tail: tailSeconds, outputs: [{ format: 'aac', file: adts, bitRate: chapterBitRate }] },
      context.signal,
    )
    await media.assembleM4b({ chapters: [{ file: adts, title: plan.title, duration: rendered.duration }], metadata: { title: plan.title, authors: project.authors, narrators: [], language: project.language }, file: m4a }, context.signal)
    const blob = `${projectFolder(context.principal.tenant, project.id)}/audio/chapters/${String(plan.number).padStart(4, '0')}-${plan.key.slice(0, 16)}.m4a`
    const { size } = await storage.put(blob, createReadStream(m4a), { mediaType: 'audio/mp4' })
    await storage.put(blob.replace(/m4a$/, 'aac'), createReadStream(adts), { mediaType: 'audio/aac' })
    const timingOf = new Map(playable.map(({ segment }, index) => [segment, rendered.parts[index]]))
    // A line that could not be spoken takes no time, at the place where it would be.
    let last = headSeconds
    const timings = plan.lines.map(({ segment }): [number, number] => {
      const timing = timingOf.get(segment)
      const placed: [number, number] = timing ? [timing.from, timing.to] : [last, last]
      last = placed[1]
      return placed
    })
    await markChapter(context, plan, failed, { status: failed.size ? 'error' : 'audio_complete', blob, size: size + (await stat(adts)).size, rendered, timings })
    return rendered
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Made {
  status: 'audio_complete' | 'error'
  blob?: string
  size?: number
  rendered?: RenderResult
  timings?: [number, number][]
}

async function markChapter(context: JobContext, plan: ChapterPlan, failed: Map<string, Problem>, { status, blob, size = 0, rendered, timings }: Made): Promise<void> {
  const before = await context.scoped(async (tx) => {
    const before = await tx.selectFrom('chapters').select(['audio_blob', 'audio_bytes', 'project_id']).where('id', '=', plan.id).executeTakeFirst()
    await tx
      .updateTable('chapters')
      .set({
        status,
        ...(blob && {
          audio_blob: blob,
          // A chapter with a gap in it is not up to date: the next run tries its failed lines again.
          audio_key: failed.size ? null : plan.key,
          audio_seconds: rendered?.duration,
          audio_bytes: size,
          audio_generated_at: sql<string>`now()`,
          levels: JSON.stringify(rendered && { ...rendered.measured, noiseFloor: Number.isFinite(rendered.measured.noiseFloor) ? rendered.measured.noiseFloor : null }) as never,
          timings: JSON.stringify(timings) as never,
        }),
        updated_at: sql`now()`,
      })
      .where('id', '=', plan.id)
      .execute()
    const keys = JSON.stringify(plan.lines.map(({ segment, key }) => ({ id: segment, key, error: failed.get(key)?.toJSON() ?? null })))
    await sql`
      update segments set cache_key = made.key, error = made.error,
        status = case when made.error is not null then 'error' when segments.status = 'needs_revision' then 'needs_revision' else 'complete' end
      from jsonb_to_recordset(${keys}::jsonb) as made (id uuid, key text, error jsonb)
      where segments.id = made.id and segments.chapter_id = ${plan.id}::uuid`.execute(tx)
    if (before) {
      // Somebody may have changed a line while it was spoken.
      await markStale(tx, context.services, before.project_id, plan.id)
      await meter(tx, [{ user: context.principal.user, project: before.project_id, job: context.id, usage: { resource: 'storage', amount: size - (before.audio_bytes ?? 0) } }])
      await context.emit(tx, 'chapter.narrated', { project_id: before.project_id, chapter_id: plan.id, number: plan.number })
    }
    return before
  })
  if (before?.audio_blob && blob && before.audio_blob !== blob) {
    await context.services.storage.remove(before.audio_blob)
    await context.services.storage.remove(before.audio_blob.replace(/m4a$/, 'aac'))
  }
}

async function finishProject(context: JobContext, project: Project): Promise<void> {
  await context.scoped(async (tx) => {
    const open = await tx.selectFrom('chapters').select('id').where('project_id', '=', project.id).where('included', '=', true).where('status', '<>', 'audio_complete').limit(1).executeTakeFirst()
    if (!open) await reach(tx, await findProject(tx, project.id), 'audio_generated')
  })
}
