import type { AcxSection } from './acx.ts'
import type { Book } from './book.ts'
import { readImageKind } from './read-image-kind.ts'
import { oneLine } from './write-cue-sheet.ts'
import { timestamp } from './write-vtt.ts'

// ACX cover art requirements: square, at least 2400 × 2400 pixels, JPEG or PNG.
const leastCover = 2400

/** README.txt of a delivery: what each file is, what it measures, and what the person who uploads it has to know. */
export function writeAcxNotes(title: string, book: Book, files: (AcxSection & { file: string })[]): string {
  const { authors, narrators } = book.metadata
  const lines = files.map(({ file, title: name, audio, measured }) => {
    const levels = measured
      ? `  RMS ${decibels(measured.rms)}  peak ${decibels(measured.peak)}  noise floor ${decibels(measured.noiseFloor)}`
      : ''
    return `${timestamp(Math.round(audio.duration * 1000)).slice(0, 8)}${levels}  ${file}  ${oneLine(name)}`
  })
  return [
    oneLine(title),
    ...(authors.length ? [`Written by ${oneLine(authors.join(', '))}`] : []),
    ...(narrators.length ? [`Narrated by ${oneLine(narrators.join(', '))}`] : []),
    '',
    'Files, in the order in which they are heard, and the retail sample:',
    '',
    ...lines,
    '',
    'Before you upload',
    '',
    'The narration is synthetic. ACX accepts text-to-speech and other automated voices only where it has agreed to it beforehand; without',
    'such an agreement it rejects the title. Ask first, and say in the listing that the voices are synthetic.',
    '',
    coverNote(book),
    '',
    'manifest.json lists every file with its size, length and SHA-256. To verify them: sha256sum --check CHECKSUMS.sha256',
    '',
  ].join('\n')
}

const decibels = (level: number): string => `${level.toFixed(1)} dB`

function coverNote(book: Book): string {
  const wanted = `ACX wants a square JPEG or PNG of at least ${leastCover} × ${leastCover} pixels.`
  const kind = book.cover && readImageKind(book.cover.bytes)
  if (!kind) return `There is no cover. ${wanted}`
  const { width, height } = kind
  const fits = kind.extension === 'jpg' || kind.extension === 'png'
  if (fits && width !== null && width === height && width >= leastCover)
    return `The cover is ${width} × ${height} pixels, as ACX asks.`
  const size = width === null ? `a ${kind.extension} image` : `${width} × ${height} pixels (${kind.extension})`
  return `The cover is ${size}. ${wanted}`
}
