import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CuttableLine, cutBlocks } from './cut-blocks.ts'

const line = (text: string, seconds: number, gapAfter: number): CuttableLine => ({
  key: createHash('sha256').update(text).digest('hex'),
  seconds,
  gapAfter,
})
const chapter = (count: number): CuttableLine[] =>
  Array.from({ length: count }, (_, i) => line(`line ${i}`, 2 + (i % 7), i % 3 ? 0.5 : 0.1))
const secondsOf = (block: CuttableLine[]) => block.reduce((sum, { seconds, gapAfter }) => sum + seconds + gapAfter, 0)
const keysOf = (blocks: CuttableLine[][]) => blocks.map((block) => block.map(({ key }) => key).join())

test('blocks hold every line in order, are cut in pauses, and last from half a minute to about two', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          text: fc.string(),
          seconds: fc.double({ min: 0, max: 40, noNaN: true }),
          gapAfter: fc.constantFrom(0, 0.1, 0.3, 2),
        }),
      ),
      (lines) => {
        const all = lines.map(({ text, seconds, gapAfter }) => line(text, seconds, gapAfter))
        const blocks = cutBlocks(all)
        expect(blocks.flat()).toEqual(all)
        for (const block of blocks.slice(0, -1)) {
          expect(block.at(-1)?.gapAfter).toBeGreaterThanOrEqual(0.3)
          expect(secondsOf(block)).toBeGreaterThanOrEqual(30)
          const fit = block
            .slice(0, -1)
            .findIndex((_, i) => secondsOf(block.slice(0, i + 1)) >= 120 && (block[i]?.gapAfter ?? 0) >= 0.3)
          expect(fit).toBe(-1)
        }
      },
    ),
  )
})

test('a changed line changes few blocks, however long the chapter', () => {
  const lines = chapter(400)
  const before = new Set(keysOf(cutBlocks(lines)))
  expect(before.size).toBeGreaterThan(15)
  for (let at = 0; at < lines.length; at += 13) {
    const after = keysOf(cutBlocks(lines.with(at, line(`another ${at}`, 6, 0.5))))
    expect(after.filter((block) => !before.has(block)).length).toBeLessThanOrEqual(5)
  }
})
