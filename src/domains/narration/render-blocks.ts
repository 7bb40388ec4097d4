import { join } from 'node:path'
import { chooseGain } from '../../engines/media/choose-gain.ts'
import type { AdtsPiece, ProcessingChain } from '../../engines/media/media.ts'
import { hashOf } from '../../kit/hash.ts'
import type { JobContext } from '../../kit/jobs.ts'
import { type AudioBlock, toJson } from './audio-blocks.ts'
import { cutBlocks } from './cut-blocks.ts'
import type { SpokenLine } from './speak-lines.ts'

export const chapterBitRate = 64_000
export const headSeconds = 0.75
export const tailSeconds = 2

export interface PlayableLine extends SpokenLine {
  key: string
  gapAfter: number
}

interface BlockPlan {
  key: string
  lines: PlayableLine[]
  /** Seconds. */
  head: number
  tail: number
}

/** Part of every block's key: another way of mastering makes other audio. */
export const masteringVersion = 2

/** What is to be rendered for a chapter: the same lines with the same gain make the same blocks, wherever they stand. */
export function planBlocks(lines: PlayableLine[], chain: ProcessingChain): { gain: number; blocks: BlockPlan[] } {
  const gain = chooseGain(chain, lines, { head: headSeconds, tail: tailSeconds })
  const cut = cutBlocks(lines)
  const blocks = cut.map((block, index) => {
    const isLast = index === cut.length - 1
    const before = cut[index - 1]?.at(-1)
    const head = before ? before.gapAfter / 2 : headSeconds
    const tail = isLast ? tailSeconds : 0
    const spoken = isLast ? block : block.with(-1, halved(block.at(-1) as PlayableLine))
    // Of a line that was said anew under its old key the power is another.
    const key = hashOf(
      'block',
      masteringVersion,
      chain,
      gain,
      index === 0,
      head,
      tail,
      spoken.map((line) => [line.key, line.gapAfter, line.seconds, line.power]),
    )
    return { key, lines: spoken, head, tail }
  })
  return { gain, blocks }
}

const halved = (line: PlayableLine): PlayableLine => ({ ...line, gapAfter: line.gapAfter / 2 })

/** Blocks of an earlier state of the chapter, and the ADTS file in which they lie. */
export interface KnownBlocks {
  file: string
  blocks: AudioBlock[]
}

/** Renders the blocks that are not known, in parallel, and joins all of them into `file`. The same blocks give the same bytes, whichever of them were known. */
export async function renderBlocks(
  { services, signal }: Pick<JobContext, 'services' | 'signal'>,
  chain: ProcessingChain,
  { gain, blocks }: ReturnType<typeof planBlocks>,
  known: KnownBlocks | null,
  folder: string,
  file: string,
): Promise<AudioBlock[]> {
  const { media, storage } = services
  const knownOf = new Map(known?.blocks.map((block) => [block.key, block]))
  const pieces = await Promise.all(
    blocks.map(async ({ key, lines, head, tail }, index): Promise<{ block: AudioBlock; piece: AdtsPiece }> => {
      const block = knownOf.get(key)
      if (block && known) return { block, piece: { file: known.file, offset: block.offset, length: block.length } }
      const parts = await Promise.all(
        lines.map(async ({ blob, gapAfter }) => ({ file: await storage.localPath(blob), gapAfter })),
      )
      const adts = join(folder, `${index}.aac`)
      const {
        duration,
        parts: placed,
        encoded,
      } = await media.render(
        {
          parts,
          chain,
          gain,
          head,
          tail,
          wholeFrames: true,
          measureEncoded: true,
          outputs: [{ format: 'aac', file: adts, bitRate: chapterBitRate }],
        },
        signal,
      )
      if (!encoded) throw new Error('What was encoded was not measured.')
      return {
        block: {
          ...encoded,
          key,
          offset: 0,
          length: 0,
          duration,
          parts: placed.map(({ from, to }) => [from, to]),
          levels: toJson(encoded.levels),
        },
        piece: { file: adts, afterPriming: index > 0 },
      }
    }),
  )
  const places = await media.joinAdts(
    pieces.map(({ piece }) => piece),
    file,
    signal,
  )
  return pieces.map(({ block }, index) => ({ ...block, ...places[index] }))
}
