import { join } from 'node:path'
import type { DeliveryReport } from '../../engines/media/media.ts'
import { type AcxSection, packAcx } from '../../engines/packaging/acx.ts'
import type { Book } from '../../engines/packaging/book.ts'
import { chooseSample } from '../../engines/packaging/choose-sample.ts'
import { closingCredits, openingCredits } from '../../engines/packaging/credits.ts'
import { longestSection, splitSections } from '../../engines/packaging/split-sections.ts'
import { Problem } from '../../kit/errors.ts'
import type { JobContext } from '../../kit/jobs.ts'
import { openLineSettings } from './line-settings.ts'
import type { PlannedLine } from './plan-lines.ts'
import { planLines } from './plan-lines.ts'
import type { Project } from './project-state.ts'
import { partsOf, plannedLines, renderMp3, trackTags } from './render-mp3.ts'

const bitRate = 192_000

/** An ACX or Audible delivery: credits are spoken by the narrator, the sample is cut from the first chapter, chapters over two hours are split. */
export async function packForAudible(
  context: JobContext,
  project: Project,
  book: Book,
  format: 'acx' | 'audible',
  folder: string,
  out: string,
): Promise<{ manifest: unknown; delivery: DeliveryReport }> {
  const ids = await context.scoped(
    (tx) => tx.selectFrom('chapters').select(['id', 'number']).where('project_id', '=', project.id).execute(),
    true,
  )
  const idOf = new Map(ids.map(({ id, number }) => [number, id]))
  const chapterLines = await plannedLines(
    context,
    project,
    ids.map(({ id }) => id),
  )
  const linesOf = (number: number): PlannedLine[] => chapterLines.get(idOf.get(number) ?? '') ?? []

  const section = async (title: string, lines: PlannedLine[], track: number): Promise<AcxSection> => {
    const file = join(folder, `section-${track}.mp3`)
    const { duration, measured } = await renderMp3(context, project, {
      ...(await partsOf(context, project, lines)),
      file,
      bitRate,
      tags: trackTags(book, title, track, book.chapters.length + 2),
    })
    return { title, audio: { file, mediaType: 'audio/mpeg', duration }, measured }
  }
  const spoken = (text: string): Promise<PlannedLine[]> =>
    context.scoped(async (tx) => {
      const settings = await openLineSettings(tx, context.services, project)
      return planLines(
        [
          {
            id: text,
            text,
            ssml: null,
            start_offset: 0,
            end_offset: text.length,
            voice_id: null,
            voice_settings: null,
            character_voice: null,
            character_settings: null,
            gap_after: 0,
          },
        ],
        [],
        settings,
      )
    }, true)

  const sections: AcxSection[] = []
  for (const [index, chapter] of book.chapters.entries()) {
    if (chapter.audio.duration <= longestSection) {
      sections.push({ title: chapter.title, audio: chapter.audio })
      continue
    }
    const lines = linesOf(chapter.number)
    const durations = chapter.segments.map(
      (segment, at) => (chapter.segments[at + 1]?.from ?? segment.to) - segment.from,
    )
    for (const [part, { start, end }] of splitSections(durations, longestSection - 30).entries())
      sections.push(await section(`${chapter.title} (${part + 1})`, lines.slice(start, end), 1000 * (index + 1) + part))
  }
  const sample = chooseSample(book.chapters)
  const from = sample && book.chapters[sample.chapter]
  if (!sample || !from) throw new Problem(422, 'nothing_to_pack', 'No chapter is long enough for a retail sample.')
  const content = {
    opening: await section('Opening credits', await spoken(openingCredits(book.metadata, project.language)), 100_001),
    closing: await section('Closing credits', await spoken(closingCredits(book.metadata, project.language)), 100_002),
    sample: await section(
      'Retail sample',
      linesOf(from.number).slice(sample.segments.start, sample.segments.end),
      100_003,
    ),
    sections,
  }
  const { manifest } = await packAcx(book, content, out, { format, container: 'zip', signal: context.signal })
  const files = [content.opening, ...sections, content.closing].map(({ audio }) => audio.file)
  return { manifest, delivery: await context.services.media.check(files, 'acx', context.signal) }
}
