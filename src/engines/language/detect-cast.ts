import { attributeSpeech } from './attribute-speech.ts'
import type { Cast, CastChapter, CastOptions, CastSegment } from './cast.ts'
import { readParagraphs } from './read-paragraphs.ts'
import { segmentBlock } from './segment-block.ts'

const TARGET_LENGTH = 400
const HARD_LIMIT = 1000

/**
 * Who speaks, found by rules alone: no network, no model, no lists of works or authors. Quotations are told from narration,
 * names gathered into people, and every quotation given to one of them or to nobody. The segments cover every word of
 * each chapter's text once, in order. Aborts with the signal's reason.
 */
export async function detectCast(chapters: CastChapter[], options: CastOptions): Promise<Cast> {
  const book = readParagraphs(chapters, options.language)
  options.signal?.throwIfAborted()
  const { characters, speakerAt } = attributeSpeech(book)
  const segments = chapters.map((): CastSegment[] => [])
  const target = options.targetLength ?? TARGET_LENGTH
  const hard = options.hardLimit ?? HARD_LIMIT
  for (const paragraph of book.paragraphs) {
    const text = (chapters[paragraph.chapter] as CastChapter).text
    for (const { start, end, speech } of segmentBlock(text, paragraph, paragraph.quotations, target, hard)) {
      const said = speech ? speakerAt(paragraph.chapter, start) : undefined
      segments[paragraph.chapter]?.push(
        said
          ? { start, end, kind: 'speech', ...said }
          : {
              start,
              end,
              kind: speech ? 'speech' : 'narration',
              speaker: speech ? null : 'narrator',
              rule: speech ? 'unknown' : 'narration',
              confidence: speech ? 0 : 1,
            },
      )
    }
  }
  options.onProgress?.(chapters.length, chapters.length)
  return { characters, segments, detectedBy: 'sieve/1' }
}
