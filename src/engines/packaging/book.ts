import type { BookMetadata, PlacedBlock } from '../manuscript/manuscript.ts'
import type { WordTiming } from '../speech/speech.ts'

/** A finished book: what every package is made of. */
export interface Book {
  metadata: BookMetadata
  /** ISO 8601 instant of the book's last change. The clock is never asked, so that the same book gives the same bytes. */
  modified?: string
  cover?: { mediaType: string; bytes: Uint8Array }
  chapters: BookChapter[]
  /** The program that packs, for manifests. */
  createdWith: { name: string; version: string }
}

export interface BookChapter {
  /** Unique in the book and rising; shown in file names. */
  number: number
  title: string
  role: 'front' | 'body' | 'back'
  /** EPUB structural semantics where known: chapter, part, preface, … */
  kind: string
  /** Titles of the parts it lies in, outermost first. */
  parents: string[]
  /** As `placeBlocks` gives them. */
  text: string
  blocks: PlacedBlock[]
  /** In order. */
  segments: BookSegment[]
  audio: BookAudio
}

export interface BookSegment {
  /** UTF-16 offsets in the chapter's text. */
  start: number
  end: number
  /** Seconds in the chapter's audio. */
  from: number
  to: number
  /** The speaker's name as it is shown; null for the narrator and for nobody in particular. */
  speaker: string | null
  /** Offsets in the chapter's text and seconds in the chapter's audio; empty when the voice gave no timings. */
  words: WordTiming[]
}

export interface BookAudio {
  /** A path on this machine. */
  file: string
  mediaType: string
  /** Seconds. */
  duration: number
}

/** The title as packages show it. */
export const bookTitle = (book: Book): string => book.metadata.title?.trim() || 'Untitled'

/** A BCP 47 tag in canonical form; 'und' when the book's is not one. */
export function canonicalLanguage(tag: string): string {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? 'und'
  } catch {
    return 'und'
  }
}
