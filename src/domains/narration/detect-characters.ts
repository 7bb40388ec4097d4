import { sql } from 'kysely'
import type { Cast, CastChapter, CastSegment } from '../../engines/language/cast.ts'
import { detectCast } from '../../engines/language/detect-cast.ts'
import type { PlacedBlock } from '../../engines/manuscript/manuscript.ts'
import { countWords } from '../../engines/manuscript/count-section.ts'
import { type Pauses, gapAfter } from '../../engines/speech/gap-after.ts'
import type { Row, Tx } from '../../kit/database.ts'
import { hashOf } from '../../kit/hash.ts'
import type { JobContext } from '../../kit/jobs.ts'
import { castWithModel } from './cast-with-model.ts'
import type { segments } from './narration.table.ts'
import { type Project, findProject, reach } from './project-state.ts'

interface StoredChapter extends CastChapter {
  id: string
  number: number
}

/** Cuts the included chapters into segments and finds who speaks them. What was detected already, of the same text, is left as it is. */
export async function detectIntoProject(context: JobContext, projectId: string): Promise<void> {
  const { project, keys } = await context.scoped(async (tx) => {
    const project = await findProject(tx, projectId)
    const keys = await tx
      .selectFrom('chapters')
      .select(['content_key', 'title', 'included'])
      .where('project_id', '=', projectId)
      .where('included', '=', true)
      .orderBy('number')
      .execute()
    return { project, keys }
  }, true)
  const { cast = 'auto', detector = 'sieve', pauses = {} } = project.settings
  const key = hashOf('cast', detectorVersion, keys, cast, detector, pauses, project.language)
  if (project.cast_key === key) return

  context.progress(2, { step: 'characters' })
  const chapters = await context.scoped(
    async (tx) =>
      (await tx
        .selectFrom('chapters')
        .select(['id', 'number', 'title', 'text', 'blocks'])
        .where('project_id', '=', projectId)
        .where('included', '=', true)
        .orderBy('number')
        .execute()) as unknown as StoredChapter[],
    true,
  )
  const options = {
    language: project.language,
    signal: context.signal,
    onProgress: (done: number, total: number) =>
      context.progress(2 + (3 * done) / total, { step: 'characters', done, total }),
  }
  const found =
    detector === 'model'
      ? await castWithModel(context, projectId, chapters, options)
      : await detectCast(chapters, options)
  const detected = cast === 'single' ? inOneVoice(found) : found

  await context.scoped(async (tx) => {
    const characterIds = await writeCharacters(tx, projectId, detected)
    for (const [index, chapter] of chapters.entries())
      await writeSegments(tx, project, chapter, detected.segments[index] ?? [], characterIds, pauses)
    await tx
      .deleteFrom('segments')
      .where('project_id', '=', projectId)
      .where('chapter_id', 'in', (query) =>
        query.selectFrom('chapters').select('id').where('project_id', '=', projectId).where('included', '=', false),
      )
      .execute()
    await tx
      .updateTable('projects')
      .set({ cast_key: key, updated_at: sql`now()` })
      .where('id', '=', projectId)
      .execute()
    await reach(tx, project, 'characters_detected')
    await context.emit(tx, 'characters.detected', { project_id: projectId })
  })
}

/** Part of the key: another version detects anew. */
const detectorVersion = 1

function inOneVoice({ characters, segments, detectedBy }: Cast): Cast {
  return {
    detectedBy,
    characters: characters.filter(({ role }) => role === 'narrator').slice(0, 1),
    segments: segments.map((chapter) => chapter.map((segment) => ({ ...segment, speaker: 'narrator' }))),
  }
}

/** Keeps the voice of a character that is found again, and whoever was made by hand. */
async function writeCharacters(
  tx: Tx,
  project_id: string,
  { characters, detectedBy }: Cast,
): Promise<Map<string, string>> {
  const rows = characters.map((character) => ({
    project_id,
    slug: character.id.slice(0, 200),
    name: character.name.slice(0, 255),
    aliases: character.aliases.slice(0, 100).map((alias) => alias.slice(0, 255)),
    role: character.role,
    description: character.description.slice(0, 2000),
    gender: character.gender,
    age_range: character.ageRange,
    detected_by: detectedBy.slice(0, 50),
    confidence: character.confidence,
    lines: character.lines,
    words: character.words,
    first_chapter: character.firstAppearance === null ? null : character.firstAppearance.chapter + 1,
    first_start: character.firstAppearance?.start ?? null,
  }))
  const slugs = rows.map(({ slug }) => slug)
  await tx
    .deleteFrom('characters')
    .where('project_id', '=', project_id)
    .where('detected_by', 'is not', null)
    .where('voice_chosen', '=', false)
    .$if(slugs.length > 0, (query) => query.where('slug', 'not in', slugs))
    .execute()
  const changing = [
    'name',
    'aliases',
    'role',
    'description',
    'gender',
    'age_range',
    'detected_by',
    'confidence',
    'lines',
    'words',
    'first_chapter',
    'first_start',
  ] as const
  if (rows.length) {
    await tx
      .insertInto('characters')
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .columns(['tenant_id', 'project_id', 'slug'])
          .doUpdateSet((excluded) =>
            Object.fromEntries(changing.map((column) => [column, excluded.ref(`excluded.${column}`)])),
          ),
      )
      .execute()
  }
  const known = await tx.selectFrom('characters').select(['id', 'slug']).where('project_id', '=', project_id).execute()
  return new Map(known.map(({ slug, id }) => [slug, id]))
}

