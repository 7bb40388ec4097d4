import iconv from 'iconv-lite'
import { describe, expect, it } from 'vitest'
import { bodyOf } from './manuscript-fixtures.ts'
import { readManuscript } from './read-manuscript.ts'

describe('encodings', () => {
  const english = `Chapter 1\n\n“It’s a café—naïve, isn’t it?” said Zoë; the façade cost £5.\n\nAnna went down to the harbour that morning, as on every other one.\n`
  it.each(['utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'macintosh'])(
    'reads curly quotes in %s',
    async (encoding) => {
      for (const addBOM of encoding.startsWith('utf') ? [true, false] : [false]) {
        const manuscript = await readManuscript(iconv.encode(english, encoding, { addBOM }), { filename: 'book.txt' })
        expect(bodyOf(manuscript)[0]!.blocks[1]!.text).toBe(
          '“It’s a café—naïve, isn’t it?” said Zoë; the façade cost £5.',
        )
      }
    },
  )

  const samples: [string, string, string][] = [
    [
      'latin1',
      'fr',
      'Où êtes-vous allé ? demanda la vieille dame, étonnée de le voir arriver si tôt à la maison. Il était très fatigué après un été passé à la forêt.',
    ],
    [
      'windows-1252',
      'es',
      '—¿Adónde irás mañana, señor? —preguntó el niño. Él no respondió, pero más tarde volvió con pan y queso: «Aquí está».',
    ],
    [
      'windows-1251',
      'ru',
      'Однажды весною, в час небывало жаркого заката, в Москве, на Патриарших прудах, появились два гражданина.',
    ],
    [
      'koi8-r',
      'ru',
      'Однажды весною, в час небывало жаркого заката, в Москве, на Патриарших прудах, появились два гражданина.',
    ],
    [
      'windows-1250',
      'pl',
      'Zażółć gęślą jaźń, powiedział stary człowiek i poszedł powoli ścieżką w stronę rzeki, gdzie łódź już czekała na niego.',
    ],
    [
      'shift_jis',
      'ja',
      '吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所でニャーニャー泣いていた事だけは記憶している。',
    ],
    ['gb18030', 'zh', '却说那女娲氏炼石补天之时，于大荒山无稽崖炼成高十二丈、见方二十四丈大的顽石三万六千五百零一块。'],
    [
      'cp850',
      'de',
      'Der Bär saß früh am Fluß und hörte die Vögel über den Bäumen, während die Männer drüben das Holz für den Winter schlugen, müde und fröhlich.',
    ],
  ]
  it.each(samples)('detects %s (%s)', async (encoding, language, sentence) => {
    const manuscript = await readManuscript(iconv.encode(`${sentence}\n\n`.repeat(8), encoding), {
      filename: 'book.txt',
    })
    expect(bodyOf(manuscript)[0]!.blocks[0]!.text).toBe(sentence)
    expect(manuscript.metadata.language).toBe(language)
  })
})
