import { Problem } from '../../kit/errors.ts'
import type { Levels } from '../media/media.ts'
import { type Book, type BookAudio, bookTitle } from './book.ts'
import { longestSample } from './choose-sample.ts'
import { closeWithManifest, describePackage, textFile, type PackageResult } from './manifest.ts'
import { coverFile, mp3, requireMp3 } from './mp3-zip.ts'
import { numberedName } from './name-files.ts'
import { longestSection } from './split-sections.ts'
import { writeAcxNotes } from './write-acx-notes.ts'
import { writeFolder, writeZip } from './write-package.ts'

export interface AcxSection {
  title: string
  audio: BookAudio
  /** As the delivery check measured the file; goes into the notes. */
  measured?: Levels
}

export interface AcxContent {
  opening: AcxSection
  closing: AcxSection
  sample: AcxSection
  /** In order; left out, the book's chapters as they are. A chapter over 120 minutes comes in parts, cut with `splitSections`. */
  sections?: AcxSection[]
}

/**
 * The delivery that ACX and Audible take: an MP3 a section, opening and closing credits and the retail sample as files of their own, cover,
 * notes, manifest and checksums. `Problem` 422 audio_not_supported, section_too_long, sample_too_long.
 */
export async function packAcx(
  book: Book,
  content: AcxContent,
  out: string,
  options: { format: 'acx' | 'audible'; container: 'zip' | 'folder'; signal?: AbortSignal },
): Promise<PackageResult> {
  const sections = content.sections ?? book.chapters.map(({ title, audio }) => ({ title, audio }))
  if (!sections.length) throw new Problem(422, 'nothing_to_pack', 'The book has no chapters.')
  const inOrder = [content.opening, ...sections, content.closing]
  requireMp3([...inOrder, content.sample].map(({ audio }) => audio.mediaType))
  for (const { title, audio } of inOrder)
    if (audio.duration > longestSection)
      throw new Problem(
        422,
        'section_too_long',
        `“${title}” lasts ${minutes(audio.duration)}, and a file may last 120 minutes.`,
        { limit: longestSection },
      )
  if (content.sample.audio.duration > longestSample)
    throw new Problem(
      422,
      'sample_too_long',
      `The sample lasts ${minutes(content.sample.audio.duration)}, and it may last 5 minutes.`,
      {
        limit: longestSample,
      },
    )
  const names = inOrder.map(
    ({ title }, index) => `${numberedName(index + 1, inOrder.length, nameOf(title, index, inOrder.length))}.mp3`,
  )
  const listed = [
    ...inOrder.map((section, index) => ({ ...section, file: names[index] ?? '' })),
    { ...content.sample, file: 'retail-sample.mp3' },
  ]
  const write = options.container === 'zip' ? writeZip : writeFolder
  const written = await write(
    out,
    [
      ...listed.map(({ file, audio }) => mp3(file, audio)),
      ...coverFile(book),
      textFile('README.txt', 'text/plain', writeAcxNotes(bookTitle(book), book, listed)),
    ],
    closeWithManifest(options.format, book),
    options.signal,
  )
  return { ...written, manifest: describePackage(options.format, book, written.files) }
}

// The people who take the files in read English, whatever language the credits are spoken in.
const nameOf = (title: string, index: number, count: number): string =>
  index === 0 ? 'opening-credits' : index === count - 1 ? 'closing-credits' : title

const minutes = (seconds: number): string => `${(seconds / 60).toFixed(1)} minutes`
