import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const run = promisify(execFile)
const cli = join(import.meta.dirname, '../src/cli.ts')
let folder: string
let story: string
let environment: Record<string, string | undefined>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voicepress-cli-'))
  story = join(folder, 'the-well.txt')
  environment = {
    ...process.env,
    VOICEPRESS_DATA: join(folder, 'data'),
    VOICEPRESS_PORT: '0',
    VOICEPRESS_UNSAFE_FAST_DATABASE: 'true',
  }
  await writeFile(
    story,
    'Chapter 1\n\nThe bucket came up empty. “It is dry,” said Anna.\n\n“It was full in June,” answered her father.\n\nChapter 2\n\nIn the night it rained.\n',
  )
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const voicepress = (...words: string[]) => run(process.execPath, [cli, ...words], { env: environment, cwd: folder })
const failing = (...words: string[]) =>
  voicepress(...words).then(
    () => {
      throw new Error('it was to fail')
    },
    (error: { code: number; stderr: string }) => error,
  )

test('narrates a file alone, byte for byte the same twice, and says what it measured', async () => {
  const { stdout } = await voicepress('narrate', story, '--out', 'one.m4b')
  // A text file names no author and has no cover: nothing fails, and both are told of.
  expect(stdout).toContain('m4b: warn')
  const { stdout: json } = await voicepress('narrate', story, '--out', 'two.m4b', '--json')
  expect(JSON.parse(json)).toMatchObject({ project: { status: 'packaged' }, generated: { chapters: 0 } })
  expect(await readFile(join(folder, 'two.m4b'))).toEqual(await readFile(join(folder, 'one.m4b')))
  expect((await voicepress('check', 'one.m4b', '--json')).stdout).not.toContain('"verdict": "fail"')
})

test('speaks anew only the chapter in which a sentence was changed', async () => {
  await writeFile(story, (await readFile(story, 'utf8')).replace('it rained', 'it poured'))
  const { stdout } = await voicepress('narrate', story, '--out', 'three.m4b', '--json')
  expect(JSON.parse(stdout).generated).toMatchObject({ chapters: 1 })
})

test('every operation is a command', async () => {
  const { items } = JSON.parse((await voicepress('projects', 'list', '--limit', '5')).stdout)
  expect(items).toMatchObject([{ title: 'the well' }])
  const { stdout } = await voicepress('projects', 'manuscript', items[0].id, '--out', 'back.txt')
  expect(stdout.trim()).toBe('back.txt')
  expect(await readFile(join(folder, 'back.txt'), 'utf8')).toContain('it poured')
})

test('prints the cast and the voices', async () => {
  const cast = JSON.parse((await voicepress('cast', story, '--json')).stdout)
  expect(cast.characters.map(({ name }: { name: string }) => name)).toContain('Anna')
  for (const chapter of cast.chapters)
    for (const segment of chapter.segments) expect(chapter.text.slice(segment.start, segment.end)).toBe(segment.text)
  expect((await voicepress('voices', '--language', 'es')).stdout).toContain('espeak:es')
})

test('what is wrong is said in one line', async () => {
  expect(await failing('narrate', 'nothing.epub')).toMatchObject({
    code: 1,
    stderr: 'There is no file nothing.epub.\n',
  })
  expect(await failing('narrate', story, '--chapters', 'x')).toMatchObject({ code: 2 })
  expect((await failing('projects', 'list', '--limit', 'many')).stderr).toContain('limit')
  expect((await failing('projects', 'dance')).stderr).toContain('voicepress projects list')
})

test('a server refuses a second one on its data, is used from elsewhere, and stops when it is told to', async () => {
  const server: ChildProcess = spawn(process.execPath, [cli, 'serve'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let url = ''
  let password = ''
  for await (const line of createInterface({ input: server.stdout as NonNullable<typeof server.stdout> })) {
    if (line.startsWith('  ')) password = line.trim()
    url = /is at (\S+)/.exec(line)?.[1] ?? ''
    if (url) break
  }
  expect((await failing('projects', 'list')).stderr).toContain('in use')

  const post = (path: string, body: object, token?: string) =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    }).then((response) => response.json() as Promise<Record<string, string>>)
  const { access_token: token } = await post('/v1/sessions', {
    email: 'admin@voicepress.local',
    password,
    kind: 'program',
  })
  const { key } = await post(
    '/v1/api-keys',
    { name: 'elsewhere', scopes: ['projects.*', 'packages.*', 'jobs.*'] },
    token,
  )
  const remote = await run(process.execPath, [cli, 'narrate', story, '--out', 'remote.m4b'], {
    env: { ...process.env, VOICEPRESS_URL: url, VOICEPRESS_API_KEY: key },
    cwd: folder,
  })
  expect(remote.stdout).toContain('2 chapters')
  expect((await readFile(join(folder, 'remote.m4b'))).subarray(4, 8).toString()).toBe('ftyp')

  server.kill('SIGTERM')
  expect(await once(server, 'exit')).toEqual([0, null])
})
