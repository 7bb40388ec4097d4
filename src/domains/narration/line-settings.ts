import { compileLexicons } from '../../engines/speech/apply-lexicon.ts'
import type { Lexicon } from '../../engines/speech/lexicon.ts'
import type { VoiceSettings } from '../../engines/speech/speech.ts'
import type { Tx } from '../../kit/database.ts'
import { Problem } from '../../kit/errors.ts'
import type { Services } from '../../kit/operation.ts'
import type { LineSettings, LineSource } from './plan-lines.ts'
import type { Project } from './project-state.ts'

/** What all lines of a project share. `otherwise`: the narrator's voice where none is cast yet. */
export async function openLineSettings(
  tx: Tx,
  { speech }: Pick<Services, 'speech'>,
  project: Pick<Project, 'id' | 'language' | 'settings'>,
  otherwise?: string,
): Promise<LineSettings> {
  const narrator = await tx
    .selectFrom('characters')
    .select('voice_id')
    .where('project_id', '=', project.id)
    .where('role', '=', 'narrator')
    .orderBy('lines', 'desc')
    .limit(1)
    .executeTakeFirst()
  const narratorVoice = narrator?.voice_id ?? project.settings.narrator_voice ?? otherwise
  if (!narratorVoice) throw new Problem(409, 'no_voices', 'Assign voices first.')
  return {
    language: project.language,
    narratorVoice,
    lexicon: compileLexicons([await projectLexicon(tx, project)], project.language),
    speech,
  }
}

export async function projectLexicon(tx: Tx, { id, language }: Pick<Project, 'id' | 'language'>): Promise<Lexicon> {
  const entries = await tx
    .selectFrom('lexicon_entries')
    .select(['grapheme', 'alias', 'phoneme', 'alphabet'])
    .where('project_id', '=', id)
    .orderBy('grapheme')
    .execute()
  return {
    language,
    alphabet: 'ipa',
    lexemes: entries.map(({ grapheme, alias, phoneme, alphabet }) => ({
      graphemes: [grapheme],
      pronunciations: [alias !== null ? { alias } : { alphabet, ph: phoneme ?? '' }],
    })),
  }
}

/** The segments of a project, or of one of its chapters, in order, by chapter. */
export async function lineSources(tx: Tx, project: string, chapter?: string): Promise<Map<string, LineSource[]>> {
  const rows = await tx
    .selectFrom('segments')
    .leftJoin('characters', (join) =>
      join
        .onRef('characters.tenant_id', '=', 'segments.tenant_id')
        .onRef('characters.id', '=', 'segments.character_id'),
    )
    .select([
      'segments.id',
      'chapter_id',
      'segments.text',
      'ssml',
      'start_offset',
      'end_offset',
      'segments.voice_id',
      'segments.voice_settings',
      'characters.voice_id as character_voice',
      'characters.voice_settings as character_settings',
      'gap_after',
    ])
    .where('segments.project_id', '=', project)
    .$if(chapter !== undefined, (query) => query.where('chapter_id', '=', chapter ?? ''))
    .orderBy('segments.number')
    .execute()
  return Map.groupBy(
    rows as (LineSource & { chapter_id: string; character_settings: VoiceSettings | null })[],
    ({ chapter_id }) => chapter_id,
  )
}
