import { realpath } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Problem } from '../../kit/errors.ts'
import type { BookMetadata } from './manuscript.ts'
import {
  type DesktopChapter,
  type DesktopCharacter,
  DesktopConfig,
  readChapter,
  readCharacter,
  readMetadata,
} from './desktop-config.ts'
import { findFile, listFolder, readJson, readText } from './read-confined.ts'

/** A project folder of the desktop program, read whole: what it says, with paths of the files that a caller has to read. */
export interface DesktopProject {
  metadata: Omit<BookMetadata, 'language'> & { language?: string }
  /** The manuscript's file; null when the chapters carry the text. */
  manuscript: { file: string; filename: string } | null
  cover: { file: string; filename: string } | null
  characters: DesktopCharacter[]
  chapters: DesktopChapter[]
  /** As the project has them, names in camel case: ttsProvider, processingChain, targetPlatform, … */
  settings: Record<string, unknown>
  /** What was found wanting, in words for the person who imports. */
  warnings: string[]
}

const manuscripts = ['txt', 'md', 'docx', 'epub', 'html', 'pdf'].map((extension) => `manuscript.${extension}`)
const covers = ['jpg', 'jpeg', 'png', 'webp'].map((extension) => `cover.${extension}`)

/**
 * Reads project.json, the manuscript, characters (in the configuration, in characters.json or one file each below characters/) and chapters
 * (in the configuration, in chapters.json, or below chapters/). Names of fields may be in snake or camel case. Nothing outside of the folder
 * is read, whatever the configuration names. `Problem` 422 desktop_project_missing, desktop_project_unreadable, desktop_project_incomplete.
 */
export async function readDesktopProject(folder: string): Promise<DesktopProject> {
  const root = await realpath(folder).catch((cause: unknown) => {
    throw new Problem(422, 'desktop_project_missing', `There is no folder ${folder}.`, {}, { cause })
  })
  const file = (await findFile(root, 'project.json')) ?? (await findFile(root, 'config.json'))
  if (!file)
    throw new Problem(
      422,
      'desktop_project_missing',
      `There is no project.json in ${basename(root)}: this is not a desktop project.`,
    )
  const config = parseConfig(await readJson(file))
  const warnings: string[] = []
  const metadata = readMetadata(config)
  if (!metadata.title)
    throw new Problem(422, 'desktop_project_incomplete', 'project.json has no title.', { field: 'title' })

  const chapters = await readChapters(root, config, warnings)
  const named = typeof config.manuscript === 'string' ? [config.manuscript] : []
  const manuscript = await firstFile(root, [...named, ...manuscripts], warnings, named.length)
  if (!manuscript && !chapters.some((chapter) => chapter.text))
    throw new Problem(
      422,
      'desktop_project_incomplete',
      'There is no manuscript.txt, and no chapter carries its text.',
      { field: 'manuscript' },
    )
  const pictured = typeof config.cover === 'string' ? [config.cover] : []
  return {
    metadata,
    manuscript,
    cover: await firstFile(root, [...pictured, ...covers], warnings, pictured.length),
    characters: await readCharacters(root, config, warnings),
    chapters,
    settings: config.settings,
    warnings,
  }
}

function parseConfig(json: unknown): DesktopConfig {
  const parsed = DesktopConfig.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const field = issue?.path.join('.') ?? ''
  throw new Problem(
    422,
    'desktop_project_unreadable',
    `project.json: ${field || 'the document'}: ${issue?.message ?? 'not understood'}`,
    { field },
  )
}

/** The first of `names` that is there; the first `named` of them are the project's own word, and missed with a warning. */
async function firstFile(
  root: string,
  names: string[],
  warnings: string[],
  named: number,
): Promise<{ file: string; filename: string } | null> {
  for (const [index, name] of names.entries()) {
    const file = await findFile(root, name)
    if (file) return { file, filename: basename(file) }
    if (index < named) warnings.push(`project.json names ${name}, which is not in the folder.`)
  }
  return null
}

async function readCharacters(root: string, config: DesktopConfig, warnings: string[]): Promise<DesktopCharacter[]> {
  const listed = [...config.characters, ...(await readListed(root, 'characters.json', 'characters'))]
  for (const name of await listFolder(root, 'characters', ['json'])) {
    const file = await findFile(root, join('characters', name))
    if (file) listed.push(await readJson(file))
  }
  const characters = new Map<string, DesktopCharacter>()
  for (const entry of listed) {
    const character = readCharacter(entry)
    if (!character) {
      warnings.push('A character without a name was left out.')
      continue
    }
    const before = characters.get(character.name.toLowerCase())
    characters.set(character.name.toLowerCase(), before ? fillIn(before, character) : character)
  }
  return [...characters.values()]
}

/** What one place says of a character, completed by what another says. */
function fillIn(first: DesktopCharacter, second: DesktopCharacter): DesktopCharacter {
  const given = Object.entries(first).filter(
    ([, value]) => value !== null && value !== '' && !(Array.isArray(value) && !value.length),
  )
  return { ...second, ...Object.fromEntries(given), voiceSettings: { ...second.voiceSettings, ...first.voiceSettings } }
}

async function readChapters(root: string, config: DesktopConfig, warnings: string[]): Promise<DesktopChapter[]> {
  const listed = [...config.chapters, ...(await readListed(root, 'chapters.json', 'chapters'))]
  if (!listed.length)
    for (const name of await listFolder(root, 'chapters', ['json', 'txt', 'md'])) {
      const file = await findFile(root, join('chapters', name))
      if (!file) continue
      listed.push(name.endsWith('.json') ? await readJson(file) : { title: titleOf(name), text: await readText(file) })
    }
  const chapters: DesktopChapter[] = []
  for (const [index, entry] of listed.entries()) {
    const chapter = readChapter(entry, index + 1)
    for (const holder of [chapter, ...chapter.segments]) {
      if (!holder.audio) continue
      const file = await findFile(root, holder.audio)
      if (!file) warnings.push(`Chapter ${chapter.number} names ${holder.audio}, which is not in the folder.`)
      holder.audio = file
    }
    chapters.push(chapter)
  }
  return chapters.sort((a, b) => a.number - b.number)
}

/** '03-the-storm.txt' has no better title than its name. */
const titleOf = (name: string): string =>
  name
    .replace(/\.[^.]+$/, '')
    .replace(/^\d+[\s._-]*(?=\p{L})/u, '')
    .replace(/[_-]+/g, ' ')
    .trim()

async function readListed(root: string, name: string, key: string): Promise<unknown[]> {
  const file = await findFile(root, name)
  if (!file) return []
  const json = await readJson(file)
  const list = typeof json === 'object' && json !== null && key in json ? (json as Record<string, unknown>)[key] : json
  return Array.isArray(list) ? list : []
}
