import type { z } from 'zod'
import { combineAudio } from '../../engines/media/combine-audio.ts'
import type { Levels, MeasuredAudio } from '../../engines/media/media.ts'
import type { audioBlock } from './narration.table.ts'

export type AudioBlock = z.output<typeof audioBlock>

/** JSON knows no −∞, which is the level of digital silence. */
const fromJson = (levels: AudioBlock['levels']): Levels =>
  Object.fromEntries(Object.entries(levels).map(([name, level]) => [name, level ?? -Infinity])) as unknown as Levels

export const toJson = (levels: Levels): AudioBlock['levels'] =>
  Object.fromEntries(
    Object.entries(levels).map(([name, level]) => [name, Number.isFinite(level) ? level : null]),
  ) as AudioBlock['levels']

/** What would be measured of the blocks one behind the other. */
export const measuredOf = (blocks: AudioBlock[]): MeasuredAudio =>
  combineAudio(blocks.map((block) => ({ ...block, levels: fromJson(block.levels) })))
