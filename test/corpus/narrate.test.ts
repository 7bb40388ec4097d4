import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const corpus = process.env.VOICEPRESS_CORPUS ?? join(import.meta.dirname, '../../../shared/data')
const novel = join(corpus, 'books/pride-and-prejudice.epub')
const cli = join(import.meta.dirname, '../../src/cli.ts')
const run = promisify(execFile)
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voicepress-novel-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const environment = (data: string) => ({ ...process.env, VOICEPRESS_DATA: join(folder, data) })
const voicepress = (data: string, ...words: string[]) =>
  run(process.execPath, [cli, ...words], { env: environment(data), maxBuffer: 1 << 28 })
const hash = async (file: string) =>
  createHash('sha256')
    .update(await readFile(join(folder, file)))
    .digest('hex')
const chapters = ['narrate', novel, '--chapters', '1-3']

test('three chapters, killed ten times at random, give the same bytes as undisturbed; so does a second run', async () => {
  await voicepress('calm', ...chapters, '--out', join(folder, 'calm.m4b'))
  const started = performance.now()
  await voicepress('again', ...chapters, '--out', join(folder, 'again.m4b'))
  const whole = performance.now() - started
  expect(await hash('again.m4b')).toBe(await hash('calm.m4b'))

  let kills = 0
  while (kills < 10) {
    const child: ChildProcess = spawn(process.execPath, [cli, ...chapters, '--out', join(folder, 'killed.m4b')], {
      env: environment('killed'),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
    // Early kills hit the start, late ones what comes after; the work that is kept moves the rest on.
    const timer = setTimeout(() => child.kill('SIGKILL'), 200 + Math.random() * whole * 0.5)
    const status = await ended
    clearTimeout(timer)
    if (status === null) kills++
    else break
  }
  expect(kills).toBeGreaterThan(0)
  await voicepress('killed', ...chapters, '--out', join(folder, 'killed.m4b'))
  expect(await hash('killed.m4b')).toBe(await hash('calm.m4b'))
})

test('the whole novel gives an M4B that passes its check, with 61 chapters, cover and tags, and an EPUB that epubcheck accepts', async () => {
  const { stdout } = await voicepress('novel', 'narrate', novel, '--out', join(folder, 'novel.m4b'), '--json')
  const made = JSON.parse(stdout)
  expect(made.generated.failed_segments).toBe(0)
  const { stdout: checked } = await voicepress('novel', 'check', join(folder, 'novel.m4b'), '--json')
  const report = JSON.parse(checked)
  const figures = Object.fromEntries(
    report.files[0].figures.map((figure: { name: string; value: unknown }) => [figure.name, figure.value]),
  )
  expect(report.verdict).not.toBe('fail')
  expect(figures).toMatchObject({
    chapters: 61,
    quicktime_chapters: 61,
    nero_chapters: 61,
    title: 'Pride and Prejudice',
  })

  await voicepress('novel', 'narrate', novel, '--format', 'epub3', '--out', join(folder, 'novel.epub'))
  const { stdout: accepted } = await run('java', ['-jar', '/usr/bin/epubcheck', join(folder, 'novel.epub')], {
    maxBuffer: 1 << 26,
  })
  expect(accepted).toContain('No errors or warnings detected')
})
