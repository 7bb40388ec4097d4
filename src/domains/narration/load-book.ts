import type { PlacedBlock } from '../../engines/manuscript/manuscript.ts'
import type { Book, BookChapter } from '../../engines/packaging/book.ts'
import type { Services } from '../../kit/operation.ts'
import type { Tx } from '../../kit/database.ts'
import { Problem } from '../../kit/errors.ts'
import { version } from '../../kit/version.ts'
import type { AudioBlock } from './audio-blocks.ts'
import type { Project } from './project-state.ts'

export interface LoadedBook {
  book: Book
  /** For each chapter of the book, its row and the key of its audio. */
  chapters: { id: string; number: number; audio_key: string; adts: string; audio_blocks: AudioBlock[] | null }[]
}

/** The finished chapters of a project as a book with files on this machine; `withWords` also says when each word is heard. @throws Problem 409 audio_missing */
export async function loadBook(
  tx: Tx,
  { storage }: Pick<Services, 'storage'>,
  project: Project,
  { only, withWords }: { only?: number[]; withWords: boolean },
): Promise<LoadedBook> {
  const rows = await tx
    .selectFrom('chapters')
    .selectAll()
    .where('project_id', '=', project.id)
    .where('included', '=', true)
    .$if(only !== undefined, (query) => query.where('number', 'in', [...(only ?? []), 0]))
    .orderBy('number')
    .execute()
  const unfinished = rows.find((row) => !row.audio_blob || !row.audio_key)
  if (unfinished)
    throw new Problem(
      409,
      'audio_missing',
      `Chapter ${unfinished.number}, “${unfinished.title}”, has no finished audio yet; generate it first.`,
      { chapter: unfinished.number },
    )
  const stale = rows.find((row) => row.status !== 'audio_complete')
  if (stale)
    throw new Problem(
      409,
      'audio_stale',
      `Chapter ${stale.number}, “${stale.title}”, has changed since it was spoken; generate it again.`,
      { chapter: stale.number },
    )
  if (rows.length === 0) throw new Problem(409, 'audio_missing', 'No chapter is included.')

  const lines = await tx
    .selectFrom('segments')
    .leftJoin('characters', (join) =>
      join
        .onRef('characters.tenant_id', '=', 'segments.tenant_id')
        .onRef('characters.id', '=', 'segments.character_id'),
    )
    .select([
      'segments.chapter_id',
      'segments.start_offset',
      'segments.end_offset',
      'segments.text',
      'segments.cache_key',
      'characters.name',
      'characters.role',
    ])
    .where('segments.project_id', '=', project.id)
    .where(
      'segments.chapter_id',
      'in',
      rows.map(({ id }) => id),
    )
    .orderBy('segments.number')
    .execute()
  const wordsOf = withWords ? await spokenWords(tx, project.id) : new Map<string, never>()
  const linesOf = Map.groupBy(lines, ({ chapter_id }) => chapter_id)

  const chapters = await Promise.all(
    rows.map(async (row): Promise<BookChapter> => {
      const timings = (row.timings ?? []) as [number, number][]
      const segments = (linesOf.get(row.id) ?? []).map((line, index) => {
        const [from = 0, to = 0] = timings[index] ?? []
        // A line that a person rewrote is not what stands in the chapter: its words have no place there.
        const isAsWritten = row.text.slice(line.start_offset, line.end_offset) === line.text
        const words = isAsWritten ? (wordsOf.get(line.cache_key ?? '') ?? []) : []
        return {
          start: line.start_offset,
          end: line.end_offset,
          from,
          to,
          speaker: line.role === 'narrator' ? null : line.name,
          words: words.map(([start, end, begins, ends]) => ({
            start: line.start_offset + start,
            end: line.start_offset + end,
            from: from + begins,
            to: Math.min(to, from + ends),
          })),
        }
      })
      return {
        number: row.number,
        title: row.title,
        role: row.role,
        kind: row.kind,
        parents: row.parents,
        text: row.text,
        blocks: row.blocks as PlacedBlock[],
        segments,
        audio: {
          file: await storage.localPath(row.audio_blob as string),
          mediaType: 'audio/mp4',
          duration: row.audio_seconds ?? 0,
        },
      }
    }),
  )
  const cover =
    project.cover_blob && project.cover_type
      ? { mediaType: project.cover_type, bytes: await storage.read(project.cover_blob) }
      : undefined
  const adts = await Promise.all(
    rows.map((row) => storage.localPath((row.audio_blob as string).replace(/m4a$/, 'aac'))),
  )
  return {
    chapters: rows.map((row, index) => ({
      id: row.id,
      number: row.number,
      audio_key: row.audio_key as string,
      audio_blocks: row.audio_blocks,
      adts: adts[index] as string,
    })),
    book: {
      metadata: bookMetadata(project),
      ...(cover && { cover }),
      chapters,
      createdWith: { name: 'Voicepress', version },
    },
  }
}

/** When each word of a spoken line is heard, by the line's key. */
async function spokenWords(tx: Tx, project: string) {
  const rows = await tx
    .selectFrom('audio_cache')
    .select(['cache_key', 'words'])
    .where('cache_key', 'in', (query) =>
      query
        .selectFrom('segments')
        .select('segments.cache_key')
        .where('project_id', '=', project)
        .where('segments.cache_key', 'is not', null)
        .$castTo<{ cache_key: string }>(),
    )
    .execute()
  return new Map(rows.map(({ cache_key, words }) => [cache_key, words]))
}

/** Listeners are told when nobody in person reads to them. */
const nobody: Record<string, string> = {
  es: 'Voz sintética',
  fr: 'Voix de synthèse',
  de: 'Synthetische Stimme',
  it: 'Voce sintetica',
  pt: 'Voz sintética',
}

export const bookMetadata = (project: Project): Book['metadata'] => ({
  title: project.title,
  ...(project.subtitle && { subtitle: project.subtitle }),
  authors: project.authors,
  translators: project.translators,
  narrators: project.narrators.length
    ? project.narrators
    : [nobody[project.language.split('-')[0] ?? ''] ?? 'Synthetic voice'],
  language: project.language,
  ...(project.isbn && { isbn: project.isbn }),
  ...(project.publisher && { publisher: project.publisher }),
  ...(project.published && { published: project.published }),
  ...(project.description && { description: project.description }),
})