async function writeSegments(
  tx: Tx,
  project: Project,
  chapter: StoredChapter,
  found: CastSegment[],
  ids: Map<string, string>,
  pauses: Partial<Pauses>,
): Promise<void> {
  const key = hashOf(
    project.language,
    pauses,
    chapter.blocks,
    found.map((segment) => [
      segment.start,
      segment.end,
      segment.kind,
      segment.speaker,
      chapter.text.slice(segment.start, segment.end),
    ]),
  )
  const { segments_key } = await tx
    .selectFrom('chapters')
    .select('segments_key')
    .where('id', '=', chapter.id)
    .executeTakeFirstOrThrow()
  if (segments_key === key) return
  // A line that a person worked on keeps their work while what stands in the book stays; of equal lines each its own.
  const before = await tx
    .selectFrom('segments')
    .selectAll()
    .where('chapter_id', '=', chapter.id)
    .orderBy('number')
    .execute()
  const nameBefore = nameRepeats()
  const keep = new Map(
    before
      .map((segment) => [nameBefore(segment.source_text ?? segment.text), segment] as const)
      .filter(([, segment]) => isWorkedOn(segment)),
  )
  const nameNow = nameRepeats()
  await tx.deleteFrom('segments').where('chapter_id', '=', chapter.id).execute()
  const gaps = gapsOf(chapter, found, pauses)
  const rows = found.map((segment, index) => {
    const written = chapter.text.slice(segment.start, segment.end)
    const kept = keep.get(nameNow(written))
    const text = kept?.text ?? written
    return {
      project_id: project.id,
      chapter_id: chapter.id,
      number: index + 1,
      start_offset: segment.start,
      end_offset: segment.end,
      kind: segment.kind,
      text,
      word_count: countWords(text, project.language),
      character_count: text.length,
      character_id: (kept?.rule === 'manual' ? kept.character_id : ids.get(segment.speaker ?? 'narrator')) ?? null,
      rule: kept?.rule === 'manual' ? 'manual' : segment.rule.slice(0, 50),
      confidence: segment.confidence,
      gap_after: gaps[index] ?? 0,
      ...(kept && {
        source_text: kept.source_text,
        voice_id: kept.voice_id,
        voice_settings: kept.voice_settings && (JSON.stringify(kept.voice_settings) as never),
        ssml: kept.ssml,
        approved_at: kept.approved_at,
        revision_notes: kept.revision_notes,
        ...(kept.status === 'needs_revision' && { status: kept.status }),
      }),
    }
  })
  // 65,535 parameters at most in one statement.
  for (let from = 0; from < rows.length; from += 2000)
    await tx
      .insertInto('segments')
      .values(rows.slice(from, from + 2000))
      .execute()
  await tx
    .updateTable('chapters')
    .set({ segments_key: key, status: 'segmented', updated_at: sql`now()` })
    .where('id', '=', chapter.id)
    .execute()
}

const isWorkedOn = (
  segment: Pick<Row<typeof segments>, 'rule' | 'voice_id' | 'ssml' | 'source_text' | 'approved_at' | 'revision_notes'>,
): boolean =>
  segment.rule === 'manual' ||
  [segment.voice_id, segment.ssml, segment.source_text, segment.approved_at, segment.revision_notes].some(
    (own) => own !== null,
  )

/** Names each text by how often it has come before. */
function nameRepeats(): (text: string) => string {
  const counts = new Map<string, number>()
  return (text) => {
    const count = (counts.get(text) ?? 0) + 1
    counts.set(text, count)
    return `${count} ${text}`
  }
}

function gapsOf(chapter: StoredChapter, found: CastSegment[], pauses: Partial<Pauses>): number[] {
  const blocks = chapter.blocks as PlacedBlock[]
  let at = 0
  const placed = found.map((segment) => {
    while (at < blocks.length - 1 && (blocks[at]?.end ?? 0) <= segment.start) at++
    return { segment, blockIndex: at }
  })
  const side = (index: number) => {
    const one = placed[index]
    if (!one) return null
    const next = placed[index + 1]
    const between = next ? blocks.slice(one.blockIndex, next.blockIndex + 1) : []
    return {
      text: chapter.text.slice(one.segment.start, one.segment.end),
      block: blocks[one.blockIndex]?.kind ?? 'paragraph',
      blockIndex: one.blockIndex,
      speaker: one.segment.speaker,
      sceneBreakAfter: between.some((block) => block.kind === 'scene_break'),
    }
  }
  return placed.map((_, index) =>
    gapAfter(side(index) as NonNullable<ReturnType<typeof side>>, side(index + 1), pauses),
  )
}
