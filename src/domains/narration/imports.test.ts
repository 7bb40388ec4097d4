import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createWriteStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished as written } from 'node:stream/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ZipFile } from 'yazl'
import { type Person, type TestApp, openTestApp } from '../../../test/app.ts'
import { onePixelPng } from '../../../test/example-book.ts'
import { finished, tinyStory } from '../../../test/tiny-story.ts'

let app: TestApp
let owner: Person
let folder: string
beforeAll(async () => {
  app = await openTestApp()
  owner = await app.addPerson(app.admin.tenant, 'creator@example.com', ['creator'])
  folder = await mkdtemp(join(tmpdir(), 'voicepress-zip-'))
})
afterAll(async () => {
  await app.close()
  await rm(folder, { recursive: true, force: true })
})

async function zipOf(files: Record<string, string | Buffer>): Promise<Uint8Array> {
  const zip = new ZipFile()
  for (const [name, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content as string), name)
  zip.end()
  const path = join(folder, `${crypto.randomUUID()}.zip`)
  await written(zip.outputStream.pipe(createWriteStream(path)))
  return readFile(path)
}

const config = {
  title: 'The Lamp',
  subtitle: 'A tale',
  author: 'Ann Other',
  language: 'en-GB',
  settings: { tts_provider: 'espeak', processing_chain: 'podcast_standard', target_platform: 'nowhere' },
  characters: [
    { name: 'Narrator', voiceId: 'en-gb' },
    { name: 'Martha', voiceId: 'en-gb+f3', gender: 'female', voiceSettings: { speaking_rate: 0.9 } },
    { name: 'Peter', voice_id: 'es-PE-CamilaNeural', provider: 'azure' },
  ],
}

test('a desktop project comes in whole: book, cover, characters and their voices', async () => {
  const zip = await zipOf({
    'My Book/project.json': JSON.stringify(config),
    'My Book/manuscript.txt': tinyStory,
    'My Book/cover.png': onePixelPng,
    'My Book/audio/chapter-1.mp3': 'left where it is',
    '__MACOSX/My Book/project.json': '{}',
  })
  const { status, body } = await owner.upload('/v1/projects/import-desktop', 'book.zip', zip)
  expect(status).toBe(200)
  expect(body.warnings).toEqual([expect.stringContaining('nowhere'), expect.stringContaining('es-PE-CamilaNeural')])
  await finished(app, owner, body.job_id)
  expect(await owner.call('GET', `/v1/projects/${body.project_id}`)).toMatchObject({
    title: 'The Lamp',
    subtitle: 'A tale',
    authors: ['Ann Other'],
    language: 'en-GB',
    cover_type: 'image/png',
    status: 'voices_assigned',
    settings: { speech_provider: 'espeak', processing_chain: 'podcast_standard' },
  })
  const characters = (await owner.call('GET', `/v1/characters?project_id=${body.project_id}`)).items
  const named = (name: string) => characters.filter((one: any) => one.name === name)
  expect(named('Martha')).toMatchObject([
    { voice_id: 'espeak:en-gb+f3', voice_chosen: true, voice_settings: { rate: 0.9 }, lines: 4 },
  ])
  expect(named('Peter')).toMatchObject([{ voice_chosen: false, voice_id: expect.stringMatching(/^espeak:/) }])
  expect(characters.filter((one: any) => one.role === 'narrator')).toMatchObject([
    { voice_id: 'espeak:en-gb', voice_chosen: true },
  ])
  expect((await owner.request('GET', `/v1/projects/${body.project_id}/cover`)).headers['content-type']).toBe(
    'image/png',
  )
})

test('chapters that carry their own text make the manuscript', async () => {
  const chapters = [
    { title: 'Dawn', text: 'The sun came up over the hill.' },
    { title: 'Dusk', text: 'The sun went down again.' },
  ]
  const zip = await zipOf({ 'project.json': JSON.stringify({ title: 'Two Days', language: 'en', chapters }) })
  const { body } = await owner.upload('/v1/projects/import-desktop', 'book.zip', zip)
  await finished(app, owner, body.job_id)
  const listed = (await owner.call('GET', `/v1/chapters?project_id=${body.project_id}`)).items
  expect(listed.map((chapter: any) => chapter.title)).toEqual(['Dawn', 'Dusk'])
})

test('what is no desktop project is refused, and leaves nothing', async () => {
  const before = (await owner.call('GET', '/v1/projects')).items.length
  const refused = async (bytes: Uint8Array | string) =>
    (await owner.upload('/v1/projects/import-desktop', 'book.zip', bytes)).status
  expect(await refused('not a zip')).toBe(422)
  expect(await refused(await zipOf({ 'readme.txt': 'hello' }))).toBe(422)
  expect(await refused(await zipOf({ 'project.json': '{"title": "Alone"}' }))).toBe(422)
  expect(await refused(await zipOf({ 'project.json': 'nonsense' }))).toBe(422)
  expect((await owner.call('GET', '/v1/projects')).items).toHaveLength(before)
})
