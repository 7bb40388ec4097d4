import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { MeasuredAudio } from '../../engines/media/media.ts'
import { Problem } from '../../kit/errors.ts'
import { hashOf } from '../../kit/hash.ts'
import type { JobContext } from '../../kit/jobs.ts'
import { meter } from '../metering/meter.ts'
import { type AudioBlock, measuredOf, toJson } from './audio-blocks.ts'
import { markStale } from './mark-stale.ts'
import type { PlannedLine } from './plan-lines.ts'
import { type Project, projectFolder } from './project-state.ts'
import { type KnownBlocks, headSeconds, planBlocks, renderBlocks } from './render-blocks.ts'
import type { SpokenLines } from './speak-lines.ts'

export interface ChapterPlan {
  id: string
  number: number
  title: string
  lines: PlannedLine[]
  key: string
}

/** Masters a chapter of its spoken lines and writes it down; of one that was mastered before only the blocks that changed are made anew. Gives its seconds. */
export async function masterChapter(
  context: JobContext,
  project: Project,
  plan: ChapterPlan,
  { spoken, failed }: SpokenLines,
): Promise<number> {
  const { storage, media, scratch } = context.services
  const playable = plan.lines.flatMap(({ key, segment, gapAfter }) => {
    const line = spoken.get(key)
    return line ? [{ ...line, key, segment, gapAfter }] : []
  })
  if (playable.length === 0) {
    await markChapter(context, plan, failed, { status: 'error' })
    throw [...failed.values()][0] ?? new Problem(422, 'nothing_to_read', `${plan.title} has nothing to read aloud.`)
  }
  const folder = await mkdtemp(join(scratch, 'chapter-'))
  try {
    const chain = project.settings.processing_chain ?? 'audiobook_standard'
    const adts = join(folder, 'chapter.aac')
    const m4a = join(folder, 'chapter.m4a')
    const planned = planBlocks(playable, chain)
    const blocks = await renderBlocks(context, chain, planned, await knownBlocks(context, plan), folder, adts)
    const measured = measuredOf(blocks)
    const parts = placeParts(blocks)
    await media.assembleM4b(
      {
        chapters: [{ file: adts, title: plan.title, duration: measured.duration }],
        metadata: { title: plan.title, authors: project.authors, narrators: [], language: project.language },
        file: m4a,
      },
      context.signal,
    )
    // Named by its blocks: what lies under a name never changes while a row says where in it a block is.
    const name = hashOf(
      plan.key,
      planned.blocks.map(({ key }) => key),
    ).slice(0, 16)
    const blob = `${projectFolder(context.principal.tenant, project.id)}/audio/chapters/${String(plan.number).padStart(4, '0')}-${name}.m4a`
    const { size } = await storage.putFile(blob, m4a, { mediaType: 'audio/mp4' })
    const { size: adtsSize } = await storage.putFile(blob.replace(/m4a$/, 'aac'), adts, { mediaType: 'audio/aac' })
    const timingOf = new Map(playable.map(({ segment }, index) => [segment, parts[index]]))
    // A line that could not be spoken takes no time, at the place where it would be.
    let last = headSeconds
    const timings = plan.lines.map(({ segment }): [number, number] => {
      const timing = timingOf.get(segment)
      const placed: [number, number] = timing ?? [last, last]
      last = placed[1]
      return placed
    })
    await markChapter(context, plan, failed, {
      status: failed.size ? 'error' : 'audio_complete',
      blob,
      size: size + adtsSize,
      measured,
      blocks,
      timings,
    })
    return measured.duration
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What an earlier run has made of the chapter, where it is still there. */
async function knownBlocks(
  { scoped, services: { storage } }: JobContext,
  { id }: ChapterPlan,
): Promise<KnownBlocks | null> {
  const row = await scoped(
    (tx) => tx.selectFrom('chapters').select(['audio_blob', 'audio_blocks']).where('id', '=', id).executeTakeFirst(),
    true,
  )
  const blob = row?.audio_blob?.replace(/m4a$/, 'aac')
  const last = row?.audio_blocks?.at(-1)
  if (!row?.audio_blocks || !blob || !last || (await storage.stat(blob))?.size !== last.offset + last.length)
    return null
  return { file: await storage.localPath(blob), blocks: row.audio_blocks }
}

/** Where each line lies in the chapter. */
function placeParts(blocks: AudioBlock[]): [number, number][] {
  let start = 0
  return blocks.flatMap(({ parts, duration }) => {
    const placed = parts.map(([from, to]): [number, number] => [start + from, start + to])
    start += duration
    return placed
  })
}

interface Made {
  status: 'audio_complete' | 'error'
  blob?: string
  size?: number
  measured?: MeasuredAudio
  blocks?: AudioBlock[]
  timings?: [number, number][]
}

async function markChapter(
  context: JobContext,
  plan: ChapterPlan,
  failed: Map<string, Problem>,
  { status, blob, size = 0, measured, blocks, timings }: Made,
): Promise<void> {
  const before = await context.scoped(async (tx) => {
    const before = await tx
      .selectFrom('chapters')
      .select(['audio_blob', 'audio_bytes', 'project_id'])
      .where('id', '=', plan.id)
      .executeTakeFirst()
    await tx
      .updateTable('chapters')
      .set({
        status,
        ...(blob && {
          audio_blob: blob,
          // A chapter with a gap in it is not up to date: the next run tries its failed lines again.
          audio_key: failed.size ? null : plan.key,
          audio_seconds: measured?.duration,
          audio_bytes: size,
          audio_generated_at: sql<string>`now()`,
          levels: JSON.stringify(measured && toJson(measured.levels)) as never,
          audio_blocks: JSON.stringify(blocks) as never,
          timings: JSON.stringify(timings) as never,
        }),
        updated_at: sql`now()`,
      })
      .where('id', '=', plan.id)
      .execute()
    const keys = JSON.stringify(
      plan.lines.map(({ segment, key }) => ({ id: segment, key, error: failed.get(key)?.toJSON() ?? null })),
    )
    await sql`
      update segments set cache_key = made.key, error = made.error,
        status = case when made.error is not null then 'error' when segments.status = 'needs_revision' then 'needs_revision' else 'complete' end
      from jsonb_to_recordset(${keys}::jsonb) as made (id uuid, key text, error jsonb)
      where segments.id = made.id and segments.chapter_id = ${plan.id}::uuid`.execute(tx)
    if (before) {
      // Somebody may have changed a line while it was spoken.
      await markStale(tx, context.services, before.project_id, plan.id)
      await meter(tx, [
        {
          user: context.principal.user,
          project: before.project_id,
          job: context.id,
          usage: { resource: 'storage', amount: size - (before.audio_bytes ?? 0) },
        },
      ])
      await context.emit(tx, 'chapter.narrated', {
        project_id: before.project_id,
        chapter_id: plan.id,
        number: plan.number,
      })
    }
    return before
  })
  if (before?.audio_blob && blob && before.audio_blob !== blob) {
    await context.services.storage.remove(before.audio_blob)
    await context.services.storage.remove(before.audio_blob.replace(/m4a$/, 'aac'))
  }
}
