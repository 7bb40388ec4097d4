import { expect, test } from 'vitest'
import { DEFAULT_PAUSES, gapAfter, type GapSide } from './gap-after.ts'

const side = (text: string, more: Partial<GapSide> = {}): GapSide => ({
  text,
  block: 'paragraph',
  blockIndex: 1,
  speaker: 'narrator',
  ...more,
})
const next = side('Next.')
const P = DEFAULT_PAUSES

test.each([
  ['inside a sentence', side('He said,'), next, P.clause],
  ['a sentence', side('He left.'), next, P.sentence],
  ['a sentence in quotes', side('“He left!”'), next, P.sentence],
  ['a sentence in Spanish', side('¿Se fue?'), next, P.sentence],
  ['a sentence in Japanese', side('行った。」'), next, P.sentence],
  ['another speaker', side('“Go,”', { speaker: 'darcy' }), next, P.clause + P.speaker],
  ['a paragraph', side('He left.'), side('Next.', { blockIndex: 2 }), P.paragraph],
  ['a heading', side('Chapter 1', { block: 'heading' }), side('Next.', { blockIndex: 2 }), P.heading],
  ['before a heading', side('End.'), side('Two', { block: 'heading', blockIndex: 2 }), P.heading],
  ['a scene break', side('He left.', { sceneBreakAfter: true }), side('Next.', { blockIndex: 3 }), P.sceneBreak],
  ['a list', side('One', { block: 'list_item' }), side('Two', { block: 'list_item', blockIndex: 2 }), P.listItem],
  ['into a letter', side('He read:'), side('Dear', { block: 'letter', blockIndex: 2 }), P.letter],
  ['a line of verse', side('Tyger tyger,\n', { block: 'verse' }), side('burning', { block: 'verse' }), P.line],
  ['the end', side('End.'), null, 0],
])('%s', (_, before, after, seconds) => expect(gapAfter(before, after)).toBeCloseTo(seconds))

test('a project has its own lengths', () => expect(gapAfter(side('He left.'), next, { sentence: 0.9 })).toBe(0.9))
