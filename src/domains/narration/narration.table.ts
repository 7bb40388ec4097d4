import { z } from 'zod'
import {
  boolean,
  bytes,
  fraction,
  integer,
  json,
  list,
  namesNobody,
  oneOf,
  real,
  reference,
  seconds,
  table,
  text,
  timestamp,
  uuid,
} from '../../kit/table.ts'

export const projectStatus = [
  'draft',
  'manuscript_uploaded',
  'characters_detected',
  'voices_assigned',
  'audio_generated',
  'packaged',
  'completed',
] as const
export const packageFormats = ['m4b', 'acx', 'audible', 'mp3_zip', 'epub3'] as const
export const platforms = ['audible', 'acx', 'findaway', 'google_play', 'apple', 'generic'] as const
export const chains = ['audiobook_standard', 'podcast_standard', 'raw'] as const

export const voiceSettings = z.strictObject({
  rate: z.number().min(0.25).max(4).optional(),
  pitch: z.number().min(-50).max(50).optional(),
  style: z.string().max(100).optional(),
})

/** How a project is read, cast and mastered; everything has a default. */
export const projectSettings = z.strictObject({
  /** BCP 47, when the manuscript doesn't say or says it wrong. */
  language: z.string().max(35).optional(),
  cast: z.enum(['auto', 'single']).optional(),
  detector: z.enum(['sieve', 'model']).optional(),
  narrator_voice: z.string().max(255).optional(),
  speech_provider: z.string().max(50).optional(),
  processing_chain: z.enum(chains).optional(),
  target_platform: z.enum(platforms).optional(),
  chapter_pattern: z.string().max(500).optional(),
  include_front_matter: z.boolean().optional(),
  include_back_matter: z.boolean().optional(),
  /** Seconds, by kind of place. */
  pauses: z.record(z.string().max(30), z.number().min(0).max(30)).optional(),
})

export const workflowSteps = [
  'project',
  'manuscript',
  'characters',
  'casting',
  'planning',
  'voice',
  'packaging',
] as const
const workflowCompleted = z.partialRecord(z.enum(workflowSteps), z.boolean())

export const projects = table('projects', 'project', {
  owner_id: uuid()
    .default('acting_user()')
    .readonly()
    .of('user', { keep: 'The work belongs to the tenant that it was made for.' }),
  title: text(500),
  subtitle: text(500).nullable(),
  authors: list(255).default("'{}'"),
  narrators: list(255).default("'{}'"),
  translators: list(255).default("'{}'"),
  adaptors: list(255).default("'{}'"),
  language: text(35).default("'en'").readonly(),
  description: text(10_000).nullable(),
  publisher: text(255).nullable(),
  published: text(10).nullable(),
  isbn: text(20).nullable(),
  cover_blob: text(1024).nullable().secret().blob(),
  cover_type: text(100).nullable().readonly(),
  manuscript_blob: text(1024).nullable().secret().blob(),
  manuscript_filename: text(255).nullable().readonly(),
  manuscript_key: text(64).nullable().secret(),
  manuscript_word_count: integer().nullable().readonly(),
  manuscript_character_count: integer().nullable().readonly(),
  estimated_seconds: seconds().nullable().readonly(),
  warnings: list(1000, 1000).default("'{}'").readonly(),
  status: oneOf(projectStatus).default("'draft'").readonly(),
  workflow_completed: json(workflowCompleted).default("'{}'").readonly(),
  settings: json(projectSettings).default("'{}'"),
  source_key: text(100).nullable().secret(),
  cast_key: text(64).nullable().secret(),
  completed_at: timestamp().nullable().readonly(),
  archived_at: timestamp().nullable().readonly(),
})

export const projectShares = table('project_shares', 'share', {
  project_id: reference('projects').once(),
  user_id: uuid().once().of('user', 'delete'),
  can_comment: boolean().default('false'),
  can_edit: boolean().default('false'),
  shared_by: uuid().default('acting_user()').readonly().of('user', namesNobody),
  revoked_at: timestamp().nullable().readonly(),
})

