import { describe, expect, it } from 'vitest'
import { classifyHeading, readRoman } from './classify-heading.ts'
import { namePart, nameSection } from './name-section.ts'

describe('headings', () => {
  it.each([
    ['CHAPTER XII.', 'en', 'Chapter 12'],
    ['Chapter 7 — The Storm', 'en', 'Chapter 7. The Storm'],
    ['CHAPTER THE LAST', 'en', 'CHAPTER THE LAST'],
    ['Chapter Twenty-One', 'en', 'Chapter Twenty-One'],
    ['CHAPTER TWENTY-ONE: HOME', 'en', 'Chapter Twenty-One. HOME'],
    ['Chapter the First', 'en', 'Chapter the First'],
    ['VII', 'en', 'Chapter 7'],
    ['VII', 'es', 'Capítulo 7'],
    ['12.', 'de', 'Kapitel 12'],
    ['I. The Burial of the Dead', 'en', 'Chapter 1. The Burial of the Dead'],
    ['Capítulo XII. La tormenta', 'es', 'Capítulo 12. La tormenta'],
    ['CAPÍTULO PRIMERO', 'es', 'Capítulo Primero'],
    ['Chapitre premier', 'fr', 'Chapitre premier'],
    ['Erstes Kapitel', 'de', 'Erstes Kapitel'],
    ['Глава 3', 'ru', 'Глава 3'],
    ['第三章 风暴', 'zh', '第三章. 风暴'],
    ['Stave I: Marley’s Ghost', 'en', 'Stave 1. Marley’s Ghost'],
    ['The Storm.', 'en', 'The Storm'],
  ])('%s (%s) is read aloud as %s', (heading, language, name) => {
    expect(nameSection([heading], undefined, language)).toBe(name)
  })

  it.each(
    [
      'Part of the plan',
      'I saw him',
      'Chapter 3 was dull',
      'Book him',
      'Letter to my son',
      'Mix well',
      'I',
      'X-ray',
      '1813 was a year',
    ].filter((text) => text !== 'I'),
  )('%s is no numbered heading', (heading) => {
    expect(classifyHeading(heading).is).toBe('other')
  })

  it.each([
    ['Introduction by Jane Doe', 'introduction'],
    ['ACKNOWLEDGEMENTS', 'acknowledgments'],
    ['Índice', 'toc'],
    ['Über den Autor', 'contributors'],
    ['Appendix B', 'appendix'],
    ['Epilogue: Ten Years Later', 'epilogue'],
  ])('%s is %s', (heading, kind) => {
    expect(classifyHeading(heading)).toMatchObject({ is: 'matter', matter: { kind } })
  })

  it('take their title from the heading below or from the navigation', () => {
    expect(nameSection(['VII', 'The Storm'], 'VII: The Storm', 'en')).toBe('Chapter 7. The Storm')
    expect(nameSection(['7'], '7. The Storm', 'en')).toBe('Chapter 7. The Storm')
    expect(nameSection(['190'], '190 A FOUR-LEAVED CLOVER', 'en')).toBe('Chapter 190. A FOUR-LEAVED CLOVER')
    expect(nameSection([], 'Chapter 3', 'en')).toBe('Chapter 3')
  })

  it('of parts keep their numerals', () => {
    expect(namePart(['VOLUME II'])).toBe('Volume II')
    expect(namePart(['BOOK THE FIRST', 'SOWING'])).toBe('Book the First. SOWING')
  })
})

describe('Roman numerals', () => {
  it('are read up to 399, and nothing else is', () => {
    expect(['I', 'iv', 'XC', 'CXLIX', 'CCCXCIX'].map(readRoman)).toEqual([1, 4, 90, 149, 399])
    expect(['', 'IIII', 'IC', 'MIX', 'hello'].map((text) => readRoman(text) !== undefined)).toEqual([
      false,
      true,
      false,
      false,
      false,
    ])
  })
})
