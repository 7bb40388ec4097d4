import { Problem } from '../../kit/errors.ts'
import type { Book } from './book.ts'
import { closeWithManifest, describePackage, type PackageResult } from './manifest.ts'
import { numberedName } from './name-files.ts'
import { writeZip } from './write-package.ts'
import { writeVtt } from './write-vtt.ts'

/** A zip of captions, one WebVTT file a chapter. */
export async function packVtt(book: Book, out: string, signal?: AbortSignal): Promise<PackageResult> {
  if (!book.chapters.length) throw new Problem(422, 'nothing_to_pack', 'The book has no chapters.')
  const files = book.chapters.map((chapter, index) => ({
    name: `${numberedName(index + 1, book.chapters.length, chapter.title)}.vtt`,
    mediaType: 'text/vtt',
    content: { text: () => writeVtt(chapter, book.metadata.language) },
  }))
  const written = await writeZip(out, files, closeWithManifest('vtt', book), signal)
  return { ...written, manifest: describePackage('vtt', book, written.files) }
}
