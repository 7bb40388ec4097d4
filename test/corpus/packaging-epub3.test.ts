import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { packEpub3 } from '../../src/engines/packaging/epub3.ts'
import { exampleBook } from '../example-book.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voicepress-epub3-'))
})
afterAll(() => rm(folder, { recursive: true }))

// Debian's epubcheck is an executable jar, which only some kernels start by its name.
async function epubcheck(file: string): Promise<string[]> {
  const run = promisify(execFile)('java', ['-jar', '/usr/bin/epubcheck', file], { maxBuffer: 1 << 26 })
  const { stdout, stderr } = await run.catch((error: { stdout: string; stderr: string }) => error)
  const output = `${stdout}${stderr}`
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
