import { attributeSpeech, type Attribution } from './attribute-speech.ts'
import type { Cast, CastChapter, CastOptions, CastSegment } from './cast.ts'
import { describePeople } from './describe-people.ts'
import type { Quotation } from './mark-quotations.ts'
import type { Scene } from './rank-reader.ts'
import { readParagraphs } from './read-paragraphs.ts'
import { segmentBlock } from './segment-block.ts'
import { setScene } from './set-scene.ts'

const TARGET_LENGTH = 400
const HARD_LIMIT = 1000

/**
 * Who speaks, found by rules and a table of measured weights: no network, no lists of works or authors. Quotations are told
 * from narration, names gathered into people, and every quotation given to one of them. The segments cover every word of
 * each chapter's text once, in order. Aborts with the signal's reason.
 */
export async function detectCast(chapters: CastChapter[], options: CastOptions): Promise<Cast> {
  options.signal?.throwIfAborted()
  const scene = setScene(readParagraphs(chapters, options.language))
  options.signal?.throwIfAborted()
  const cast = composeCast(scene, attributeSpeech(scene), options, 'sieve/1')
  options.onProgress?.(chapters.length, chapters.length)
  return cast
}

export function composeCast(scene: Scene, attributions: Attribution[], options: CastOptions, detectedBy: string): Cast {
  const { book, utterances } = scene
  const { characters, ids } = describePeople(scene, attributions)
  const said = new Map<Quotation, Attribution>()
  utterances.forEach(({ parts }, index) => {
    for (const [paragraph, part] of parts) {
      const quotation = book.paragraphs[paragraph]?.quotations[part]
      if (quotation) said.set(quotation, attributions[index] as Attribution)
    }
  })
  const segments = book.chapters.map((): CastSegment[] => [])
  for (const paragraph of book.paragraphs) {
    const text = book.chapters[paragraph.chapter]?.text ?? ''
    const stretches = segmentBlock(
      text,
      paragraph,
      paragraph.quotations,
      options.targetLength ?? TARGET_LENGTH,
      options.hardLimit ?? HARD_LIMIT,
    )
    for (const { start, end, speech } of stretches) {
      if (!speech) {
        segments[paragraph.chapter]?.push({
          start,
          end,
          kind: 'narration',
          speaker: 'narrator',
          rule: 'narration',
          confidence: 1,
        })
        continue
      }
      const middle = (start + end) / 2
      const quotation = paragraph.quotations.find((one) => one.start <= middle && middle <= one.end)
      const { person, rule, confidence } = (quotation && said.get(quotation)) ?? {
        person: -1,
        rule: 'unknown',
        confidence: 0,
      }
      segments[paragraph.chapter]?.push({
        start,
        end,
        kind: 'speech',
        speaker: ids[person] ?? null,
        rule,
        confidence: Math.round(confidence * 100) / 100,
      })
    }
  }
  return { characters, segments, detectedBy }
}
