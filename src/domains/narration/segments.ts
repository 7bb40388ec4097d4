import { sql } from 'kysely'
import { z } from 'zod'
import { countWords } from '../../engines/manuscript/count-section.ts'
import { checkSsml } from '../../engines/speech/check-ssml.ts'
import type { Tx } from '../../kit/database.ts'
import { Problem, notFound } from '../../kit/errors.ts'
import { operation } from '../../kit/operation.ts'
import { Id } from '../../kit/table.ts'
import { requireVoice } from './check-voice.ts'
import { findChapter } from './chapters.ts'
import { markStale } from './mark-stale.ts'
import { segments } from './narration.table.ts'
import { numberInput, numberPage, numberPageOf } from './number-page.ts'
import { requireEditable } from './project-state.ts'
import { findSegment, recordRevisions } from './record-revision.ts'

const byId = z.object({ id: Id })

/** A segment with who says it and how long that takes. */
export const segmentRow = segments.row.extend({
  character_name: z.string().nullable(),
  audio_seconds: z.number().nullable(),
})
type SegmentRow = z.output<typeof segmentRow>

const shown = Object.keys(segments.row.shape).map(
  (name) => `segments.${name}` as `segments.${keyof typeof segments.row.shape}`,
)

const withSpeaker = (tx: Tx) =>
  tx
    .selectFrom('segments')
    .leftJoin('characters', (join) =>
      join
        .onRef('characters.tenant_id', '=', 'segments.tenant_id')
        .onRef('characters.id', '=', 'segments.character_id'),
    )
    .leftJoin('audio_cache', (join) =>
      join
        .onRef('audio_cache.tenant_id', '=', 'segments.tenant_id')
        .onRef('audio_cache.cache_key', '=', 'segments.cache_key'),
    )
    .select([...shown, 'characters.name as character_name', 'audio_cache.audio_seconds'])

export const showSegment = async (tx: Tx, id: string): Promise<SegmentRow> =>
  (await withSpeaker(tx)
    .where('segments.id', '=', id)
    .executeTakeFirstOrThrow(() => notFound('segment'))) as SegmentRow

/** What a person may change of a line. */
export const segmentChanges = segments.update.extend({
  text: z
    .string()
    .max(5000)
    .refine((text) => text.trim() !== '' && !text.includes('\u0000'), 'a line needs text')
    .optional(),
  gap_after: z.number().min(0).max(60).optional(),
})
export type SegmentChanges = z.output<typeof segmentChanges>

const scopes = ['one', 'chapter', 'project'] as const

