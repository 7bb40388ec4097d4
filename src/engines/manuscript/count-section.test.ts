import { describe, expect, it } from 'vitest'
import { countSection, countWords } from './count-section.ts'

describe('words', () => {
  it.each([
    ['en', 'It’s a well-known café, isn’t it? — Mr. O’Neill’s.', 8],
    ['es', '—¿Adónde vas? —preguntó.', 3],
    ['de', 'Er sagte: „Ja, um 3.15 Uhr.“', 6],
    ['en', '— … * * *', 0],
    ['zh', '我喜欢读书。', 3],
    ['ja', '吾輩は猫である。', 5],
    ['th', 'สวัสดีชาวโลก', 2],
  ])('are counted in %s: %s', (language, text, words) => {
    expect(Math.abs(countWords(text, language) - words)).toBeLessThanOrEqual(['ja', 'th'].includes(language) ? 1 : 0)
  })
})

describe('a section', () => {
  it('has words, characters and a narrator’s time', () => {
    const blocks = [
      { kind: 'heading' as const, text: 'Chapter 1', marks: [] },
      { kind: 'paragraph' as const, text: 'word '.repeat(1550).trim(), marks: [] },
    ]
    expect(countSection({ blocks }, 'en-GB')).toEqual({ words: 1552, characters: 9 + 1550 * 5 - 1, seconds: 602 })
  })
})
