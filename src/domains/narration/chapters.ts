import { sql } from 'kysely'
import { z } from 'zod'
import { writeVtt } from '../../engines/packaging/write-vtt.ts'
import { slug } from '../../engines/packaging/name-files.ts'
import { type Tx, type Row } from '../../kit/database.ts'
import { Problem, notFound } from '../../kit/errors.ts'
import { file, operation } from '../../kit/operation.ts'
import { Id } from '../../kit/table.ts'
import { enforceQuota } from '../tenancy/enforce-quota.ts'
import { blobReply, textReply } from './blob-reply.ts'
import { loadBook } from './load-book.ts'
import { markStale } from './mark-stale.ts'
import { generateJob } from './narration.job.ts'
import { chapters } from './narration.table.ts'
import { numberInput, numberPage, numberPageOf } from './number-page.ts'
import { findProject, moveProject, requireEditable } from './project-state.ts'

const byId = z.object({ id: Id })
const times = { from: z.number(), to: z.number() }

export const findChapter = async (tx: Tx, id: string): Promise<Row<typeof chapters>> =>
  (await tx
    .selectFrom('chapters')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow(() => notFound('chapter'))) as Row<typeof chapters>

export const chapterOperations = {
  list: operation({
    name: 'chapters.list',
    method: 'GET',
    path: '/v1/chapters',
    summary: 'List the chapters of a project in order, without their text',
    input: z.object({ project_id: Id, included: z.boolean().optional(), ...numberInput }),
    output: numberPage(chapters.row),
    async run({ tx }, { project_id, included, limit, after }) {
      await findProject(tx, project_id)
      const rows = await tx
        .selectFrom('chapters')
        .select(columns)
        .where('project_id', '=', project_id)
        .where('number', '>', after)
        .$if(included !== undefined, (query) => query.where('included', '=', included ?? true))
        .orderBy('number')
        .limit(limit + 1)
        .execute()
      return numberPageOf(rows, limit)
    },
  }),
  get: operation({
    name: 'chapters.get',
    method: 'GET',
    path: '/v1/chapters/:id',
    summary: 'Show one chapter with its text and structure',
    input: byId,
    output: chapters.row.extend({ text: z.string(), blocks: z.array(z.unknown()) }),
    run: ({ tx }, { id }) => findChapter(tx, id),
  }),
  update: operation({
    name: 'chapters.update',
    method: 'PATCH',
    path: '/v1/chapters/:id',
    summary: "Change a chapter's title or role, or leave it out of the audiobook",
    input: chapters.update.extend({ id: Id, title: z.string().trim().min(1).max(500).optional() }),
    output: chapters.row,
    async run({ tx, services }, { id, ...changes }) {
      const before = await findChapter(tx, id)
      const project = await requireEditable(tx, before.project_id)
      const after = await tx
        .updateTable('chapters')
        .set({ ...changes, updated_at: sql`now()` })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow()
      if (after.included && !before.included) {
        // Its segments are yet to be found.
        if (project.status !== 'draft') await moveProject(tx, project, 'manuscript_uploaded')
      } else if (project.status === 'packaged' || project.status === 'completed')
        await moveProject(tx, project, 'audio_generated')
      if (after.included) await markStale(tx, services, project.id, id)
      return after
    },
  }),
  generate: operation({
    name: 'chapters.generate',
    method: 'POST',
    path: '/v1/chapters/:id/generate',
    summary: 'Speak and master one chapter; with force, its lines are spoken anew and not taken from the cache',
    input: byId.extend({ force: z.boolean().default(false) }),
    output: z.object({ job_id: Id, segments: z.number(), estimated_seconds: z.number() }),
    async run(context, { id, force }) {
      const { tx } = context
      const chapter = await findChapter(tx, id)
      await requireEditable(tx, chapter.project_id)
      if (!chapter.included) throw new Problem(409, 'not_included', 'This chapter is left out; include it first.')
      await enforceQuota(tx, 'processing', chapter.estimated_seconds / 60)
      const { segments } = await tx
        .selectFrom('segments')
        .select((select) => select.fn.countAll<number>().as('segments'))
        .where('chapter_id', '=', id)
        .executeTakeFirstOrThrow()
      const payload = { project_id: chapter.project_id, chapters: [chapter.number], force }
      const job_id = await context.enqueue(generateJob, payload, { key: `generate:${id}:${force}` })
      return { job_id, segments, estimated_seconds: chapter.estimated_seconds }
    },
  }),
  audio: operation({
    name: 'chapters.audio',
    method: 'GET',
    path: '/v1/chapters/:id/audio',
    summary: 'Play or download the audio of a chapter (AAC in MP4)',
    input: byId,
    output: file('audio/mp4'),
    async run({ tx, services }, { id }) {
      const { audio_blob, number, title } = await findChapter(tx, id)
      if (!audio_blob) throw new Problem(404, 'audio_missing', 'This chapter has no audio yet; generate it first.')
      const filename = `${String(number).padStart(3, '0')}-${slug(title)}.m4a`
      return blobReply(services.storage, audio_blob, { filename, mediaType: 'audio/mp4', inline: true })
    },
  }),
  vtt: operation({
    name: 'chapters.vtt',
    method: 'GET',
    path: '/v1/chapters/:id/vtt',
    summary: 'Captions of a chapter (WebVTT)',
    input: byId,
    output: file('text/vtt'),
    async run({ tx, services }, { id }) {
      const row = await findChapter(tx, id)
      const { book } = await loadBook(tx, services, await findProject(tx, row.project_id), {
        only: [row.number],
        withWords: true,
      })
      const [chapter] = book.chapters
      if (!chapter) throw notFound('chapter')
      const filename = `${String(row.number).padStart(3, '0')}-${slug(row.title)}.vtt`
      return textReply(writeVtt(chapter, book.metadata.language), { filename, mediaType: 'text/vtt', inline: true })
    },
  }),
  timings: operation({
    name: 'chapters.timings',
    method: 'GET',
    path: '/v1/chapters/:id/timings',
    summary: 'When each segment and each word is heard; seconds in the audio, offsets in the text of the segment',
    input: byId,
    output: z.object({
      seconds: z.number(),
      segments: z.array(
        z.object({
          id: z.uuid(),
          number: z.number(),
          ...times,
          words: z.array(z.object({ start: z.number(), end: z.number(), ...times })),
        }),
      ),
    }),
    async run({ tx }, { id }) {
      const { timings, audio_seconds } = await findChapter(tx, id)
      if (!timings) throw new Problem(404, 'audio_missing', 'This chapter has no audio yet; generate it first.')
      const lines = await tx
        .selectFrom('segments')
        .leftJoin('audio_cache', (join) =>
          join
            .onRef('audio_cache.tenant_id', '=', 'segments.tenant_id')
            .onRef('audio_cache.cache_key', '=', 'segments.cache_key'),
        )
        .select(['segments.id', 'segments.number', 'audio_cache.words'])
        .where('chapter_id', '=', id)
        .orderBy('segments.number')
        .execute()
      const segments = lines.map((line, index) => {
        const [from, to] = timings[index] ?? [0, 0]
        const words = (line.words ?? []).map(([start, end, begins, ends]) => ({
          start,
          end,
          from: from + begins,
          to: Math.min(to, from + ends),
        }))
        return { id: line.id, number: line.number, from, to, words }
      })
      return { seconds: audio_seconds ?? 0, segments }
    },
  }),
}

const columns = Object.keys(chapters.row.shape) as (keyof typeof chapters.row.shape)[]
