import fc from 'fast-check'
import { SaxesParser } from 'saxes'
import { describe, expect, it } from 'vitest'
import { speak } from '../../../test/example-book.ts'
import type { Block, BlockKind } from '../manuscript/manuscript.ts'
import type { BookChapter } from './book.ts'
import { findCues } from './find-cues.ts'
import { numberedName, slug } from './name-files.ts'
import { layClips, writeClock, writeSmil } from './write-smil.ts'
import { columnsOf } from './wrap-caption.ts'
import { writeCueSheets } from './write-cue-sheet.ts'
import { writePlaylist } from './write-playlist.ts'
import { writeVtt } from './write-vtt.ts'
import { writeChapter } from './write-xhtml.ts'

// Any UTF-16, with what is special somewhere more often.
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '-->',
        '\ud800',
        '\udc00',
        '\0',
        '\x0b',
        '\uffff',
        '"',
        '<',
        '&',
        ']]>',
        '\r\n',
        '\n',
        ' ',
        '. ',
        '— ',
        '“',
        '日本語。',
        'é',
        "'",
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''))

const kinds: BlockKind[] = [
  'heading',
  'paragraph',
  'verse',
  'letter',
  'quotation',
  'list_item',
  'caption',
  'scene_break',
]
const anyBlock: fc.Arbitrary<Block> = fc.record({
  kind: fc.constantFrom(...kinds),
  text: anyText,
  marks: fc.array(
    fc.record({
      start: fc.nat(40),
      end: fc.nat(40),
      kind: fc.constantFrom('emphasis' as const, 'strong' as const, 'foreign' as const, 'phoneme' as const),
      language: fc.option(fc.constantFrom('fr', 'not a tag"<'), { nil: undefined }),
    }),
    { maxLength: 4 },
  ),
})

const chapterOf = (blocks: Block[], words: boolean, title = 'T'): BookChapter => {
  const spoken = speak(blocks, words)
  const audio = { file: '/none', mediaType: 'audio/mpeg', duration: (spoken.segments.at(-1)?.to ?? 0) + 1 }
  return { number: 1, title, role: 'body', kind: 'chapter', parents: [], ...spoken, audio }
}
const anyChapter = fc
  .tuple(fc.array(anyBlock, { maxLength: 6 }), fc.boolean(), anyText)
  .map((parts) => chapterOf(...parts))

/** Ids and text of well-formed XML; throws on what is not. */
function parseXml(xml: string): { ids: string[]; text: string } {
  const found = { ids: [] as string[], text: '' }
  const parser = new SaxesParser({ xmlns: true })
  parser.on('opentag', (tag) => tag.attributes.id && found.ids.push(tag.attributes.id.value))
  parser.on('text', (text) => (found.text += text))
  parser.write(xml).close()
  return found
}

describe('chapters as XHTML and SMIL', () => {
  it('are well formed for any text and any marks, with an id once for each cue and all of the text', () => {
    fc.assert(
      fc.property(anyChapter, fc.constantFrom('word' as const, 'sentence' as const), (chapter, level) => {
        const cues = findCues(chapter, level)
        const { ids, text } = parseXml(writeChapter(chapter, 'en', 'style.css', cues))
        const letters = (string: string) => (string.match(/[\p{L}\p{N}]/gu) ?? []).join('')
        expect(ids).toEqual(['text', ...cues.map((_, index) => `c${index + 1}`)])
        const heading = chapter.blocks.some((block) => block.kind === 'heading' && block.text)
        const titles = letters(chapter.title).repeat(heading ? 1 : 2)
        expect(letters(text)).toBe(titles + letters(chapter.text))
        const clips = layClips(cues, chapter.audio.duration)
        const pairs = clips.flatMap((clip, index) => (clip ? [{ id: `c${index + 1}`, clip }] : []))
        parseXml(writeSmil('page.xhtml', 'text', 'a.mp3', 'chapter', pairs))
        for (const { clip } of pairs) expect(clip.to).toBeGreaterThan(clip.from)
        expect(pairs.at(-1)?.clip.to ?? Math.round(chapter.audio.duration * 1000)).toBe(
          Math.round(chapter.audio.duration * 1000),
        )
      }),
    )
  })

  it('writes clock values past ten hours', () => expect(writeClock(36_000_000 + 61_045)).toBe('10:01:01.045'))
})

