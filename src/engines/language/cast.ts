import type { PlacedBlock } from '../manuscript/manuscript.ts'

/** A chapter as `placeBlocks` gives it. */
export interface CastChapter {
  title: string
  text: string
  blocks: PlacedBlock[]
}

export interface CastOptions {
  /** BCP 47 of the book. */
  language: string
  /** Longest segment in characters; a sentence is never cut unless it alone is longer than `hardLimit`. */
  targetLength?: number
  hardLimit?: number
  signal?: AbortSignal
  onProgress?: (done: number, total: number) => void
}

/** Who speaks in a book, and what. A detector is a rule sieve or a language model; both answer this. */
export interface Cast {
  /** The narrator first, then by words spoken. */
  characters: CastCharacter[]
  /** Per chapter, in order, covering every word of its text once. */
  segments: CastSegment[][]
  /** 'sieve/1', or a language model's name: goes to characters.detected_by. */
  detectedBy: string
}

export type Gender = 'male' | 'female' | 'neutral' | 'other'
export type AgeRange = 'child' | 'teen' | 'young_adult' | 'adult' | 'elderly'
export type Role = 'narrator' | 'protagonist' | 'antagonist' | 'supporting' | 'minor'

export interface CastCharacter {
  /** Slug of the name, unique in the book and stable from run to run; 'narrator' for the narrator. */
  id: string
  name: string
  aliases: string[]
  gender: Gender | null
  ageRange: AgeRange | null
  role: Role
  description: string
  /** 0–1. */
  confidence: number
  /** Speech segments and their words. */
  lines: number
  words: number
  firstAppearance: { chapter: number; start: number } | null
}

export interface CastSegment {
  /** UTF-16 offsets in the chapter's text; text between segments is white space only. */
  start: number
  end: number
  kind: 'narration' | 'speech'
  /** A character's id; narration is 'narrator' (or the first-person narrator's id stays on their speech only). null: nobody could be named. */
  speaker: string | null
  /** The rule that decided: 'narration', 'speech_tag', 'vocative', 'alternation', 'model', … */
  rule: string
  /** 0–1, measured precision of the rule. */
  confidence: number
}
