import { parseArgs } from 'node:util'
import { detectCast } from '../engines/language/detect-cast.ts'
import { placeBlocks } from '../engines/manuscript/manuscript.ts'
import { readManuscript } from '../engines/manuscript/read-manuscript.ts'
import { Problem } from '../kit/errors.ts'
import { table } from './print-table.ts'

export const castUsage = `Usage: voicepress cast BOOK [--json] [--language TAG] [--chapter-pattern REGEX]

Finds who speaks in a book, and what: the cast, and with --json every segment with its place in its chapter's text.`

/** Needs no database: reads, detects, prints. */
export async function cast(words: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      language: { type: 'string' },
      'chapter-pattern': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return void process.stdout.write(`${castUsage}\n`)
  const [book] = positionals
  if (!book) throw new Problem(400, 'usage', castUsage)
  const manuscript = await readManuscript(book, {
    filename: book,
    language: values.language,
    chapterPattern: values['chapter-pattern'],
  })
  const sections = manuscript.sections.filter((section) => section.role === 'body')
  const chapters = sections.map((section) => ({ title: section.title, ...placeBlocks(section.blocks) }))
  const { characters, segments, detectedBy } = await detectCast(chapters, { language: manuscript.metadata.language })
  if (!values.json) {
    const rows = characters.map(({ name, role, gender, ageRange, lines, words, confidence, firstAppearance }) => [
      name,
      role,
      gender ?? '–',
      ageRange ?? '–',
      lines,
      words,
      confidence.toFixed(2),
      firstAppearance ? (chapters[firstAppearance.chapter]?.title ?? '') : '',
    ])
    return void process.stdout.write(
      table(['Character', 'Role', 'Gender', 'Age', 'Lines', 'Words', 'Confidence', 'First in'], rows),
    )
  }
  const names = new Map(characters.map(({ id, name }) => [id, name]))
  const report = {
    title: manuscript.metadata.title,
    authors: manuscript.metadata.authors,
    language: manuscript.metadata.language,
    detected_by: detectedBy,
    characters: characters.map(({ ageRange, firstAppearance, ...character }) => ({
      ...character,
      age_range: ageRange,
      first_appearance: firstAppearance && { ...firstAppearance, chapter: firstAppearance.chapter + 1 },
    })),
    chapters: chapters.map(({ title, text }, index) => ({
      number: index + 1,
      title,
      text,
      segments: (segments[index] ?? []).map((segment) => ({
        ...segment,
        speaker_name: segment.speaker === null ? null : (names.get(segment.speaker) ?? segment.speaker),
        text: text.slice(segment.start, segment.end),
      })),
    })),
  }
  process.stdout.write(`${JSON.stringify(report, null, 1)}\n`)
}
