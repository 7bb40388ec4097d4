import type { BlockKind } from '../manuscript/manuscript.ts'

/** Seconds of silence by what has just ended. A project may override any of them. */
export interface Pauses {
  /** A segment ends inside a sentence: before or after a speech tag, or where a long sentence had to be cut. */
  clause: number
  sentence: number
  /** Beyond `sentence` or `clause`, where another voice takes over. */
  speaker: number
  /** A verse's line. */
  line: number
  paragraph: number
  listItem: number
  heading: number
  sceneBreak: number
  /** Before a letter or a long quotation and after it. */
  letter: number
}

/** Common practice of audiobook narration: about a third of a second between sentences, half a second between paragraphs, one or two at a scene break. */
export const DEFAULT_PAUSES: Pauses = {
  clause: 0.12,
  sentence: 0.35,
  speaker: 0.1,
  line: 0.25,
  paragraph: 0.6,
  listItem: 0.45,
  heading: 1.2,
  sceneBreak: 1.5,
  letter: 0.8,
}

/** A segment as far as the silence after it depends on it. */
export interface GapSide {
  text: string
  /** Kind of the block it lies in. */
  block: BlockKind
  /** Anything that differs from block to block of a chapter. */
  blockIndex: number
  speaker: string | null
  /** True when a scene break stands between this segment and the next. */
  sceneBreakAfter?: boolean
}

// A sentence's end, with closing quotes and brackets behind it; of all scripts that mark it.
const SENTENCE_END = /[.!?…。！？।॥؟۔።՜՞։]['"”’»›」』）)\]]*\s*$/u

/**
 * Seconds of silence between two segments of a chapter; 0 after the last, whose tail is room tone.
 * @param override a project's own lengths
 */
export function gapAfter(segment: GapSide, next: GapSide | null, override: Partial<Pauses> = {}): number {
  if (!next) return 0
  const pauses = { ...DEFAULT_PAUSES, ...override }
  if (segment.sceneBreakAfter || segment.block === 'scene_break' || next.block === 'scene_break')
    return pauses.sceneBreak
  if (segment.blockIndex !== next.blockIndex) return betweenBlocks(segment.block, next.block, pauses)
  if (segment.block === 'verse' && /\n\s*$/.test(segment.text)) return pauses.line
  const gap = SENTENCE_END.test(segment.text) ? pauses.sentence : pauses.clause
  return gap + (segment.speaker === next.speaker ? 0 : pauses.speaker)
}

function betweenBlocks(block: BlockKind, next: BlockKind, pauses: Pauses): number {
  if (block === 'heading') return pauses.heading
  // What comes before a heading has been told to its end.
  if (next === 'heading') return Math.max(pauses.heading, pauses.paragraph)
  const set = (kind: BlockKind): boolean => kind === 'letter' || kind === 'quotation' || kind === 'verse'
  if (block !== next && (set(block) || set(next))) return pauses.letter
  if (block === 'list_item' && next === 'list_item') return pauses.listItem
  return pauses.paragraph
}
