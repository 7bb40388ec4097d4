import { expect, test } from 'vitest'
import type { Block } from './manuscript.ts'
import { speakHeadings } from './speak-headings.ts'

const heading = (text: string): Block => ({ kind: 'heading', level: 2, text, marks: [] })
const paragraph = (text: string): Block => ({ kind: 'paragraph', text, marks: [] })
const said = (title: string, blocks: Block[]) => speakHeadings({ title, blocks }).map((block) => block.marks[0]?.alias)

test('a number alone is said as the chapter that it counts', () => {
  expect(said('Chapter 7', [heading('VII'), paragraph('It rained.')])).toEqual(['Chapter 7', undefined])
  expect(said('Capítulo 3. La tormenta', [heading('3.'), heading('La tormenta'), paragraph('Llovía.')])).toEqual([
    'Capítulo 3',
    undefined,
    undefined,
  ])
})

test('words, later headings and titles that are numbers themselves are said as they stand', () => {
  expect(said('Chapter 7', [heading('Chapter VII'), paragraph('I')])).toEqual([undefined, undefined])
  expect(said('Chapter 7', [heading('Mixing'), paragraph('x'), heading('II')])).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect(said('1984', [heading('1984'), paragraph('x')])).toEqual([undefined, undefined])
})
