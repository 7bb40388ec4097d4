import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { markQuotations, quotationStyle } from './mark-quotations.ts'

const speech = (text: string, language = 'en', others: string[] = [text]): string[] =>
  markQuotations(text, quotationStyle(others, language)).map(({ start, end }) => text.slice(start, end))

describe('quotation marks', () => {
  test.each([
    ['“Go,” he said. “Now.”', ['“Go,”', '“Now.”']],
    ['"Go," he said. "Now."', ['"Go,"', '"Now."']],
    ["'Go,' he said. 'It isn't the dogs' fault, is it?'", ["'Go,'", "'It isn't the dogs' fault, is it?'"]],
    ['‘Go,’ he said. ‘It isn’t yours.’', ['‘Go,’', '‘It isn’t yours.’']],
    ['«Vete —dijo él—. Ahora.»', ['«Vete —dijo él—. Ahora.»']],
    ['„Geh“, sagte er. „Jetzt.“', ['„Geh“', '„Jetzt.“']],
    ['»Geh«, sagte er. »Jetzt.«', ['»Geh«', '»Jetzt.«']],
    ['‹Va›, dit-il.', ['‹Va›']],
    ['“He said ‘no’ and ‘never’ to me,” she said.', ['“He said ‘no’ and ‘never’ to me,”']],
  ])('%s', (text, expected) => {
    expect(speech(text)).toEqual(expected)
  })

  test('titles and terms are no speech', () => {
    expect(speech('He had read “The Moonstone” twice, and the word "humbug" often.')).toEqual([])
    expect(speech('The so-called "expert" had left.')).toEqual([])
  })

  test('an opening mark on each paragraph carries speech over paragraphs', () => {
    expect(speech('“It was a long day.')).toEqual(['“It was a long day.'])
    expect(speech('»Y además, nada.', 'es')).toEqual(['»Y además, nada.'])
  })

  test('apostrophes open nothing', () => {
    expect(
      speech("'Twas late, and the boys' dogs were rock 'n' roll fans.", 'en', ["'Go,' he said.", "'Stay,' she said."]),
    ).toEqual([])
  })

  test('a mark that is never closed ends with its paragraph, and stands alone', () => {
    expect(speech('He said, "Go home, and left. "Now," she said.')).toContain('"Now,"')
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), fc.constantFrom('en', 'es', 'fr', 'de'), (text, language) => {
        let at = 0
        for (const { start, end } of markQuotations(text, quotationStyle([text], language))) {
          expect(start).toBeGreaterThanOrEqual(at)
          expect(end).toBeGreaterThan(start)
          expect(end).toBeLessThanOrEqual(text.length)
          at = end
        }
      }),
    )
  })
})

describe('dialogue dashes', () => {
  test.each([
    ['es', '—Hola —dijo Juan—. ¿Qué tal?', ['—Hola', '¿Qué tal?']],
    ['es', '—Hola —dijo Juan.', ['—Hola']],
    ['es', '—No —dijo, y cerró la puerta—, hoy no puedo.', ['—No', 'hoy no puedo.']],
    ['es', '—Mi padre —que en paz descanse— era zapatero.', ['—Mi padre —que en paz descanse— era zapatero.']],
    ['es', '—Ya voy. —Marta se levantó—. Espera.', ['—Ya voy.', 'Espera.']],
    ['es', '—¡Fuera! —le gritó la vieja.', ['—¡Fuera!']],
    ['fr', '— Bonjour, dit Paul. Comment ça va ?', ['— Bonjour,', 'Comment ça va ?']],
    ['fr', '— Je ne sais pas, répondit-elle.', ['— Je ne sais pas,']],
    ['fr', '— Viens !', ['— Viens !']],
  ])('%s %s', (language, text, expected) => {
    expect(speech(text, language)).toEqual(expected)
  })
})
