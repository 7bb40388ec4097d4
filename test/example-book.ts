import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Block } from '../src/engines/manuscript/manuscript.ts'
import { placeBlocks } from '../src/engines/manuscript/manuscript.ts'
import type { Book, BookChapter, BookSegment } from '../src/engines/packaging/book.ts'

/** MPEG-1 layer III, 128 kbit/s, 44.1 kHz, mono: a frame of digital silence, 1152 samples. */
const frame = Buffer.concat([Buffer.from([0xff, 0xfb, 0x90, 0xc4]), Buffer.alloc(413)])

const silentMp3 = (seconds: number): Buffer => Buffer.concat(Array(Math.ceil((seconds * 44100) / 1152)).fill(frame))

/** One pixel. */
export const onePixelPng = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

const block = (kind: Block['kind'], text: string, marks: Block['marks'] = [], level?: number): Block => ({
  kind,
  text,
  marks,
  ...(level === undefined ? {} : { level }),
})

const firstBlocks: Block[] = [
  block('heading', 'Chapter One & Only', [], 2),
  block('caption', 'The lighthouse <at night>'),
  block('paragraph', '“You are late,” said Mr. Vane. “Very late!” He shut the door—slowly—and smiled.', [
    { start: 43, end: 63, kind: 'emphasis' },
    { start: 47, end: 70, kind: 'strong' },
  ]),
  block('scene_break', ''),
  block('quotation', 'Come at once.'),
  block('quotation', 'Bring the lamp.'),
  block('letter', 'Dear Ann,'),
  block('letter', 'All is well. Yours, V.'),
  block('verse', 'The tide goes out,\nthe tide comes in.'),
  block('list_item', 'rope'),
  block('list_item', 'oil'),
  block('paragraph', 'She thought of raison d’être and slept.', [
    { start: 15, end: 28, kind: 'foreign', language: 'fr' },
  ]),
]

const secondBlocks: Block[] = [block('paragraph', 'Nothing moved. The sea was flat.')]

/** Segments a block each, at ten characters a second, with a timing for every word when asked for. */
export function speak(blocks: Block[], withWords: boolean): Pick<BookChapter, 'text' | 'blocks' | 'segments'> {
  const placed = placeBlocks(blocks)
  let time = 0.7
  const segments = placed.blocks.flatMap((piece): BookSegment[] => {
    if (!piece.text) return []
    const from = time
    const to = from + piece.text.length / 10
    time = to + 0.4
    const words = [...piece.text.matchAll(/[\p{L}\p{N}’]+/gu)].map((match) => ({
      start: piece.start + match.index,
      end: piece.start + match.index + match[0].length,
      from: from + match.index / 10,
      to: from + (match.index + match[0].length) / 10,
    }))
    return [
      {
        start: piece.start,
        end: piece.end,
        from,
        to,
        speaker: piece.text.startsWith('“') ? 'Mr. Vane' : null,
        words: withWords ? words : [],
      },
    ]
  })
  return { ...placed, segments }
}

/** A small book with every kind of block; its audio is written below `folder`. */
export async function exampleBook(folder: string, options: { words?: boolean; language?: string } = {}): Promise<Book> {
  await mkdir(folder, { recursive: true })
  const chapters = await Promise.all(
    [firstBlocks, secondBlocks].map(async (blocks, index): Promise<BookChapter> => {
      const spoken = speak(blocks, options.words ?? true)
      const duration = Math.ceil(((spoken.segments.at(-1)?.to ?? 0) + 1) * 38.28125) / 38.28125
      const file = join(folder, `chapter-${index + 1}.mp3`)
      await writeFile(file, silentMp3(duration))
      return {
        number: index + 1,
        title: index ? 'Chapter 2' : 'Chapter One & Only',
        role: 'body',
        kind: 'chapter',
        parents: index ? ['Part II', 'The <Sea>'] : [],
        ...spoken,
        audio: { file, mediaType: 'audio/mpeg', duration },
      }
    }),
  )
  return {
    metadata: {
      title: 'The Keeper: “A & B”',
      subtitle: 'A tale',
      authors: ['Zoë Ortiz', 'Li Wei'],
      translators: ['T. Rans'],
      narrators: ['Voice One'],
      language: options.language ?? 'en-GB',
      publisher: 'House & Sons',
      published: '1913-01-28',
      description: 'Short.',
    },
    cover: { mediaType: 'image/png', bytes: onePixelPng },
    chapters,
    createdWith: { name: 'Voicepress', version: '0.0.0' },
  }
}
