import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { z } from 'zod'
import type { DeliveryReport } from '../../engines/media/media.ts'
import { type Book, bookTitle } from '../../engines/packaging/book.ts'
import { packEpub3 } from '../../engines/packaging/epub3.ts'
import { packMp3Zip } from '../../engines/packaging/mp3-zip.ts'
import { slug } from '../../engines/packaging/name-files.ts'
import { hashFile, hashOf } from '../../kit/hash.ts'
import type { JobContext } from '../../kit/jobs.ts'
import { meter } from '../metering/meter.ts'
import { enforceQuota } from '../tenancy/enforce-quota.ts'
import { measuredOf } from './audio-blocks.ts'
import { type LoadedBook, bookMetadata, loadBook } from './load-book.ts'
import { nameDelivery } from './name-delivery.ts'
import type { packageFormats, packages, platforms } from './narration.table.ts'
import { packForAudible } from './pack-for-audible.ts'
import { type Project, findProject, projectFolder, reach } from './project-state.ts'
import { withMp3 } from './render-mp3.ts'

export interface PackageOptions {
  format: (typeof packageFormats)[number]
  platform?: (typeof platforms)[number]
  /** Numbers of chapters; all that are included without it. */
  chapters?: number[]
  /** Of read-along text. */
  level?: 'word' | 'sentence'
  /** Bits a second, of MP3. */
  bitRate?: number
}

export type Package = z.output<typeof packages.row> & { package_blob: string }

const kinds = {
  m4b: { extension: 'm4b', mediaType: 'audio/mp4' },
  acx: { extension: 'acx.zip', mediaType: 'application/zip' },
  audible: { extension: 'audible.zip', mediaType: 'application/zip' },
  mp3_zip: { extension: 'mp3.zip', mediaType: 'application/zip' },
  epub3: { extension: 'epub', mediaType: 'application/epub+zip' },
} as const

/** Part of every package's key: another way of packing makes another file. */
const packingVersion = 3

/** Packs the finished chapters. A package that is there already, of the same audio and the same data, is taken as it is. */
export async function makePackage(
  context: JobContext,
  projectId: string,
  options: PackageOptions,
  progress: { from: number; to: number },
): Promise<Package> {
  const { storage, scratch, config } = context.services
  context.progress(progress.from, { step: 'packaging', format: options.format })
  const { project, loaded } = await context.scoped(async (tx) => {
    const project = await findProject(tx, projectId)
    return {
      project,
      loaded: await loadBook(tx, context.services, project, {
        only: options.chapters,
        withWords: options.format === 'epub3',
      }),
    }
  }, true)
  const key = hashOf(
    'package',
    packingVersion,
    options,
    bookMetadata(project),
    project.cover_blob && (await hashFile(await storage.localPath(project.cover_blob))),
    project.settings.processing_chain,
    loaded.book.chapters.map(({ title, segments }, index) => [
      title,
      loaded.chapters[index]?.audio_key,
      segments.map(({ speaker }) => speaker),
    ]),
  )
  const known = await context.scoped(
    (tx) =>
      tx
        .selectFrom('packages')
        .selectAll()
        .where('project_id', '=', projectId)
        .where('package_key', '=', key)
        .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', sql<string>`now()`)]))
        .executeTakeFirst(),
    true,
  )
  if (known?.package_blob && (await storage.stat(known.package_blob))?.size === known.file_bytes)
    return known as Package

  const folder = await mkdtemp(join(scratch, 'package-'))
  try {
    const { extension, mediaType } = kinds[options.format]
    const out = join(folder, `package.${extension}`)
    const made = await pack(context, project, loaded, options, folder, out, (done) =>
      context.progress(progress.from + (progress.to - progress.from) * 0.9 * done, {
        step: 'packaging',
        format: options.format,
      }),
    )
    const blob = `${projectFolder(context.principal.tenant, projectId)}/packages/${key.slice(0, 32)}.${extension}`
    const sha256 = made.sha256 ?? (await hashFile(out))
    const { size } = await storage.putFile(blob, out, { mediaType })
    return await context.scoped(async (tx) => {
      await enforceQuota(tx, 'storage', size)
      const row = await tx
        .insertInto('packages')
        .values({
          project_id: projectId,
          format: options.format,
          platform: options.platform ?? 'generic',
          options: JSON.stringify(options) as never,
          package_key: key,
          package_blob: blob,
          filename: `${slug(bookTitle(loaded.book))}.${extension}`,
          media_type: mediaType,
          file_bytes: size,
          sha256,
          manifest: JSON.stringify(made.manifest) as never,
          delivery: JSON.stringify(made.delivery && nameDelivery(made.delivery)) as never,
          created_by: context.principal.user,
          expires_at: sql<string>`now() + ${config.VOICEPRESS_PACKAGE_DAYS} * interval '1 day'`,
        })
        .returningAll()
        .executeTakeFirstOrThrow()
      await meter(tx, [
        {
          user: context.principal.user,
          project: projectId,
          job: context.id,
          usage: { resource: 'storage', amount: size },
        },
      ])
      if (!options.chapters) await reach(tx, await findProject(tx, projectId), 'packaged')
      await context.emit(tx, 'package.made', { project_id: projectId, package_id: row.id, format: options.format })
      return row as Package
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Packed {
  manifest: unknown
  delivery: DeliveryReport | null
  /** Where it is known from making the file. */
  sha256?: string
}

async function pack(
  context: JobContext,
  project: Project,
  loaded: LoadedBook,
  options: PackageOptions,
  folder: string,
  out: string,
  onProgress: (done: number) => void,
): Promise<Packed> {
  const { media } = context.services
  const { book } = loaded
  if (options.format === 'm4b') {
    const chapters = loaded.chapters.map(({ adts }, index) => ({
      file: adts,
      title: book.chapters[index]?.title ?? '',
      duration: book.chapters[index]?.audio.duration ?? 0,
    }))
    const manifest = {
      format: 'm4b',
      metadata: book.metadata,
      chapters: book.chapters.map(({ number, title, audio }) => ({ number, title, duration: audio.duration })),
    }
    const { sha256 } = await media.assembleM4b(
      {
        chapters,
        metadata: { ...book.metadata, title: bookTitle(book) },
        ...(book.cover && { cover: book.cover }),
        file: out,
      },
      context.signal,
    )
    onProgress(0.5)
    // Each block was decoded and measured when it was encoded; a book is hours of them.
    const audio = measuredOf(loaded.chapters.flatMap(({ audio_blocks }) => audio_blocks ?? []))
    return { manifest, sha256, delivery: await media.judgeM4b(out, audio, context.signal) }
  }
  if (options.format === 'epub3') {
    const { manifest } = await packEpub3(book, out, { level: options.level ?? 'sentence', signal: context.signal })
    return { manifest, delivery: null }
  }
  const inMp3: Book = await withMp3(context, project, loaded, options.bitRate ?? 192_000, folder, onProgress)
  const files = inMp3.chapters.map(({ audio }) => audio.file)
  if (options.format === 'mp3_zip') {
    const { manifest } = await packMp3Zip(inMp3, out, context.signal)
    return { manifest, delivery: await media.check(files, 'acx', context.signal) }
  }
  return packForAudible(context, project, inMp3, options.format, folder, out)
}
