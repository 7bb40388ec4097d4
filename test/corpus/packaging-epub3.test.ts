import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { packEpub3 } from '../../src/engines/packaging/epub3.ts'
import type { Block } from '../../src/engines/manuscript/manuscript.ts'
import { exampleBook, speak } from '../example-book.ts'

const corpus = process.env.VOICEPRESS_CORPUS ?? fileURLToPath(new URL('../../../shared/data', import.meta.url))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voicepress-epub3-'))
})
afterAll(() => rm(folder, { recursive: true }))

// Debian's epubcheck is an executable jar, which only some kernels start by its name. Before version 5 it calls itself once for each
// highlight of the book (w3c/epubcheck issue 1358), so a novel needs more stack than Java gives by default: that ends near 5,000.
async function epubcheck(file: string): Promise<string[]> {
  const run = promisify(execFile)('java', ['-Xss512m', '-jar', '/usr/bin/epubcheck', file], { maxBuffer: 1 << 26 })
  const { stdout, stderr } = await run.catch((error: { stdout: string; stderr: string }) => error)
  const output = `${stdout}${stderr}`
  expect(output).not.toContain('StackOverflowError')
  expect(output).toContain('EPUBCheck completed')
  return output.split('\n').filter((line) => /^(FATAL|ERROR|WARNING)/.test(line))
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

it.each(['word', 'sentence'] as const)(
  'epubcheck accepts a novel of 120,000 words, highlighted by %s',
  async (level) => {
    const text = await readFile(join(corpus, 'books/pride-and-prejudice.txt'), 'utf8')
    const paragraphs = text.split(/(?:\r?\n\s*){2,}/).map((paragraph) => paragraph.replace(/\s+/g, ' ').trim())
    const chapters: Block[][] = [[]]
    for (const paragraph of paragraphs.filter(Boolean)) {
      const heading = /^chapter [ivxlc\d]+\.?\]?$/i.test(paragraph)
      if (heading) chapters.push([])
      chapters.at(-1)?.push({
        kind: heading ? 'heading' : 'paragraph',
        text: paragraph,
        marks: [],
        ...(heading ? { level: 2 } : {}),
      })
    }
    const example = await exampleBook(folder)
    const [pattern] = example.chapters
    const spoken = chapters
      .filter((blocks) => blocks.length)
      .map((blocks, index) => {
        const chapter = {
          ...speak(blocks, true),
          number: index + 1,
          title: blocks[0]?.text.slice(0, 60) ?? '',
          parents: [],
        }
        const duration = (chapter.segments.at(-1)?.to ?? 0) + 1
        return {
          ...pattern,
          ...chapter,
          role: 'body' as const,
          kind: 'chapter',
          audio: { file: pattern?.audio.file ?? '', mediaType: 'audio/mpeg', duration },
        }
      })
    const out = join(folder, `novel-${level}.epub`)
    await packEpub3({ ...example, chapters: spoken }, out, { level })
    expect(await epubcheck(out)).toEqual([])
  },
)
