import { z } from 'zod'
import { matchLanguage } from '../../engines/speech/match-language.ts'
import type { VoiceSettings } from '../../engines/speech/speech.ts'
import { scoped } from '../../kit/database.ts'
import { Problem } from '../../kit/errors.ts'
import { type Context, type FileReply, file, operation } from '../../kit/operation.ts'
import { Id } from '../../kit/table.ts'
import { enforceQuota } from '../tenancy/enforce-quota.ts'
import { blobReply } from './blob-reply.ts'
import { requireVoice } from './check-voice.ts'
import { findChapter } from './chapters.ts'
import { lineSources, openLineSettings } from './line-settings.ts'
import { voiceSettings } from './narration.table.ts'
import { type LineSettings, type LineSource, type PlannedLine, planLines } from './plan-lines.ts'
import { findProject } from './project-state.ts'
import { findSegment } from './record-revision.ts'
import { speakLines } from './speak-lines.ts'
import type { PlacedBlock } from '../../engines/manuscript/manuscript.ts'

const genders = ['male', 'female', 'neutral', 'other'] as const
const ages = ['child', 'teen', 'young_adult', 'adult', 'elderly'] as const
const voice = z
  .object({
    id: z.string(),
    provider: z.string(),
    name: z.string(),
    languages: z.array(z.string()),
    gender: z.enum(genders),
    age: z.enum(ages),
    local: z.boolean(),
  })
  .meta({ id: 'voice' })

export const voiceOperations = {
  list: operation({
    name: 'voices.list',
    method: 'GET',
    path: '/v1/voices',
    summary: 'List the voices that are to be had; a provider that does not answer is named in failed',
    input: z.object({
      language: z.string().max(35).optional(),
      gender: z.enum(genders).optional(),
      age: z.enum(ages).optional(),
      provider: z.string().max(50).optional(),
      query: z.string().max(100).optional(),
      limit: z.number().int().min(1).max(1000).default(200),
      after: z.string().max(255).optional(),
    }),
    output: z.object({
      items: z.array(voice),
      next: z.string().nullable(),
      failed: z.array(z.object({ provider: z.string(), detail: z.string() })),
    }),
    async run({ services }, { language, gender, age, provider, query, limit, after }) {
      const { voices, failed } = await services.speech.voices()
      const words = query?.toLowerCase().split(/\s+/).filter(Boolean) ?? []
      const found = voices.filter(
        (one) =>
          (!language || matchLanguage(one.languages, language) !== null) &&
          (!gender || one.gender === gender) &&
          (!age || one.age === age) &&
          (!provider || one.provider === provider) &&
          words.every((word) => `${one.id} ${one.name}`.toLowerCase().includes(word)),
      )
      const from = after === undefined ? 0 : found.findIndex(({ id }) => id === after) + 1
      const items = found.slice(from, from + limit)
      return {
        items,
        next: from + limit < found.length ? (items.at(-1)?.id ?? null) : null,
        failed: failed.map((one) => ({ provider: one.provider, detail: one.problem.message })),
      }
    },
  }),
  audition: operation({
    name: 'voices.audition',
    method: 'POST',
    path: '/v1/voices/audition',
    summary: 'Hear a text, or a line of a book, in any voice; it is metered and cached like any line',
    input: z.strictObject({
      voice_id: z.string().min(1).max(255),
      text: z.string().trim().min(1).max(1000).optional(),
      segment_id: Id.optional(),
      project_id: Id.optional(),
      /** BCP 47, of a text without a project. */
      language: z.string().max(35).optional(),
      settings: voiceSettings.default({}),
    }),
    output: file('audio/*'),
    async run(context, input) {
      await requireVoice(context.services, input.voice_id)
      const { line, project } = await planAudition(context, input)
      await enforceQuota(context.tx, 'processing', line.request.text.length / charactersPerMinute)
      await enforceQuota(context.tx, 'storage')
      const reply = {} as FileReply
      // Speaking may take a provider's seconds: no transaction is held open for that.
      context.afterCommit(async () => void Object.assign(reply, await speakAudition(context, project, line)))
      return reply
    },
  }),
}

/** About 150 words of six characters. */
const charactersPerMinute = 900

interface Audition {
  voice_id: string
  text?: string
  segment_id?: string
  project_id?: string
  language?: string
  settings: VoiceSettings
}

async function planAudition(
  { tx, services }: Context,
  { voice_id, text, segment_id, project_id, language, settings }: Audition,
): Promise<{ line: PlannedLine; project: string | null }> {
  if ((text === undefined) === (segment_id === undefined))
    throw new Problem(400, 'invalid_input', 'text: give either a text or a segment_id', { field: 'text' })
  const own = { voice_id, voice_settings: settings, character_voice: null, character_settings: null, gap_after: 0 }
  const one = (source: LineSource, blocks: PlacedBlock[], of: LineSettings): PlannedLine =>
    planLines([source], blocks, of)[0] as PlannedLine
  if (segment_id !== undefined) {
    const segment = await findSegment(tx, segment_id)
    const chapter = await findChapter(tx, segment.chapter_id)
    const lines = await openLineSettings(tx, services, await findProject(tx, segment.project_id), voice_id)
    const source = (await lineSources(tx, segment.project_id, segment.chapter_id))
      .get(segment.chapter_id)
      ?.find(({ id }) => id === segment_id) as LineSource
    return { line: one({ ...source, ...own }, chapter.blocks as PlacedBlock[], lines), project: segment.project_id }
  }
  const source: LineSource = {
    id: 'audition',
    text: text ?? '',
    ssml: null,
    start_offset: 0,
    end_offset: text?.length ?? 0,
    ...own,
  }
  if (project_id)
    return {
      line: one(source, [], await openLineSettings(tx, services, await findProject(tx, project_id), voice_id)),
      project: project_id,
    }
  const voices = await services.speech.engineOf(voice_id).voices()
  const [spoken = 'en'] = voices.find(({ id }) => id === voice_id)?.languages ?? []
  const lines = {
    language: language ?? (spoken === '*' ? 'en' : spoken),
    narratorVoice: voice_id,
    lexicon: () => [],
    speech: services.speech,
  }
  return { line: one(source, [], lines), project: null }
}

async function speakAudition(
  { services, principal }: Context,
  project: string | null,
  line: PlannedLine,
): Promise<FileReply> {
  const { tenant, user, seesAll } = principal
  const speaking = {
    id: null,
    principal,
    services,
    signal: AbortSignal.timeout(120_000),
    scoped: <T>(work: Parameters<typeof scoped<T>>[2]) =>
      scoped(services.kernel.pool, { tenant, user, seesAll, action: 'voices.audition' }, work),
  }
  const { spoken, failed } = await speakLines(speaking, project, [line], () => {})
  const problem = failed.get(line.key)
  if (problem) throw problem
  const { blob = '' } = spoken.get(line.key) ?? {}
  const extension = blob.split('.').at(-1) ?? ''
  const mediaType =
    { wav: 'audio/wav', mp3: 'audio/mpeg', ogg: 'audio/ogg', flac: 'audio/flac', aac: 'audio/aac' }[extension] ??
    'application/octet-stream'
  return blobReply(services.storage, blob, { filename: `audition.${extension}`, mediaType, inline: true })
}
