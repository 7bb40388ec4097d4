import { createReadStream } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { chooseGain } from '../../engines/media/choose-gain.ts'
import type { RenderPart, RenderResult } from '../../engines/media/media.ts'
import type { PlacedBlock } from '../../engines/manuscript/manuscript.ts'
import type { Book, BookChapter } from '../../engines/packaging/book.ts'
import { hashOf } from '../../kit/hash.ts'
import type { JobContext } from '../../kit/jobs.ts'
import { lineSources, openLineSettings } from './line-settings.ts'
import type { LoadedBook } from './load-book.ts'
import { type PlannedLine, planLines } from './plan-lines.ts'
import { type Project, projectFolder } from './project-state.ts'
import { headSeconds, tailSeconds } from './render-blocks.ts'
import { speakLines } from './speak-lines.ts'

/** The lines of the chapters of a book, by chapter id. */
export async function plannedLines(
  context: JobContext,
  project: Project,
  ids: string[],
): Promise<Map<string, PlannedLine[]>> {
  return context.scoped(async (tx) => {
    const settings = await openLineSettings(tx, context.services, project)
    const sources = await lineSources(tx, project.id)
    const blocks = await tx.selectFrom('chapters').select(['id', 'blocks']).where('id', 'in', ids).execute()
    return new Map(
      blocks.map((chapter) => [
        chapter.id,
        planLines(sources.get(chapter.id) ?? [], chapter.blocks as PlacedBlock[], settings),
      ]),
    )
  }, true)
}

export interface RenderParts {
  parts: RenderPart[]
  /** dB. */
  gain: number
}

/** Files of spoken lines, from the cache or spoken now, and how loud they are to be. */
export async function partsOf(context: JobContext, project: Project, lines: PlannedLine[]): Promise<RenderParts> {
  const { spoken } = await speakLines(context, project.id, lines, () => {})
  const playable = lines.flatMap((line) => {
    const found = spoken.get(line.key)
    return found ? [{ ...found, gapAfter: line.gapAfter }] : []
  })
  return {
    parts: await Promise.all(
      playable.map(async ({ blob, gapAfter }) => ({ file: await context.services.storage.localPath(blob), gapAfter })),
    ),
    gain: chooseGain(chainOf(project), playable, { head: headSeconds, tail: tailSeconds }),
  }
}

const chainOf = (project: Project) => project.settings.processing_chain ?? 'audiobook_standard'

export interface Mp3Request extends RenderParts {
  file: string
  bitRate: number
  tags: Record<string, string>
}

export const renderMp3 = (
  context: JobContext,
  project: Project,
  { parts, gain, file, bitRate, tags }: Mp3Request,
): Promise<RenderResult> =>
  context.services.media.render(
    {
      parts,
      gain,
      chain: chainOf(project),
      head: headSeconds,
      tail: tailSeconds,
      outputs: [{ format: 'mp3', file, bitRate, tags }],
    },
    context.signal,
  )

export const trackTags = (book: Book, title: string, track: number, of: number): Record<string, string> => ({
  title,
  album: book.metadata.title ?? '',
  artist: book.metadata.authors.join(', '),
  album_artist: book.metadata.authors.join(', '),
  composer: book.metadata.narrators.join(', '),
  genre: 'Audiobook',
  track: `${track}/${of}`,
  ...(book.metadata.published && { date: book.metadata.published }),
  ...(book.metadata.publisher && { publisher: book.metadata.publisher }),
})

/** The same book with every chapter as an MP3; those a killed run had finished are taken from where it left them. */
export async function withMp3(
  context: JobContext,
  project: Project,
  { book, chapters }: LoadedBook,
  bitRate: number,
  folder: string,
  onProgress: (done: number) => void,
): Promise<Book> {
  const { storage } = context.services
  const planned = await plannedLines(
    context,
    project,
    chapters.map(({ id }) => id),
  )
  const made: BookChapter[] = []
  let done = 0
  const queue = book.chapters.entries()
  const lane = async () => {
    for (const [index, chapter] of queue) {
      const { id, audio_key } = chapters[index] as LoadedBook['chapters'][number]
      const tags = trackTags(book, chapter.title, index + 1, book.chapters.length)
      const blob = `${mp3Folder(context, project)}/${hashOf(audio_key, bitRate, tags)}.mp3`
      if (!(await storage.stat(blob))) {
        const file = join(folder, `${index}.mp3`)
        await renderMp3(context, project, {
          ...(await partsOf(context, project, planned.get(id) ?? [])),
          file,
          bitRate,
          tags,
        })
        await storage.put(blob, createReadStream(file), { mediaType: 'audio/mpeg' })
      }
      made[index] = {
        ...chapter,
        audio: { file: await storage.localPath(blob), mediaType: 'audio/mpeg', duration: chapter.audio.duration },
      }
      onProgress(++done / book.chapters.length)
    }
  }
  await Promise.all(cpus().map(lane))
  return { ...book, chapters: made }
}

/** Kept until the package is made. */
export const mp3Folder = (context: JobContext, project: Project): string =>
  `${projectFolder(context.principal.tenant, project.id)}/audio/mp3`