export const levels = z.object({
  rms: z.number(),
  peak: z.number(),
  truePeak: z.number(),
  loudness: z.number(),
  noiseFloor: z.number().nullable(),
})

/** A piece of a chapter that was mastered and encoded by itself: where it lies in the chapter's AAC (bytes), and what was measured of it. Levels of digital silence are null. */
export const audioBlock = z.object({
  key: z.string(),
  offset: z.number(),
  length: z.number(),
  /** Seconds. */
  duration: z.number(),
  /** Where each line begins and ends, seconds from the block's start. */
  parts: z.array(z.tuple([z.number(), z.number()])),
  levels: z.record(z.enum(['rms', 'peak', 'truePeak', 'loudness', 'noiseFloor']), z.number().nullable()),
  clipped: z.number(),
  head: z.number(),
  tail: z.number(),
  damaged: z.number(),
})

export const chapters = table('chapters', 'chapter', {
  project_id: reference('projects').readonly(),
  number: integer(1).readonly(),
  title: text(500),
  role: oneOf(['front', 'body', 'back']).default("'body'"),
  kind: text(50).default("'chapter'").readonly(),
  parents: list(500).default("'{}'").readonly(),
  included: boolean().default('true'),
  text: text(70_000_000).secret(),
  blocks: json(z.array(z.unknown())).default("'[]'").secret(),
  content_key: text(64).nullable().secret(),
  segments_key: text(64).nullable().secret(),
  word_count: integer().default('0').readonly(),
  character_count: integer().default('0').readonly(),
  estimated_seconds: seconds().default('0').readonly(),
  status: oneOf(['draft', 'segmented', 'audio_generating', 'audio_complete', 'error']).default("'draft'").readonly(),
  audio_blob: text(1024).nullable().secret(),
  audio_key: text(64).nullable().secret(),
  audio_seconds: seconds().nullable().readonly(),
  audio_bytes: bytes().nullable().readonly(),
  audio_generated_at: timestamp().nullable().readonly(),
  levels: json(levels).nullable().readonly(),
  timings: json(z.array(z.tuple([z.number(), z.number()])))
    .nullable()
    .secret(),
  audio_blocks: json(z.array(audioBlock)).nullable().secret(),
})

export const characters = table('characters', 'character', {
  project_id: reference('projects').once(),
  slug: text(200).readonly(),
  name: text(255),
  aliases: list(255).default("'{}'"),
  role: oneOf(['narrator', 'protagonist', 'antagonist', 'supporting', 'minor']).default("'supporting'"),
  description: text(2000).nullable(),
  gender: oneOf(['male', 'female', 'neutral', 'other']).nullable(),
  age_range: oneOf(['child', 'teen', 'young_adult', 'adult', 'elderly']).nullable(),
  voice_id: text(255).nullable(),
  voice_settings: json(voiceSettings).default("'{}'"),
  voice_chosen: boolean().default('false').readonly(),
  detected_by: text(50).nullable().readonly(),
  confidence: fraction().nullable().readonly(),
  lines: integer().default('0').readonly(),
  words: integer().default('0').readonly(),
  first_chapter: integer().nullable().readonly(),
  first_start: integer().nullable().readonly(),
})

