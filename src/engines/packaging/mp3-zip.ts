import { Problem } from '../../kit/errors.ts'
import { type Book, bookTitle } from './book.ts'
import { closeWithManifest, describePackage, textFile, type PackageResult } from './manifest.ts'
import { numberedName, slug } from './name-files.ts'
import { readImageKind } from './read-image-kind.ts'
import { writeCueSheets } from './write-cue-sheet.ts'
import { type PackageFile, writeZip } from './write-package.ts'
import { writePlaylist } from './write-playlist.ts'

/**
 * A zip of tagged MP3 files, one a chapter, with playlists, cue sheet, cover, manifest and checksums. Every chapter's audio must be MP3
 * (`Problem` 422 audio_not_supported).
 */
export async function packMp3Zip(book: Book, out: string, signal?: AbortSignal): Promise<PackageResult> {
  requireMp3(book.chapters.map((chapter) => chapter.audio.mediaType))
  const tracks = book.chapters.map((chapter, index) => ({
    file: `${numberedName(index + 1, book.chapters.length, chapter.title)}.mp3`,
    title: chapter.title,
    duration: chapter.audio.duration,
  }))
  const name = slug(bookTitle(book), 'audiobook')
  const sheet = { title: bookTitle(book), performer: book.metadata.authors.join(', '), date: book.metadata.published }
  const sheets = writeCueSheets(sheet, tracks)
  const written = await writeZip(
    out,
    [
      ...book.chapters.map((chapter, index) => mp3(tracks[index]?.file ?? '', chapter.audio)),
      textFile(`${name}.m3u8`, 'audio/x-mpegurl', writePlaylist(sheet, tracks)),
      textFile(`${name}.m3u`, 'audio/x-mpegurl', writePlaylist(sheet, tracks)),
      ...sheets.map((text, index) =>
        textFile(sheets.length > 1 ? `${name}-${index + 1}.cue` : `${name}.cue`, 'application/x-cue', text),
      ),
      ...coverFile(book),
    ],
    closeWithManifest('mp3_zip', book),
    signal,
  )
  return { ...written, manifest: describePackage('mp3_zip', book, written.files) }
}

export function requireMp3(mediaTypes: string[]): void {
  if (!mediaTypes.length) throw new Problem(422, 'nothing_to_pack', 'The book has no chapters.')
  const other = mediaTypes.find((mediaType) => mediaType !== 'audio/mpeg')
  if (other)
    throw new Problem(422, 'audio_not_supported', `This package takes MP3 only, and one of the files is ${other}.`)
}

export const mp3 = (name: string, audio: { file: string; duration: number }): PackageFile => ({
  name,
  mediaType: 'audio/mpeg',
  duration: audio.duration,
  content: { file: audio.file },
})

/** cover.jpg or whatever kind the image is; none when it is none that players show. */
export function coverFile(book: Book): PackageFile[] {
  const kind = book.cover && readImageKind(book.cover.bytes)
  if (!book.cover || !kind) return []
  return [{ name: `cover.${kind.extension}`, mediaType: kind.mediaType, content: { bytes: book.cover.bytes } }]
}
