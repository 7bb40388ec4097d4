import { z } from 'zod'
import type { BookMetadata } from './manuscript.ts'

export interface DesktopCharacter {
  name: string
  aliases: string[]
  role: string | null
  description: string
  gender: 'male' | 'female' | 'neutral' | 'other' | null
  ageRange: 'child' | 'teen' | 'young_adult' | 'adult' | 'elderly' | null
  /** The provider's own name of the voice, es-PE-CamilaNeural; null when none is cast yet. */
  voiceId: string | null
  /** azure, openai, …, where the project says it. */
  provider: string | null
  /** Names in camel case: style, speakingRate, pitch, … */
  voiceSettings: Record<string, unknown>
}

export interface DesktopChapter {
  number: number
  title: string
  text: string | null
  /** A path; null when there is no audio. */
  audio: string | null
  segments: DesktopSegment[]
}

interface DesktopSegment {
  text: string
  character: string | null
  voiceId: string | null
  audio: string | null
}

type Fields = Record<string, unknown>

const camel = (name: string): string => name.replace(/[_-]+([a-z0-9])/gi, (_, letter: string) => letter.toUpperCase())

/** The same with every field's name in camel case, however deep. */
function camelFields(value: unknown, depth = 0): unknown {
  if (depth > 50) return null
  if (Array.isArray(value)) return value.map((entry) => camelFields(entry, depth + 1))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [camel(name), camelFields(entry, depth + 1)]))
}

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}

/** The first of these fields that is text, or a number, as text. */
function textOf(fields: Fields, ...names: string[]): string | null {
  for (const name of names) {
    const value = fields[name]
    const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : ''
    if (text) return text
  }
  return null
}

function listOf(fields: Fields, ...names: string[]): string[] {
  for (const name of names) {
    const value = fields[name]
    if (typeof value === 'string' && value.trim()) return value.split(/\s*[;\n]\s*/).filter(Boolean)
    if (Array.isArray(value))
      return value.flatMap((entry) => textOf({ entry }, 'entry') ?? textOf(fieldsOf(entry), 'name') ?? [])
  }
  return []
}

// Lists of objects; a map from names to objects says the same.
const entries = z
  .union([
    z.array(z.unknown()),
    z
      .record(z.string(), z.unknown())
      .transform((map) => Object.entries(map).map(([name, value]) => ({ name, ...fieldsOf(value) }))),
  ])
  .nullish()
  .transform((list) => list ?? [])

/** project.json with names in camel case. Unknown fields stay: `readMetadata` knows several names for one thing. */
export const DesktopConfig = z.preprocess(
  (json) => {
    const fields = fieldsOf(json)
    // The names of characters in a map are no field names.
    return typeof json === 'object' && json
      ? { ...fieldsOf(camelFields(fieldsOf(json))), characters: fields.characters }
      : json
  },
  z
    .looseObject(
      {
        characters: entries,
        chapters: entries,
        settings: z
          .record(z.string(), z.unknown())
          .nullish()
          .transform((settings) => settings ?? {}),
      },
      'not an object',
    )
    .transform((config) => ({
      ...config,
      manuscript: textOf(config, 'manuscript', 'manuscriptFile', 'manuscriptPath'),
      cover: textOf(config, 'cover', 'coverImage', 'coverFile', 'coverPath', 'coverImagePath'),
    })),
)
export type DesktopConfig = z.infer<typeof DesktopConfig>

/** Title, people and so on; they may lie at the top or in `metadata`, `book` or `bookMeta`. */
export function readMetadata(config: Fields): Omit<BookMetadata, 'language'> & { language?: string } {
  const fields = { ...fieldsOf(config.metadata), ...fieldsOf(config.book), ...fieldsOf(config.bookMeta), ...config }
  const optional = (...names: string[]) => textOf(fields, ...names) ?? undefined
  return {
    title: optional('title', 'name'),
    subtitle: optional('subtitle'),
    authors: listOf(fields, 'authors', 'author'),
    translators: listOf(fields, 'translators', 'translator'),
    narrators: listOf(fields, 'narrators', 'narrator'),
    language: optional('language', 'lang', 'locale')?.replaceAll('_', '-'),
    isbn: optional('isbn'),
    publisher: optional('publisher'),
    published: optional('publishDate', 'published', 'publicationDate'),
    description: optional('description', 'synopsis'),
  }
}

const genders: Record<string, DesktopCharacter['gender']> = {
  male: 'male',
  m: 'male',
  man: 'male',
  masculine: 'male',
  masculino: 'male',
  hombre: 'male',
  female: 'female',
  f: 'female',
  woman: 'female',
  feminine: 'female',
  femenino: 'female',
  mujer: 'female',
  neutral: 'neutral',
  neutro: 'neutral',
  other: 'other',
  nonbinary: 'other',
  'non-binary': 'other',
  otro: 'other',
}

const ages: Record<string, DesktopCharacter['ageRange']> = {
  child: 'child',
  kid: 'child',
  teen: 'teen',
  teenager: 'teen',
  youngadult: 'young_adult',
  young: 'young_adult',
  adult: 'adult',
  middleaged: 'adult',
  elderly: 'elderly',
  old: 'elderly',
  senior: 'elderly',
}

/** null when it has no name. */
export function readCharacter(entry: unknown): DesktopCharacter | null {
  const fields = fieldsOf(camelFields(entry))
  const voice = fieldsOf(fields.voice)
  const settings = { ...voice, ...fieldsOf(fields.voiceSettings) }
  const name = textOf(fields, 'name', 'characterName')
  if (!name) return null
  return {
    name,
    aliases: listOf(fields, 'aliases', 'alias'),
    role: textOf(fields, 'role')?.toLowerCase() ?? null,
    description: textOf(fields, 'description') ?? '',
    gender: genders[textOf(fields, 'gender', 'sex')?.toLowerCase() ?? ''] ?? null,
    ageRange:
      ages[
        textOf(fields, 'ageRange', 'age')
          ?.toLowerCase()
          .replace(/[\s_-]/g, '') ?? ''
      ] ?? null,
    voiceId: textOf(fields, 'voiceId', 'assignedVoiceId', 'voice') ?? textOf(settings, 'voiceId', 'id'),
    provider: textOf(fields, 'provider', 'voiceProvider', 'ttsProvider') ?? textOf(settings, 'provider'),
    voiceSettings: Object.fromEntries(
      Object.entries(settings).filter(([field]) => !['voiceId', 'id', 'provider'].includes(field)),
    ),
  }
}

export function readChapter(entry: unknown, position: number): DesktopChapter {
  const fields = fieldsOf(camelFields(entry))
  const number = Number(textOf(fields, 'chapterNumber', 'number') ?? position)
  const segments = Array.isArray(fields.segments) ? fields.segments.map(fieldsOf) : []
  return {
    number: Number.isSafeInteger(number) ? number : position,
    title: textOf(fields, 'title', 'name') ?? '',
    text: textOf(fields, 'text', 'content'),
    audio: textOf(fields, 'audio', 'audioFile', 'audioPath'),
    segments: segments.flatMap((segment) => {
      const text = textOf(segment, 'text', 'content')
      if (!text) return []
      const character = textOf(segment, 'characterName', 'character', 'speaker')
      const audio = textOf(segment, 'audio', 'audioFile', 'audioPath')
      return [{ text, character, voiceId: textOf(segment, 'voiceId', 'voice'), audio }]
    }),
  }
}
