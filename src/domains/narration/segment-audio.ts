import { sql } from 'kysely'
import { z } from 'zod'
import type { PlacedBlock } from '../../engines/manuscript/manuscript.ts'
import { countWords } from '../../engines/manuscript/count-section.ts'
import { buildSsml } from '../../engines/speech/build-ssml.ts'
import { translateRequest } from '../../engines/speech/translate-request.ts'
import { Problem, notFound } from '../../kit/errors.ts'
import { file, operation } from '../../kit/operation.ts'
import { page, pageOf } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { enforceQuota } from '../tenancy/enforce-quota.ts'
import { blobReply } from './blob-reply.ts'
import { findChapter } from './chapters.ts'
import { lineSources, openLineSettings } from './line-settings.ts'
import { markStale } from './mark-stale.ts'
import { segmentRevisions } from './narration.table.ts'
import { planLines } from './plan-lines.ts'
import { findProject, requireEditable } from './project-state.ts'
import { findSegment, recordRevisions, restorable } from './record-revision.ts'
import { regenerateJob } from './regenerate-line.ts'
import { changeSegment, segmentChanges, segmentRow, showSegment } from './segments.ts'

const byId = z.object({ id: Id })

/** Hearing a line, having it spoken anew, and putting it back as it was. */
export const segmentAudioOperations = {
  regenerate: operation({
    name: 'segments.regenerate',
    method: 'POST',
    path: '/v1/segments/:id/regenerate',
    summary: 'Speak one line anew, with another text or voice if given; force does not take it from the cache',
    input: segmentChanges
      .pick({ text: true, ssml: true, voice_id: true, voice_settings: true })
      .extend({ id: Id, force: z.boolean().default(false) }),
    output: z.object({ job_id: Id }),
    async run(context, { id, force, ...changes }) {
      const { tx } = context
      const { project_id, chapter_id } = await findSegment(tx, id)
      await requireEditable(tx, project_id)
      await enforceQuota(tx, 'processing')
      if (Object.keys(changes).length > 0) await changeSegment(context, id, changes, 'segments.regenerate')
      const payload = { project_id, chapter_id, segment_id: id, force }
      return { job_id: await context.enqueue(regenerateJob, payload, { priority: 10 }) }
    },
  }),
  audio: operation({
    name: 'segments.audio',
    method: 'GET',
    path: '/v1/segments/:id/audio',
    summary: 'Listen to one line, as its voice gave it',
    input: byId,
    output: file('audio/*'),
    async run({ tx, services }, { id }) {
      const { cache_key, number } = await findSegment(tx, id)
      const cached = await tx
        .selectFrom('audio_cache')
        .select(['audio_blob', 'media_type'])
        .where('cache_key', '=', cache_key ?? '')
        .executeTakeFirst()
      if (!cached) throw new Problem(404, 'audio_missing', 'This line was not spoken yet; generate it first.')
      const filename = `segment-${number}.${cached.audio_blob.split('.').at(-1)}`
      return blobReply(services.storage, cached.audio_blob, { filename, mediaType: cached.media_type, inline: true })
    },
  }),
  ssml: operation({
    name: 'segments.ssml',
    method: 'GET',
    path: '/v1/segments/:id/ssml',
    summary: "Show a line's SSML 1.1, and what its voice's provider is sent",
    input: byId,
    output: z.object({
      voice_id: z.string(),
      ssml: z.string(),
      provider: z.string(),
      media_type: z.string(),
      content: z.string(),
    }),
    async run({ tx, services }, { id }) {
      const line = await findSegment(tx, id)
      const chapter = await findChapter(tx, line.chapter_id)
      const settings = await openLineSettings(tx, services, await findProject(tx, line.project_id))
      const sources = (await lineSources(tx, line.project_id, line.chapter_id)).get(line.chapter_id) ?? []
      const planned = planLines(sources, chapter.blocks as PlacedBlock[], settings).find(
        ({ segment }) => segment === id,
      )
      if (!planned) throw notFound('segment')
      const { request } = planned
      const ssml =
        request.ssml ?? buildSsml({ text: request.text, language: request.language, settings: request.settings })
      const { provider, mediaType, content } = translateRequest(request)
      return { voice_id: request.voice, ssml, provider, media_type: mediaType, content }
    },
  }),
  revisions: operation({
    name: 'segments.revisions',
    method: 'GET',
    path: '/v1/segments/:id/revisions',
    summary: 'List how a line was before each change, newest first',
    input: byId.extend({ limit: z.number().int().min(1).max(200).default(50), after: Id.optional() }),
    output: page(segmentRevisions.row),
    async run({ tx }, { id, limit, after }) {
      await findSegment(tx, id)
      const rows = await tx
        .selectFrom('segment_revisions')
        .selectAll()
        .where('segment_id', '=', id)
        .$if(after !== undefined, (query) => query.where('id', '<', after ?? ''))
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute()
      return pageOf(rows, limit)
    },
  }),
  restore: operation({
    name: 'segments.restore',
    method: 'POST',
    path: '/v1/segments/:id/restore',
    summary: 'Put a line back as it was before a change; before the last one unless told which',
    input: z.strictObject({ id: Id, revision_id: Id.optional() }),
    output: segmentRow,
    async run({ tx, services }, { id, revision_id }) {
      const { project_id, chapter_id } = await findSegment(tx, id)
      const { language } = await requireEditable(tx, project_id)
      const revision = await tx
        .selectFrom('segment_revisions')
        .select(['id', 'before'])
        .where('segment_id', '=', id)
        .$if(revision_id !== undefined, (query) => query.where('id', '=', revision_id ?? ''))
        .orderBy('id', 'desc')
        .limit(1)
        .executeTakeFirstOrThrow(() => notFound('revision'))
      await recordRevisions(tx, 'segments.restore', [id])
      const values = Object.fromEntries(restorable.map((column) => [column, revision.before[column] ?? null]))
      const speaker = values.character_id as string | null
      if (speaker && !(await tx.selectFrom('characters').select('id').where('id', '=', speaker).executeTakeFirst()))
        throw new Problem(409, 'reference_missing', 'The character who said this line then is there no more.')
      await tx
        .updateTable('segments')
        .set({
          ...values,
          voice_settings: values.voice_settings && (JSON.stringify(values.voice_settings) as never),
          word_count: countWords(String(values.text), language),
          character_count: String(values.text).length,
          updated_at: sql`now()`,
        })
        .where('id', '=', id)
        .execute()
      await markStale(tx, services, project_id, chapter_id)
      return showSegment(tx, id)
    },
  }),
}
