import fc from 'fast-check'
import { expect, it } from 'vitest'
import { speak } from '../../../test/example-book.ts'
import type { Block } from '../manuscript/manuscript.ts'
import type { BookChapter } from './book.ts'
import { findCues } from './find-cues.ts'
import { chooseLength, joinSentences } from './join-sentences.ts'

const paragraph = (text: string, kind: Block['kind'] = 'paragraph'): Block => ({ kind, text, marks: [] })

function chapterOf(blocks: Block[]): BookChapter {
  const audio = { file: '', mediaType: 'audio/mpeg', duration: 1000 }
  return { number: 1, title: '', role: 'body', kind: 'chapter', parents: [], ...speak(blocks, false), audio }
}

const texts = (chapter: BookChapter, length: number): string[] =>
  joinSentences(chapter, length).map(({ start, end }) => chapter.text.slice(start, end))

it('keeps a sentence whole around the speech in it', () => {
  const chapter = chapterOf([paragraph('“But it is,” returned she; “I was there.” He left.')])
  const [whole] = chapter.segments
  if (!whole) throw new Error('no segment')
  const cuts = [0, 13, 27, 42, 50]
  chapter.segments = cuts.slice(1).map((end, at) => ({ ...whole, start: cuts[at] ?? 0, end, from: at, to: at + 1 }))
  expect(findCues(chapter, 'sentence')).toHaveLength(4)
  expect(joinSentences(chapter, 0)).toEqual([
    { start: 0, end: 41, from: 0, to: expect.closeTo(3, 0), block: 50 },
    { start: 42, end: 50, from: 3, to: 4, block: 50 },
  ])
})

it('joins neighbours up to a length, never those of two paragraphs, and verse by whole lines', () => {
  const chapter = chapterOf([
    paragraph('One. Two. Three is longer.'),
    paragraph('Four.'),
    paragraph('A line,\na second', 'verse'),
  ])
  expect(texts(chapter, 0)).toEqual(['One.', 'Two.', 'Three is longer.', 'Four.', 'A line,', 'a second'])
  expect(texts(chapter, 10)).toEqual(['One. Two.', 'Three is longer.', 'Four.', 'A line,', 'a second'])
  expect(texts(chapter, 99)).toEqual(['One. Two. Three is longer.', 'Four.', 'A line,\na second'])
})

it('chooses the smallest length that is enough, and none where none is', () => {
  const sentence = fc.integer({ min: 1, max: 12 }).map((words) => `${Array(words).fill('Word').join(' ')}.`)
  const book = fc.array(fc.array(sentence, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(book, fc.integer({ min: 1, max: 40 }), (paragraphs, most) => {
      const chapter = chapterOf(paragraphs.map((sentences) => paragraph(sentences.join(' '))))
      const length = chooseLength([chapter], most)
      if (length === null) {
        expect(paragraphs.length).toBeGreaterThan(most)
        return
      }
      const highlights = joinSentences(chapter, length)
      expect(highlights.length).toBeLessThanOrEqual(most)
      if (length > 0) expect(joinSentences(chapter, length - 1).length).toBeGreaterThan(most)
      const heard = highlights.map(({ start, end }) => chapter.text.slice(start, end)).join(' ')
      expect(heard.replace(/\s+/g, ' ')).toBe(chapter.text.replace(/\s+/g, ' ').trim())
    }),
  )
})