export const segmentOperations = {
  list: operation({
    name: 'segments.list',
    method: 'GET',
    path: '/v1/segments',
    summary: 'List the segments of a chapter in order',
    input: z.object({
      chapter_id: Id,
      status: segments.row.shape.status.optional(),
      character_id: Id.optional(),
      ...numberInput,
    }),
    output: numberPage(segmentRow),
    async run({ tx }, { chapter_id, status, character_id, limit, after }) {
      await findChapter(tx, chapter_id)
      const rows = await withSpeaker(tx)
        .where('segments.chapter_id', '=', chapter_id)
        .where('segments.number', '>', after)
        .$if(status !== undefined, (query) => query.where('segments.status', '=', status ?? 'pending'))
        .$if(character_id !== undefined, (query) => query.where('segments.character_id', '=', character_id ?? ''))
        .orderBy('segments.number')
        .limit(limit + 1)
        .execute()
      return numberPageOf(rows as SegmentRow[], limit)
    },
  }),
  get: operation({
    name: 'segments.get',
    method: 'GET',
    path: '/v1/segments/:id',
    summary: 'Show one segment',
    input: byId,
    output: segmentRow,
    run: ({ tx }, { id }) => showSegment(tx, id),
  }),
  update: operation({
    name: 'segments.update',
    method: 'PATCH',
    path: '/v1/segments/:id',
    summary: "Change a line's text, SSML, speaker, voice or the pause after it; only this line is spoken anew",
    input: segmentChanges.extend({ id: Id }),
    output: segmentRow,
    async run(context, { id, ...changes }) {
      await changeSegment(context, id, changes, 'segments.update')
      return showSegment(context.tx, id)
    },
  }),
  assign: operation({
    name: 'segments.assign',
    method: 'POST',
    path: '/v1/segments/:id/assign',
    summary:
      'Give a line to another character; with scope chapter or project all lines like it, which had the same speaker by the same rule',
    input: z.strictObject({ id: Id, character_id: Id, scope: z.enum(scopes).default('one') }),
    output: z.object({ changed: z.number() }),
    async run({ tx, services }, { id, character_id, scope }) {
      const line = await findSegment(tx, id)
      await requireEditable(tx, line.project_id)
      await requireCharacter(tx, line.project_id, character_id)
      const like = await tx
        .selectFrom('segments')
        .select('id')
        .where('project_id', '=', line.project_id)
        .where('character_id', 'is distinct from', character_id)
        .$if(scope === 'one', (query) => query.where('id', '=', id))
        .$if(scope === 'chapter', (query) => query.where('chapter_id', '=', line.chapter_id))
        .$if(scope !== 'one', (query) =>
          query
            .where('kind', '=', line.kind)
            .where('rule', 'is not distinct from', line.rule)
            .where('character_id', 'is not distinct from', line.character_id),
        )
        .execute()
      await giveLines(
        tx,
        like.map((one) => one.id),
        character_id,
        'segments.assign',
      )
      await markStale(tx, services, line.project_id, scope === 'project' ? undefined : line.chapter_id)
      return { changed: like.length }
    },
  }),
  revise: operation({
    name: 'segments.revise',
    method: 'POST',
    path: '/v1/segments/:id/revise',
    summary: 'Ask for a line to be done again, and say why; whoever may comment may ask',
    input: z.strictObject({ id: Id, notes: z.string().trim().min(1).max(5000) }),
    output: segmentRow,
    async run({ tx }, { id, notes }) {
      await findSegment(tx, id)
      const { rows } = await sql<{ revised: boolean }>`select revise_segment(${id}::uuid, ${notes}) as revised`.execute(
        tx,
      )
      if (!rows[0]?.revised)
        throw new Problem(403, 'forbidden', 'This project is shared with you to view, not to comment on.')
      return showSegment(tx, id)
    },
  }),
  approve: operation({
    name: 'segments.approve',
    method: 'POST',
    path: '/v1/segments/:id/approve',
    summary: 'Approve a line as it sounds now',
    input: byId,
    output: segmentRow,
    async run({ tx, services }, { id }) {
      const line = await findSegment(tx, id)
      await requireEditable(tx, line.project_id)
      const spoken = await showSegment(tx, id)
      if (spoken.audio_seconds === null || (line.status !== 'complete' && line.status !== 'needs_revision'))
        throw new Problem(
          409,
          'audio_missing',
          'This line has changed or was never spoken; generate it and listen first.',
        )
      await tx
        .updateTable('segments')
        .set({ status: 'complete', approved_at: sql`now()`, revision_notes: null, updated_at: sql`now()` })
        .where('id', '=', id)
        .execute()
      // A line that was asked for again and changed since is not what was heard.
      await markStale(tx, services, line.project_id, line.chapter_id)
      const after = await showSegment(tx, id)
      if (after.status !== 'complete')
        throw new Problem(
          409,
          'audio_stale',
          'This line has changed since it was spoken; generate it and listen first.',
        )
      return after
    },
  }),
}

interface Changing {
  tx: Tx
  services: Parameters<typeof requireVoice>[0]
}

/** Checks and writes a person's changes to a line, and marks what they make stale. */
export async function changeSegment(
  { tx, services }: Changing,
  id: string,
  changes: SegmentChanges,
  action: string,
): Promise<void> {
  const line = await findSegment(tx, id)
  const project = await requireEditable(tx, line.project_id)
  if (changes.voice_id) await requireVoice(services, changes.voice_id)
  if (changes.character_id) await requireCharacter(tx, line.project_id, changes.character_id)
  const text = changes.text ?? line.text
  if (changes.ssml) checkSsml(changes.ssml, text)
  const original = line.source_text ?? line.text
  const { character_id, voice_settings, ...plain } = changes
  await recordRevisions(tx, action, [id])
  await tx
    .updateTable('segments')
    .set({
      ...plain,
      // Markup of another text is none of this one's.
      ...(changes.ssml === undefined && text !== line.text && { ssml: null }),
      ...(voice_settings !== undefined && {
        voice_settings: voice_settings && (JSON.stringify(voice_settings) as never),
      }),
      ...(character_id !== undefined && { character_id, rule: 'manual', confidence: 1 }),
      source_text: text === original ? null : original,
      word_count: countWords(text, project.language),
      character_count: text.length,
      ...(line.status === 'error' && { status: 'pending', error: null }),
      updated_at: sql`now()`,
    })
    .where('id', '=', id)
    .execute()
  await markStale(tx, services, line.project_id, line.chapter_id)
}

/** @throws Problem 400 unless the character is one of the project's */
export async function requireCharacter(
  tx: Tx,
  project: string,
  character: string,
  field = 'character_id',
): Promise<void> {
  const found = await tx
    .selectFrom('characters')
    .select('id')
    .where('id', '=', character)
    .where('project_id', '=', project)
    .executeTakeFirst()
  if (!found) throw new Problem(400, 'invalid_input', `${field}: this project has no such character`, { field })
}

/** Lines that a person gives to a character stay that character's, whatever a detection finds. */
export async function giveLines(tx: Tx, ids: string[], character: string, action: string): Promise<void> {
  await recordRevisions(tx, action, ids)
  await tx
    .updateTable('segments')
    .set({ character_id: character, rule: 'manual', confidence: 1, updated_at: sql`now()` })
    .where(sql<boolean>`id = any (${ids}::uuid[])`)
    .execute()
}
