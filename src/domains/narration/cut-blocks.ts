/** Seconds. A block is mastered and encoded by itself: long enough to cost little more than its share, short enough that a change costs little. */
const shortest = 30
const longest = 120
/** Seconds of silence at which a cut is not heard; half of it goes to each side. */
const pause = 0.3
/** One line in so many is a place to cut. */
const oneIn = 8

export interface CuttableLine {
  /** Hex. */
  key: string
  seconds: number
  gapAfter: number
}

/**
 * Cuts a chapter's lines into blocks, in pauses. Where is decided by the lines near the cut alone (by their keys' hashes, as content-defined chunking does), so that a changed line
 * changes its own block and not where all later ones begin.
 */
export function cutBlocks<T extends CuttableLine>(lines: T[]): T[][] {
  const blocks: T[][] = []
  let block: T[] = []
  let length = 0
  for (const line of lines) {
    block.push(line)
    length += line.seconds + line.gapAfter
    const isPlace = Number.parseInt(line.key.slice(-8), 16) % oneIn === 0
    if (line.gapAfter < pause || length < shortest || (length < longest && !isPlace)) continue
    blocks.push(block)
    block = []
    length = 0
  }
  if (block.length) blocks.push(block)
  return blocks
}
