import { isDeepStrictEqual } from 'node:util'
import type { CastCharacter, CastSegment } from '../../engines/language/cast.ts'
import { castSettings } from '../../engines/speech/cast-settings.ts'
import { castVoices, countExchanges } from '../../engines/speech/cast-voices.ts'
import type { Tx } from '../../kit/database.ts'
import type { Services } from '../../kit/operation.ts'
import { type Project, reach } from './project-state.ts'

/** Gives every character without a chosen voice one that fits. The same cast and catalogue give the same voices. */
export async function assignVoices(tx: Tx, { speech }: Pick<Services, 'speech'>, project: Project): Promise<void> {
  const rows = await tx.selectFrom('characters').selectAll().where('project_id', '=', project.id).execute()
  const { voices } = await speech.voices()
  const { narrator_voice, speech_provider } = project.settings
  const provider =
    speech_provider ??
    narrator_voice?.split(':')[0] ??
    (voices.some((voice) => voice.provider === 'espeak') ? 'espeak' : undefined)
  const usable = provider ? voices.filter((voice) => voice.provider === provider) : voices
  const chosen = Object.fromEntries(
    rows.flatMap((row) => (row.voice_chosen && row.voice_id ? [[row.slug, row.voice_id]] : [])),
  )
  const overrides = { ...(narrator_voice && { narrator: narrator_voice }), ...chosen }
  const cast = rows.map(toCastCharacter)
  const voiceOf = castVoices(cast, usable, project.language, overrides, await exchangesOf(tx, project.id))
  const settingsOf = castSettings(cast, voiceOf, voices)
  for (const row of rows) {
    if (row.voice_chosen && row.voice_id) continue
    const voice_id = voiceOf.get(row.slug) ?? voiceOf.get('narrator') ?? null
    const voice_settings = settingsOf.get(row.slug) ?? {}
    if (voice_id === row.voice_id && isDeepStrictEqual(voice_settings, row.voice_settings)) continue
    await tx
      .updateTable('characters')
      .set({ voice_id, voice_settings: JSON.stringify(voice_settings) as never })
      .where('id', '=', row.id)
      .execute()
  }
  await reach(tx, project, 'voices_assigned')
}

const toCastCharacter = (row: {
  slug: string
  name: string
  aliases: string[]
  role: CastCharacter['role']
  description: string | null
  gender: CastCharacter['gender']
  age_range: CastCharacter['ageRange']
  confidence: number | null
  lines: number
  words: number
  first_chapter: number | null
  first_start: number | null
}): CastCharacter => ({
  id: row.slug,
  name: row.name,
  aliases: row.aliases,
  role: row.role,
  description: row.description ?? '',
  gender: row.gender,
  ageRange: row.age_range,
  confidence: row.confidence ?? 1,
  lines: row.lines,
  words: row.words,
  firstAppearance: row.first_chapter === null ? null : { chapter: row.first_chapter - 1, start: row.first_start ?? 0 },
})

async function exchangesOf(tx: Tx, project: string) {
  const rows = await tx
    .selectFrom('segments')
    .innerJoin('chapters', (join) =>
      join.onRef('chapters.id', '=', 'segments.chapter_id').onRef('chapters.tenant_id', '=', 'segments.tenant_id'),
    )
    .innerJoin('characters', (join) =>
      join
        .onRef('characters.id', '=', 'segments.character_id')
        .onRef('characters.tenant_id', '=', 'segments.tenant_id'),
    )
    .select(['segments.chapter_id', 'characters.slug'])
    .where('segments.project_id', '=', project)
    .where('segments.kind', '=', 'speech')
    .orderBy('chapters.number')
    .orderBy('segments.number')
    .execute()
  const byChapter = Map.groupBy(rows, ({ chapter_id }) => chapter_id)
  return countExchanges(
    [...byChapter.values()].map((lines) =>
      lines.map(
        ({ slug }): CastSegment => ({ start: 0, end: 0, kind: 'speech', speaker: slug, rule: '', confidence: 1 }),
      ),
    ),
  )
}
