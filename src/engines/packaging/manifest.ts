import type { BookMetadata } from '../manuscript/manuscript.ts'
import type { Book } from './book.ts'
import type { Closing, PackageFile, Written, WrittenFile } from './write-package.ts'

export type PackageFormat = 'm4b' | 'acx' | 'audible' | 'mp3_zip' | 'epub3' | 'vtt'

/** manifest.json of a package, and what the packages table keeps of it. */
export interface Manifest {
  format: PackageFormat
  createdWith: { name: string; version: string }
  metadata: BookMetadata
  /** Seconds of all audio that belongs to the book itself. */
  duration: number
  /** For a person: what was left out or made otherwise, and why. */
  notes?: string[]
  files: WrittenFile[]
}

export interface PackageResult extends Written {
  manifest: Manifest
}

export const describePackage = (
  format: PackageFormat,
  book: Book,
  files: WrittenFile[],
  notes: string[] = [],
): Manifest => ({
  format,
  createdWith: book.createdWith,
  metadata: book.metadata,
  duration: book.chapters.reduce((sum, chapter) => sum + chapter.audio.duration, 0),
  ...(notes.length && { notes }),
  files,
})

/** manifest.json and CHECKSUMS.sha256, the latter for `sha256sum --check`. */
export const closeWithManifest =
  (format: PackageFormat, book: Book): Closing =>
  (files) => [
    textFile('manifest.json', 'application/json', `${JSON.stringify(describePackage(format, book, files), null, 2)}\n`),
    textFile('CHECKSUMS.sha256', 'text/plain', files.map((file) => `${file.sha256}  ${file.name}\n`).join('')),
  ]

export const textFile = (name: string, mediaType: string, text: string): PackageFile => ({
  name,
  mediaType,
  content: { text: () => text },
})
