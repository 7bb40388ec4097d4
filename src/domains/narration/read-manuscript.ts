import { sql } from 'kysely'
import { countSection } from '../../engines/manuscript/count-section.ts'
import { type Manuscript, type Section, placeBlocks } from '../../engines/manuscript/manuscript.ts'
import { convertCover } from '../../engines/media/convert-cover.ts'
import { speakHeadings } from '../../engines/manuscript/speak-headings.ts'
import { readManuscript } from '../../engines/manuscript/read-manuscript.ts'
import type { Tx } from '../../kit/database.ts'
import { Problem } from '../../kit/errors.ts'
import { hashFile, hashOf } from '../../kit/hash.ts'
import type { JobContext } from '../../kit/jobs.ts'
import { lexiconRows } from './lexicon-rows.ts'
import { parsePls } from '../../engines/speech/parse-pls.ts'
import { type Project, findProject, moveProject, projectFolder } from './project-state.ts'

/** Reads the project's manuscript into chapters. What was read already, with the same settings, is left as it is. */
export async function readIntoProject(context: JobContext, projectId: string): Promise<void> {
  const { storage } = context.services
  const project = await context.scoped((tx) => findProject(tx, projectId), true)
  if (!project.manuscript_blob) throw new Problem(409, 'no_manuscript', 'Upload a manuscript first.')
  const path = await storage.localPath(project.manuscript_blob)
  const { chapter_pattern: chapterPattern, language, include_front_matter, include_back_matter } = project.settings
  const key = hashOf(
    'manuscript',
    2,
    await hashFile(path),
    chapterPattern,
    language,
    include_front_matter,
    include_back_matter,
  )
  if (project.manuscript_key === key) return

  context.progress(1, { step: 'manuscript' })
  const manuscript = await readManuscript(path, {
    filename: project.manuscript_filename ?? 'manuscript.txt',
    chapterPattern,
    language,
    signal: context.signal,
  })
  const image = manuscript.cover && (await convertCover(manuscript.cover))
  if (manuscript.cover && !image)
    manuscript.warnings.push(
      `The cover was left out: it is ${manuscript.cover.mediaType} and cannot be read as an image.`,
    )
  const cover = image && { blob: `${projectFolder(context.principal.tenant, projectId)}/cover`, ...image }
  if (cover) await storage.put(cover.blob, cover.bytes, { mediaType: cover.mediaType })

  await context.scoped(async (tx) => {
    const totals = await writeChapters(tx, project, manuscript)
    const { metadata } = manuscript
    // What a person has filled in is theirs; the file fills in the rest. The title that came from the file's name was nobody's.
    const provisional = project.title === titleFromFilename(project.manuscript_filename ?? '')
    const orFile = <T>(own: T | null | undefined, file: T | null | undefined): T | null =>
      own == null || (Array.isArray(own) && own.length === 0) ? (file ?? own ?? null) : own
    await tx
      .updateTable('projects')
      .set({
        title: (provisional && metadata.title?.slice(0, 500)) || project.title,
        subtitle: orFile(project.subtitle, metadata.subtitle?.slice(0, 500)),
        authors: orFile(project.authors, metadata.authors) ?? [],
        narrators: orFile(project.narrators, metadata.narrators) ?? [],
        translators: orFile(project.translators, metadata.translators) ?? [],
        language: (project.settings.language ?? metadata.language).slice(0, 35),
        description: orFile(project.description, metadata.description?.slice(0, 10_000)),
        publisher: orFile(project.publisher, metadata.publisher?.slice(0, 255)),
        published: orFile(project.published, metadata.published?.slice(0, 10)),
        isbn: orFile(project.isbn, metadata.isbn?.slice(0, 20)),
        ...(cover && !project.cover_blob && { cover_blob: cover.blob, cover_type: cover.mediaType }),
        manuscript_key: key,
        manuscript_word_count: totals.words,
        manuscript_character_count: totals.characters,
        estimated_seconds: totals.seconds,
        warnings: manuscript.warnings.slice(0, 1000).map((warning) => warning.slice(0, 1000)),
        updated_at: sql`now()`,
      })
      .where('id', '=', projectId)
      .execute()
    await importLexicons(tx, projectId, manuscript)
    await moveProject(tx, project, 'manuscript_uploaded')
    await context.emit(tx, 'manuscript.read', { project_id: projectId })
  })
}

export const titleFromFilename = (filename: string): string =>
  filename
    .replace(/\.[A-Za-z0-9]{1,8}$/, '')
    .replace(/[_-]+/g, ' ')
    .trim()
    .slice(0, 500) || 'Untitled'

/** Only chapters whose text changed are written, so that what was made of the others stays. */
async function writeChapters(
  tx: Tx,
  project: Project,
  { sections, metadata }: Manuscript,
): Promise<{ words: number; characters: number; seconds: number }> {
  const { include_front_matter = false, include_back_matter = false } = project.settings
  const known = new Map(
    (
      await tx.selectFrom('chapters').select(['number', 'content_key']).where('project_id', '=', project.id).execute()
    ).map((chapter) => [chapter.number, chapter.content_key]),
  )
  const isIncluded = (section: Section): boolean =>
    section.role === 'body' || (section.role === 'front' ? include_front_matter : include_back_matter)
  const total = { words: 0, characters: 0, seconds: 0 }
  const readable = sections.filter((section) => section.blocks.some((block) => block.text.trim()))
  if (!readable.some(isIncluded))
    throw new Problem(422, 'nothing_to_read', 'There is no text to read aloud in this manuscript.')
  for (const [index, section] of readable.entries()) {
    const { text, blocks } = placeBlocks(speakHeadings(section))
    const count = countSection(section, metadata.language)
    const included = isIncluded(section)
    if (included) {
      total.words += count.words
      total.characters += count.characters
      total.seconds += count.seconds
    }
    const number = index + 1
    const content_key = hashOf(section.title, section.role, section.kind, section.parents, blocks, included)
    if (known.get(number) === content_key) continue
    const values = {
      title: section.title.slice(0, 500),
      role: section.role,
      kind: section.kind.slice(0, 50),
      parents: section.parents.map((parent) => parent.slice(0, 500)),
      included,
      text,
      blocks: JSON.stringify(blocks) as never,
      content_key,
      word_count: count.words,
      character_count: count.characters,
      estimated_seconds: count.seconds,
      status: 'draft' as const,
    }
    await tx
      .insertInto('chapters')
      .values({ project_id: project.id, number, ...values })
      .onConflict((conflict) =>
        conflict.columns(['tenant_id', 'project_id', 'number']).doUpdateSet({ ...values, updated_at: sql`now()` }),
      )
      .execute()
  }
  await tx.deleteFrom('chapters').where('project_id', '=', project.id).where('number', '>', readable.length).execute()
  return total
}

/** Pronunciations that came with the book; those a person has entered win. */
async function importLexicons(tx: Tx, project_id: string, { lexicons }: Manuscript): Promise<void> {
  const entries = lexicons.flatMap((xml) => lexiconRows(project_id, parsePls(xml)))
  const unique = [...new Map(entries.map((entry) => [entry.grapheme, entry])).values()]
  if (unique.length)
    await tx
      .insertInto('lexicon_entries')
      .values(unique)
      .onConflict((conflict) => conflict.columns(['tenant_id', 'project_id', 'grapheme']).doNothing())
      .execute()
}
