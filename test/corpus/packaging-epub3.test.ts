import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { detectCast } from '../../src/engines/language/detect-cast.ts'
import { placeBlocks } from '../../src/engines/manuscript/manuscript.ts'
import { readManuscript } from '../../src/engines/manuscript/read-manuscript.ts'
import type { BookChapter, BookSegment } from '../../src/engines/packaging/book.ts'
import { packEpub3 } from '../../src/engines/packaging/epub3.ts'
import { exampleBook } from '../example-book.ts'

const corpus = process.env.VOICEPRESS_CORPUS ?? fileURLToPath(new URL('../../../shared/data', import.meta.url))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voicepress-epub3-'))
})
afterAll(() => rm(folder, { recursive: true }))

// Debian's epubcheck is an executable jar, which only some kernels start by its name. It runs with the stack that Java gives by default.
async function epubcheck(file: string): Promise<string[]> {
  const run = promisify(execFile)('java', ['-jar', '/usr/bin/epubcheck', file], { maxBuffer: 1 << 26 })
  const failed = (error: { code: number; stdout: string; stderr: string }) => error
  const { code, stdout, stderr } = await run.then((output) => ({ code: 0, ...output }), failed)
  const output = `${stdout}${stderr}`
  expect(output).not.toContain('StackOverflowError')
  expect(output).toContain('EPUBCheck completed')
  const complaints = output.split('\n').filter((line) => /^(FATAL|ERROR|WARNING)/.test(line))
  expect({ code, complaints }).toEqual({ code: complaints.length ? 1 : 0, complaints })
  return complaints
}

it.each([
  ['words', { words: true }, 'word'],
  ['sentences', { words: false }, 'sentence'],
  ['words without timings', { words: false }, 'word'],
  ['a language that runs right to left', { words: true, language: 'ar-EG' }, 'word'],
  ['a language tag that is none', { words: true, language: 'English (UK)' }, 'word'],
] as const)('epubcheck accepts %s', async (name, options, level) => {
  const out = join(folder, `${name.replaceAll(' ', '-')}.epub`)
  await packEpub3(await exampleBook(folder, options), out, { level })
  expect(await epubcheck(out)).toEqual([])
})

// Word by word the first chapters have as many highlights as fit.
it.each([
  ['the whole novel by sentence', 'sentence', 61],
  ['chapters of it by word', 'word', 2],
] as const)('epubcheck accepts %s', async (_, level, count) => {
  const { metadata, sections } = await readManuscript(join(corpus, 'books/pride-and-prejudice.epub'), {
    filename: 'pride-and-prejudice.epub',
  })
  const example = await exampleBook(folder)
  const audio = { file: example.chapters[0]?.audio.file ?? '', mediaType: 'audio/mpeg' }
  const body = sections.filter(({ role }) => role === 'body').slice(0, count)
  const texts = body.map((section) => ({ ...section, ...placeBlocks(section.blocks) }))
  const cast = await detectCast(texts, { language: metadata.language })
  const chapters = texts.map((chapter, index): BookChapter => {
    const segments = (cast.segments[index] ?? []).map((line) => timeLine(chapter.text, line))
    const duration = (segments.at(-1)?.to ?? 0) + 1
    return { ...chapter, number: index + 1, segments, audio: { ...audio, duration } }
  })
  expect(chapters).toHaveLength(count)
  const out = join(folder, `novel-${level}.epub`)
  const { manifest } = await packEpub3({ ...example, metadata, chapters }, out, { level })
  expect(manifest.notes?.length ?? 0).toBe(level === 'sentence' ? 1 : 0)
  expect(await epubcheck(out)).toEqual([])
})

/** At fifteen characters a second, as a voice reads. */
function timeLine(
  text: string,
  { start, end, speaker }: { start: number; end: number; speaker: string | null },
): BookSegment {
  const words = [...text.slice(start, end).matchAll(/[\p{L}\p{N}’]+/gu)].map(({ index, 0: word }) => {
    const at = { start: start + index, end: start + index + word.length }
    return { ...at, from: at.start / 15, to: at.end / 15 }
  })
  return { start, end, from: start / 15, to: end / 15, speaker: speaker === 'narrator' ? null : speaker, words }
}