export const segments = table('segments', 'segment', {
  project_id: reference('projects').readonly(),
  chapter_id: reference('chapters').readonly(),
  number: integer(1).readonly(),
  start_offset: integer().readonly(),
  end_offset: integer().readonly(),
  kind: oneOf(['narration', 'speech']).readonly(),
  text: text(5000),
  source_text: text(5000).nullable().readonly(),
  ssml: text(20_000).nullable(),
  word_count: integer().default('0').readonly(),
  character_count: integer().default('0').readonly(),
  character_id: reference('characters').nullable(),
  rule: text(50).nullable().readonly(),
  confidence: fraction().nullable().readonly(),
  voice_id: text(255).nullable(),
  voice_settings: json(voiceSettings).nullable(),
  gap_after: real().default('0'),
  status: oneOf(['pending', 'generating', 'complete', 'error', 'needs_revision']).default("'pending'").readonly(),
  revision_notes: text(5000).nullable().readonly(),
  approved_at: timestamp().nullable().readonly(),
  cache_key: text(64).nullable().secret(),
  error: json(z.record(z.string(), z.unknown())).nullable().readonly(),
})

/** How a line was before a change. */
export const segmentRevisions = table('segment_revisions', 'revision', {
  project_id: reference('projects').readonly(),
  segment_id: reference('segments').readonly(),
  user_id: uuid().nullable().default('acting_user()').readonly().of('user', namesNobody),
  action: text(100).readonly(),
  before: json(z.record(z.string(), z.unknown())).readonly(),
})

export const audioCache = table('audio_cache', 'cached line', {
  cache_key: text(64).secret(),
  text: text(20_000).readonly(),
  voice_id: text(255).readonly(),
  voice_settings: json(voiceSettings).default("'{}'").readonly(),
  audio_blob: text(1024).secret(),
  media_type: text(100).readonly(),
  audio_seconds: seconds().nullable().readonly(),
  audio_bytes: bytes().readonly(),
  power: real().readonly(),
  weighted_power: real().readonly(),
  words: json(z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])))
    .default("'[]'")
    .readonly(),
  hit_count: integer().default('0').readonly(),
  last_accessed_at: timestamp().default('now()').readonly(),
  expires_at: timestamp().nullable().readonly(),
})

export const packages = table('packages', 'package', {
  project_id: reference('projects').once(),
  format: oneOf(packageFormats).once(),
  platform: oneOf(platforms).default("'generic'").once(),
  options: json(z.record(z.string(), z.unknown())).default("'{}'").readonly(),
  package_key: text(64).nullable().secret(),
  package_blob: text(1024).nullable().secret(),
  filename: text(255).nullable().readonly(),
  media_type: text(100).nullable().readonly(),
  file_bytes: bytes().nullable().readonly(),
  sha256: text(64).nullable().readonly(),
  manifest: json(z.unknown()).nullable().readonly(),
  delivery: json(z.unknown()).nullable().readonly(),
  created_by: uuid().default('acting_user()').nullable().readonly().of('user', namesNobody),
  expires_at: timestamp().nullable().readonly(),
  downloaded_at: timestamp().nullable().readonly(),
  download_count: integer().default('0').readonly(),
})

export const lexiconEntries = table('lexicon_entries', 'lexicon entry', {
  project_id: reference('projects').once(),
  grapheme: text(200),
  alias: text(200).nullable(),
  phoneme: text(200).nullable(),
  alphabet: oneOf(['ipa', 'x-sampa']).default("'ipa'"),
})

export const comments = table('comments', 'comment', {
  project_id: reference('projects').once(),
  chapter_id: reference('chapters').nullable().once(),
  segment_id: uuid().nullable().once(),
  at_seconds: seconds().nullable().once(),
  text: text(5000).personal(),
  user_id: uuid().default('acting_user()').readonly().of('user', 'pseudonymise'),
  resolved_at: timestamp().nullable().readonly(),
})

declare module '../../kit/database.ts' {
  interface DB {
    projects: Columns<typeof projects>
    project_shares: Columns<typeof projectShares>
    chapters: Columns<typeof chapters>
    characters: Columns<typeof characters>
    segments: Columns<typeof segments>
    segment_revisions: Columns<typeof segmentRevisions>
    audio_cache: Columns<typeof audioCache>
    packages: Columns<typeof packages>
    lexicon_entries: Columns<typeof lexiconEntries>
    comments: Columns<typeof comments>
  }
}
