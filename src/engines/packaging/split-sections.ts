import { Problem } from '../../kit/errors.ts'

/** ACX audio submission requirements: no file longer than 120 minutes. Seconds. */
export const longestSection = 120 * 60

/**
 * Cuts a chapter into as few sections as `limit` allows, as even as they can be, at the bounds of its segments. `durations` are the
 * segments' with the pause after each, seconds. Gives ranges of segment indices, `end` exclusive. `Problem` 422 segment_too_long
 * when one alone is over the limit.
 */
export function splitSections(durations: number[], limit = longestSection): { start: number; end: number }[] {
  const longest = Math.max(0, ...durations)
  if (longest > limit)
    throw new Problem(
      422,
      'segment_too_long',
      `A segment lasts ${Math.ceil(longest)} s, and a file may last ${limit} s.`,
      { limit },
    )
  const fewest = fill(durations, limit)
  // The smallest bound that needs no more sections is the most even cut; a millisecond is near enough.
  let low = longest
  let high = limit
  while (high - low > 0.001) {
    const middle = (low + high) / 2
    if (fill(durations, middle).length > fewest.length) low = middle
    else high = middle
  }
  return fill(durations, high)
}

function fill(durations: number[], limit: number): { start: number; end: number }[] {
  const sections: { start: number; end: number }[] = []
  let length = 0
  durations.forEach((duration, index) => {
    const open = sections.at(-1)
    if (open && length + duration <= limit) {
      open.end = index + 1
      length += duration
    } else {
      sections.push({ start: index, end: index + 1 })
      length = duration
    }
  })
  return sections
}
