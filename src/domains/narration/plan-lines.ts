import type { PlacedBlock, Mark } from '../../engines/manuscript/manuscript.ts'
import type { LexiconMatcher } from '../../engines/speech/apply-lexicon.ts'
import { buildSsml } from '../../engines/speech/build-ssml.ts'
import type { Speech } from '../../engines/speech/open-speech.ts'
import type { SynthesisRequest, VoiceSettings } from '../../engines/speech/speech.ts'
import { hashOf } from '../../kit/hash.ts'
import { masteringVersion } from './render-blocks.ts'

/** A segment with what it takes from its character. */
export interface LineSource {
  id: string
  text: string
  ssml: string | null
  start_offset: number
  end_offset: number
  voice_id: string | null
  voice_settings: VoiceSettings | null
  character_voice: string | null
  character_settings: VoiceSettings | null
  gap_after: number
}

export interface PlannedLine {
  segment: string
  /** SHA-256 of everything its audio depends on: its name in the cache. */
  key: string
  request: SynthesisRequest
  gapAfter: number
}

export interface LineSettings {
  language: string
  narratorVoice: string
  lexicon: LexiconMatcher
  speech: Pick<Speech, 'engineOf'>
}

/** What is said for each segment, in which voice, and under which key. Text that has nothing to mark goes as text. */
export function planLines(
  lines: LineSource[],
  blocks: PlacedBlock[],
  { language, narratorVoice, lexicon, speech }: LineSettings,
): PlannedLine[] {
  let at = 0
  return lines.map((line) => {
    while (at < blocks.length - 1 && (blocks[at]?.end ?? 0) <= line.start_offset) at++
    const block = blocks[at]
    const voice = line.voice_id ?? line.character_voice ?? narratorVoice
    const settings: VoiceSettings = { ...line.character_settings, ...line.voice_settings }
    const marks = block ? marksWithin(block, line) : []
    const spoken = { text: line.text, marks, language, settings: {}, lexicon }
    const isPlain = marks.length === 0 && lexicon(line.text).length === 0
    const ssml = line.ssml ?? (isPlain ? undefined : buildSsml(spoken))
    const request = { text: line.text, ...(ssml && { ssml }), voice, language, settings }
    return {
      segment: line.id,
      key: hashOf(line.text, ssml, voice, settings, language, speech.engineOf(voice).version),
      request,
      gapAfter: line.gap_after,
    }
  })
}

/** SHA-256 of everything a chapter's audio depends on. */
export const chapterKey = (settings: { processing_chain?: string }, lines: PlannedLine[]): string =>
  hashOf(
    'chapter',
    masteringVersion,
    settings.processing_chain ?? 'audiobook_standard',
    lines.map(({ key, gapAfter }) => [key, gapAfter]),
  )

function marksWithin(block: PlacedBlock, line: LineSource): Mark[] {
  const from = line.start_offset - block.start
  const to = line.end_offset - block.start
  // A text that a person has changed no longer lies where the block's marks are.
  if (block.text.slice(from, to) !== line.text) return []
  return block.marks
    .filter((mark) => mark.start < to && mark.end > from)
    .map((mark) => ({ ...mark, start: Math.max(0, mark.start - from), end: Math.min(to, mark.end) - from }))
}
