import { createReadStream } from 'node:fs'
import { stat, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { DesktopCharacter } from '../../engines/manuscript/desktop-config.ts'
import { type DesktopProject, readDesktopProject } from '../../engines/manuscript/read-desktop-project.ts'
import type { Voice } from '../../engines/speech/speech.ts'
import { hashFile } from '../../kit/hash.ts'
import type { Context } from '../../kit/operation.ts'
import { meter } from '../metering/meter.ts'
import { enforceQuota } from '../tenancy/enforce-quota.ts'
import { freeSlug } from './characters.ts'
import { prepareJob } from './narration.job.ts'
import { chains, platforms, projectSettings, voiceSettings } from './narration.table.ts'
import { projectFolder } from './project-state.ts'

export interface ImportedProject {
  project_id: string
  job_id: string
  warnings: string[]
}

/** Takes in a folder of the desktop program whole: the book's data, manuscript, cover, characters and their voices; reading starts in a job. */
export async function importDesktop(context: Context, folder: string): Promise<ImportedProject> {
  const { tx, services, principal } = context
  const found = await readDesktopProject(folder)
  const warnings = [...found.warnings]
  await enforceQuota(tx, 'projects')
  const manuscript = found.manuscript ?? (await writeManuscript(folder, found))
  const { size } = await stat(manuscript.file)
  const cover = found.cover && { ...found.cover, size: (await stat(found.cover.file)).size }
  await enforceQuota(tx, 'storage', size + (cover?.size ?? 0))

  const { metadata } = found
  const { id } = await tx
    .insertInto('projects')
    .values({
      title: (metadata.title ?? 'Untitled').slice(0, 500),
      subtitle: metadata.subtitle?.slice(0, 500) ?? null,
      authors: names(metadata.authors),
      narrators: names(metadata.narrators),
      translators: names(metadata.translators),
      description: metadata.description?.slice(0, 10_000) ?? null,
      publisher: metadata.publisher?.slice(0, 255) ?? null,
      published: metadata.published?.slice(0, 10) ?? null,
      isbn: metadata.isbn?.slice(0, 20) ?? null,
      settings: JSON.stringify(
        readSettings(
          found,
          services.speech.engines.map(({ provider }) => provider),
          warnings,
        ),
      ) as never,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  const home = projectFolder(principal.tenant, id)
  const blob = `${home}/manuscripts/${await hashFile(manuscript.file)}${extname(manuscript.filename).toLowerCase()}`
  await services.storage.put(blob, createReadStream(manuscript.file))
  const pictured = cover && coverTypes[extname(cover.filename).toLowerCase()]
  if (pictured) await services.storage.put(`${home}/cover`, createReadStream(cover.file), { mediaType: pictured })
  await tx
    .updateTable('projects')
    .set({
      manuscript_blob: blob,
      manuscript_filename: manuscript.filename.slice(0, 255),
      ...(pictured && { cover_blob: `${home}/cover`, cover_type: pictured }),
    })
    .where('id', '=', id)
    .execute()
  await meter(tx, [
    { user: principal.user, project: id, usage: { resource: 'storage', amount: size + (pictured ? cover.size : 0) } },
  ])

  const { voices } = await services.speech.voices()
  for (const character of found.characters) await importCharacter(context, id, character, found, voices, warnings)
  const job_id = await context.enqueue(prepareJob, { project_id: id }, { key: `prepare:${id}` })
  return { project_id: id, job_id, warnings: warnings.slice(0, 1000) }
}

const coverTypes: Record<string, string> = {
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
}
const names = (list: string[]): string[] => list.slice(0, 100).map((name) => name.slice(0, 255))

/** Chapters that carry their own text, as Markdown, which keeps their titles apart from it. */
async function writeManuscript(
  folder: string,
  { metadata, chapters }: DesktopProject,
): Promise<{ file: string; filename: string }> {
  const file = join(folder, 'manuscript-of-chapters.md')
  const parts = chapters.flatMap(({ title, number, text }) =>
    text ? [`# ${title || `Chapter ${number}`}\n\n${text}\n`] : [],
  )
  await writeFile(file, parts.join('\n'))
  return { file, filename: `${metadata.title ?? 'manuscript'}.md` }
}

function readSettings({ settings, metadata }: DesktopProject, providers: string[], warnings: string[]): object {
  const known = <T extends string>(value: unknown, of: readonly T[], what: string): T | undefined => {
    if (typeof value !== 'string' || !value) return undefined
    const found = of.find((one) => one === value.toLowerCase().replace(/[\s-]+/g, '_'))
    if (!found) warnings.push(`The ${what} ‘${value}’ is not known here and was left out.`)
    return found
  }
  return projectSettings.parse(
    Object.fromEntries(
      Object.entries({
        language: metadata.language?.slice(0, 35),
        speech_provider: known(settings.ttsProvider, providers, 'speech provider'),
        processing_chain: known(settings.processingChain, chains, 'processing chain'),
        target_platform: known(settings.targetPlatform, platforms, 'platform'),
      }).filter(([, value]) => value !== undefined),
    ),
  )
}

async function importCharacter(
  { tx }: Context,
  project_id: string,
  character: DesktopCharacter,
  { settings }: DesktopProject,
  voices: Voice[],
  warnings: string[],
): Promise<void> {
  const role = roleOf(character)
  const voice = findVoice(character, settings.ttsProvider, voices)
  if (character.voiceId && !voice)
    warnings.push(`${character.name}'s voice ‘${character.voiceId}’ is not to be had here; another will be cast.`)
  await tx
    .insertInto('characters')
    .values({
      project_id,
      slug: role === 'narrator' ? 'narrator' : await freeSlug(tx, project_id, character.name),
      name: character.name.slice(0, 255),
      aliases: names(character.aliases),
      role,
      description: character.description.slice(0, 2000),
      gender: character.gender,
      age_range: character.ageRange,
      voice_id: voice ?? null,
      voice_chosen: voice !== undefined,
      voice_settings: JSON.stringify(readVoiceSettings(character.voiceSettings)) as never,
    })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'project_id', 'slug']).doNothing())
    .execute()
}

function roleOf({ role, name }: DesktopCharacter): 'narrator' | 'protagonist' | 'antagonist' | 'supporting' | 'minor' {
  if (role === 'narrator' || /^narrat(or|ora|eur|rice)$|^narrador(a)?$|^erzähler(in)?$/i.test(name)) return 'narrator'
  return role === 'protagonist' || role === 'antagonist' || role === 'minor' ? role : 'supporting'
}

/** The desktop program writes a provider's own name of a voice; here the provider stands before it. */
function findVoice({ voiceId, provider }: DesktopCharacter, fallback: unknown, voices: Voice[]): string | undefined {
  if (!voiceId) return undefined
  const wanted = [voiceId, `${provider}:${voiceId}`, `${String(fallback)}:${voiceId}`]
  return (voices.find(({ id }) => wanted.includes(id)) ?? voices.find(({ id }) => id.endsWith(`:${voiceId}`)))?.id
}

function readVoiceSettings({ speakingRate, rate, pitch, style }: Record<string, unknown>): object {
  const parsed = voiceSettings.safeParse({
    ...(typeof (speakingRate ?? rate) === 'number' && { rate: speakingRate ?? rate }),
    ...(typeof pitch === 'number' && { pitch }),
    ...(typeof style === 'string' && style && { style }),
  })
  return parsed.success ? parsed.data : {}
}
