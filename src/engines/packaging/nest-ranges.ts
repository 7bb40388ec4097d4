/** A stretch of text to be wrapped in an element. Where two cross, the one with the higher `firmness` stays whole. */
export interface Wrapped {
  start: number
  end: number
  firmness: number
  open: string
  close: string
}

/**
 * Text with elements around ranges of it, well formed whatever way the ranges cross: the less firm one is closed and opened again.
 * Firm ranges must not cross one another. `write` turns a plain stretch of text into markup. Empty ranges are left out.
 */
export function nestRanges(
  start: number,
  end: number,
  ranges: Wrapped[],
  write: (start: number, end: number) => string,
): string {
  const pieces = splitCrossing(
    ranges
      .map((range) => ({ ...range, start: Math.max(start, range.start), end: Math.min(end, range.end) }))
      .filter((range) => range.start < range.end),
  )
  const open: Wrapped[] = []
  let position = start
  let markup = ''
  const closeUntil = (limit: number) => {
    for (let top = open.at(-1); top && top.end <= limit; top = open.at(-1)) {
      markup += write(position, top.end) + top.close
      position = top.end
      open.pop()
    }
  }
  for (const piece of pieces) {
    closeUntil(piece.start)
    markup += write(position, piece.start) + piece.open
    position = piece.start
    open.push(piece)
  }
  closeUntil(end)
  return markup + write(position, end)
}

/** Outer before inner. */
const order = (a: Wrapped, b: Wrapped) => a.start - b.start || b.end - a.end || a.firmness - b.firmness

function splitCrossing(ranges: Wrapped[]): Wrapped[] {
  const placed: Wrapped[] = []
  const waiting = ranges.toSorted((a, b) => b.firmness - a.firmness || order(a, b)).toReversed()
  for (let range = waiting.pop(); range; range = waiting.pop()) {
    const { start, end } = range
    const crossed = placed.find(
      (other) =>
        (other.start < start && start < other.end && other.end < end) ||
        (start < other.start && other.start < end && end < other.end),
    )
    if (!crossed) {
      placed.push(range)
      continue
    }
    const cut = crossed.start < start ? crossed.end : crossed.start
    waiting.push({ ...range, start: cut }, { ...range, end: cut })
  }
  return placed.sort(order)
}