describe('captions', () => {
  // A small reader of WebVTT, of what the standard's parser keeps of cues.
  const readVtt = (vtt: string) => {
    const [head, ...blocks] = vtt.split(/\n\n+/)
    expect(head?.trim()).toBe('WEBVTT')
    const seconds = (text: string) => text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
    return blocks
      .filter((block) => block.trim())
      .map((block) => {
        const [times, ...lines] = block.trim().split('\n')
        const match = /^(\d\d+:\d\d:\d\d\.\d{3}) --> (\d\d+:\d\d:\d\d\.\d{3})$/.exec(times ?? '')
        const plain = (text: string) => text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
        const voice = /^<v ([^>]*)>/.exec(lines[0] ?? '')
        if (voice) lines[0] = (lines[0] ?? '').slice(voice[0].length)
        for (const line of lines) expect(line).not.toMatch(/<|-->/)
        return {
          from: seconds(match?.[1] ?? 'x'),
          to: seconds(match?.[2] ?? 'x'),
          speaker: voice ? plain(voice[1] ?? '') : null,
          lines: lines.map(plain),
        }
      })
  }

  it('say the whole text, in order, without overlap, for any text', () => {
    fc.assert(
      fc.property(anyChapter, (chapter) => {
        const cues = readVtt(writeVtt(chapter, 'en'))
        const solid = (text: string) => text.toWellFormed().replace(/[\p{Cc}\s\u2028\u2029]/gu, '')
        expect(solid(cues.flatMap((cue) => cue.lines).join(''))).toBe(solid(chapter.text))
        let end = 0
        for (const cue of cues) {
          expect(cue.from).toBeGreaterThanOrEqual(end)
          expect(cue.to).toBeGreaterThan(cue.from)
          expect(cue.lines.length).toBeLessThanOrEqual(2)
          end = cue.to
        }
      }),
    )
  })

  it('keep lines short in prose, and in a script without spaces', () => {
    const english =
      'It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want of a wife; and so on and on. '
    const japanese =
      '吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。何でも薄暗いじめじめした所でニャーニャー泣いていた事だけは記憶している。'
    for (const [text, language] of [
      [english.repeat(3).trim(), 'en'],
      [japanese, 'ja'],
    ] as const) {
      const cues = readVtt(writeVtt(chapterOf([{ kind: 'paragraph', text, marks: [] }], false), language))
      for (const line of cues.flatMap((cue) => cue.lines)) expect(columnsOf(line)).toBeLessThanOrEqual(42)
      for (const line of cues.flatMap((cue) => cue.lines)) expect(columnsOf(line)).toBeGreaterThan(8)
    }
  })

  it('name the speaker', () => {
    const chapter = chapterOf([{ kind: 'paragraph', text: '“Go --> now <b>.”', marks: [] }], true)
    for (const segment of chapter.segments) segment.speaker = 'A & B >\n-->'
    expect(readVtt(writeVtt(chapter, 'en'))).toMatchObject([{ speaker: 'A & B > -->', lines: ['“Go --> now <b>.”'] }])
  })
})

describe('file names', () => {
  it('are safe whatever the title', () => {
    fc.assert(
      fc.property(anyText, fc.nat(2000), (title, number) => {
        const name = numberedName(number, 120, title)
        expect(name).toMatch(/^\d+-[\p{L}\p{N}\p{M}-]+$/u)
        expect(name).toBe(name.toLowerCase().normalize('NFC'))
        expect(Buffer.byteLength(slug(title))).toBeLessThanOrEqual(81)
        expect(slug(title)).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)$/)
      }),
    )
  })

  it.each([
    ['Ángel Ñandú: ¿qué?', 'angel-nandu-que'],
    ['Straße Łódź Ærø', 'strasse-lodz-aero'],
    ['吾輩は猫である', '吾輩は猫である'],
    ['がんばれ', 'がんばれ'],
    ['Война и мир: йод', 'война-и-мир-йод'],
    ['Don’t', 'dont'],
    ['CON', 'con-'],
    ['COM¹', 'com1-'],
    ['../../etc/passwd', 'etc-passwd'],
    ['🙂', 'untitled'],
    ['x'.repeat(200), 'x'.repeat(80)],
  ])('%s becomes %s', (title, name) => expect(slug(title)).toBe(name))
})

describe('cue sheets and playlists', () => {
  const anyTracks = fc.array(
    fc.record({ file: fc.constantFrom('01-a.mp3', '02-ñ.mp3'), title: anyText, duration: fc.nat(9999) }),
    { maxLength: 120 },
  )

  it('keep each title on its line', () => {
    fc.assert(
      fc.property(anyText, anyTracks, (title, tracks) => {
        const sheets = writeCueSheets({ title, performer: title }, tracks)
        expect(sheets).toHaveLength(Math.ceil(tracks.length / 99))
        for (const line of sheets.join('').replaceAll('\uFEFF', '').split('\r\n')) {
          expect(line).toMatch(
            /^(|REM GENRE Audiobook|FILE "[^"]*" MP3|  TRACK \d\d AUDIO|    INDEX 01 00:00:00|(    )?(TITLE|PERFORMER) "[^"\n\r]*")$/,
          )
        }
        const lines = writePlaylist({ title, performer: title }, tracks).split('\n')
        expect(lines).toHaveLength(4 + 2 * tracks.length)
        tracks.forEach((track, index) => expect(lines[4 + 2 * index]).toBe(track.file))
      }),
    )
  })
})

it('cuts sentences, not abbreviations, and lines of verse', async () => {
  const blocks: Block[] = [
    { kind: 'paragraph', text: 'Mr. Vane sat. “Well?” he said.', marks: [] },
    { kind: 'verse', text: 'The tide goes out\nthe tide comes in', marks: [] },
  ]
  const chapter = chapterOf(blocks, false)
  expect(findCues(chapter, 'word').map((cue) => chapter.text.slice(cue.start, cue.end))).toEqual([
    'Mr. Vane sat.',
    '“Well?” he said.',
    'The tide goes out',
    'the tide comes in',
  ])
})
