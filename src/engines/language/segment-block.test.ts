import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { placeBlocks } from '../manuscript/manuscript.ts'
import type { CastChapter } from './cast.ts'
import { detectCast } from './detect-cast.ts'
import { segmentBlock } from './segment-block.ts'
import { sentenceEnds } from './split-sentences.ts'

const chapter = (...paragraphs: string[]): CastChapter => ({
  title: 'One',
  ...placeBlocks(paragraphs.map((text) => ({ kind: 'paragraph', text, marks: [] }))),
})
const sentences = (text: string): string[] => {
  let from = 0
  return sentenceEnds(text).map((end) => {
    const part = text.slice(from, end).trim()
    from = end
    return part
  })
}
const solid = (text: string): string => text.replace(/\s/gu, '')

describe('sentences', () => {
  test.each([
    ['Mr. Hale met Dr. Lunt and Mrs. Orme on St. James St. He bowed.', 2],
    ['El Sr. Robles saludó a la Sra. Vega. Ud. no vino.', 2],
    ['He waited… and then he left. "Well?" she said.', 2],
    ['“Come in.” The door opened. “Who is it?” he asked.', 3],
    ['J. R. Marsh wrote it, i.e. all of it. So did I. We agreed.', 3],
    ['It cost 3.50 in all. ¿Cuánto? ¡Mucho!', 3],
    ['No. 7 was empty. See p. 12 for the rest.', 2],
    ['Wait... what? Oh!', 2],
  ])('%s', (text, count) => {
    expect(sentences(text)).toHaveLength(count)
  })
})

const TEXT = fc.array(
  fc.constantFrom(
    'Mr. Orme',
    'said',
    '"',
    '“',
    '”',
    '‘',
    '’',
    "'",
    '«',
    '»',
    '—',
    ' ',
    ' ',
    ' ',
    '. ',
    '? ',
    ', ',
    'Ana',
    'went',
    'home',
    '...',
    '…',
    '\u{1F600}',
    'x'.repeat(60),
    '\n',
    '--',
    '!',
    ')',
    '(',
  ),
  { maxLength: 60 },
)

describe('segments', () => {
  test('cover every word of any text once, in order, within one block', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            TEXT.map((parts) => parts.join('')),
            fc.string({ unit: 'grapheme', maxLength: 120 }),
          ),
          { maxLength: 6 },
        ),
        fc.constantFrom('en', 'es', 'fr'),
        async (paragraphs, language) => {
          const one = chapter(...paragraphs)
          const { segments } = await detectCast([one], { language, targetLength: 40, hardLimit: 90 })
          let at = 0
          for (const { start, end } of segments[0] ?? []) {
            expect(one.text.slice(at, start).trim()).toBe('')
            expect(end).toBeGreaterThan(start)
            expect(one.blocks.some((block) => block.start <= start && end <= block.end)).toBe(true)
            at = end
          }
          expect(one.text.slice(at).trim()).toBe('')
          expect(solid((segments[0] ?? []).map(({ start, end }) => one.text.slice(start, end)).join(''))).toBe(
            solid(one.text),
          )
        },
      ),
      { numRuns: 150 },
    )
  })

  test('end at sentence ends, and only a sentence past the hard limit is cut, at a clause', () => {
    const sentence = 'The cart went slowly along the road to the mill.'
    const long = `He${' walked on and on past the grey houses of the town,'.repeat(6)} and stopped.`
    const text = `${sentence} ${sentence} ${sentence} ${long}`
    const parts = segmentBlock(text, { start: 0, end: text.length }, [], 110, 200).map(({ start, end }) =>
      text.slice(start, end),
    )
    expect(parts.slice(0, 2)).toEqual([`${sentence} ${sentence}`, sentence])
    expect(parts.slice(2).every((part) => part.length <= 200)).toBe(true)
    expect(parts.slice(2, -1).every((part) => part.endsWith(','))).toBe(true)
  })

  test('of one paragraph do not depend on another', async () => {
    const before = [
      '“I am late,” said Anna. “Is the train gone?”',
      'Nobody answered her. The clock ticked.',
      '“It went at six,” said the porter.',
    ]
    const cut = async (...paragraphs: string[]): Promise<string[]> => {
      const one = chapter(...paragraphs)
      const { segments } = await detectCast([one], { language: 'en' })
      return (segments[0] ?? []).map(({ start, end }) => one.text.slice(start, end))
    }
    const old = await cut(...before)
    const edited = await cut(
      before[0] as string,
      'Nobody at all answered her. The clock ticked on.',
      before[2] as string,
    )
    expect(edited.filter((part) => !old.includes(part))).toEqual(['Nobody at all answered her. The clock ticked on.'])
  })
})
