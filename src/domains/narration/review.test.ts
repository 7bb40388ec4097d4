import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Person, type TestApp, openTestApp } from '../../../test/app.ts'
import { finished, tinyProject } from '../../../test/tiny-story.ts'

let app: TestApp
let owner: Person
let project: string
let chapters: any[]
let lines: any[]

beforeAll(async () => {
  app = await openTestApp()
  owner = await app.addPerson(app.admin.tenant, 'creator@example.com', ['creator'])
  project = await tinyProject(app, owner, { narrated: true })
  chapters = (await owner.call('GET', `/v1/chapters?project_id=${project}&included=true`)).items
  lines = await linesOf(0)
})
afterAll(() => app.close())

const linesOf = async (chapter: number) =>
  (await owner.call('GET', `/v1/segments?chapter_id=${chapters[chapter].id}`)).items
const chapterStatus = async () =>
  (await owner.call('GET', `/v1/chapters?project_id=${project}&included=true`)).items.map(
    (chapter: any) => chapter.status,
  )

test('chapters come in order, without text; one comes with it', async () => {
  expect(chapters.map((chapter) => chapter.title)).toEqual(['Chapter 1', 'Chapter 2'])
  expect(chapters[0]).not.toHaveProperty('text')
  const one = await owner.call('GET', `/v1/chapters/${chapters[0].id}`)
  expect(one.text).toContain('The lamp had burned all night.')
  expect(one.blocks[0]).toMatchObject({ kind: 'heading' })
  const first = await owner.call('GET', `/v1/chapters?project_id=${project}&limit=1`)
  const second = await owner.call('GET', `/v1/chapters?project_id=${project}&limit=1&after=${first.next}`)
  expect(second.items[0].number).toBeGreaterThan(first.items[0].number)
})

test('a chapter is played by ranges, captioned and timed', async () => {
  const [chapter] = chapters
  const part = await owner.request('GET', `/v1/chapters/${chapter.id}/audio`, undefined, { range: 'bytes=0-99' })
  expect(part).toMatchObject({ status: 206, headers: { 'content-type': 'audio/mp4', 'content-length': '100' } })
  expect(part.headers['content-disposition']).toMatch(/^inline/)
  const captions = await owner.call('GET', `/v1/chapters/${chapter.id}/vtt`)
  expect(captions).toMatch(/^WEBVTT\n\n\d\d:\d\d:/)
  expect(captions).toContain('<v Martha>')
  const timings = await owner.call('GET', `/v1/chapters/${chapter.id}/timings`)
  expect(timings.segments).toHaveLength(lines.length)
  const [second] = timings.segments.slice(1)
  expect(second.words[0].from).toBeGreaterThanOrEqual(second.from)
  expect(timings.segments.at(-1).to).toBeLessThanOrEqual(timings.seconds)
})

test('one changed line is the one that is spoken anew, and changing it back needs no work', async () => {
  const line = lines.find((one) => one.text.includes('road was bad'))
  expect(line).toMatchObject({ status: 'complete', character_name: 'Peter' })
  const changed = await owner.call('PATCH', `/v1/segments/${line.id}`, { text: '“The road was long,”' })
  expect(changed).toMatchObject({ status: 'pending', source_text: line.text })
  expect((await linesOf(0)).filter((one: any) => one.status !== 'complete')).toHaveLength(1)
  expect(await chapterStatus()).toEqual(['segmented', 'audio_complete'])
  expect((await owner.call('GET', `/v1/projects/${project}`)).status).toBe('voices_assigned')
  const early = await owner.call('POST', '/v1/packages', { project_id: project, format: 'm4b' })
  expect(await app.waitForJob(owner, early.job_id)).toMatchObject({
    status: 'failed',
    error: { type: expect.stringContaining('audio_stale'), chapter: chapters[0].number },
  })

  const restored = await owner.call('POST', `/v1/segments/${line.id}/restore`)
  expect(restored).toMatchObject({ text: line.text, status: 'complete', source_text: null })
  expect(await chapterStatus()).toEqual(['audio_complete', 'audio_complete'])
  const again = await owner.call('POST', `/v1/segments/${line.id}/restore`)
  expect(again.text).toBe('“The road was long,”')
  expect((await owner.call('GET', `/v1/segments/${line.id}/revisions`)).items).toHaveLength(3)

  const { result } = await finished(app, owner, (await owner.call('POST', `/v1/projects/${project}/generate`)).job_id)
  expect(result).toMatchObject({ chapters: 1, failed_segments: 0 })
  expect(await chapterStatus()).toEqual(['audio_complete', 'audio_complete'])
  expect((await owner.call('GET', `/v1/projects/${project}`)).status).toBe('audio_generated')
})

test('a line is sent back with notes, spoken again in another voice, heard and approved', async () => {
  const line = lines.find((one) => one.text.includes('soup'))
  expect(await owner.call('POST', `/v1/segments/${line.id}/revise`, { notes: 'warmer' })).toMatchObject({
    status: 'needs_revision',
    revision_notes: 'warmer',
  })
  const before = await owner.request('GET', `/v1/segments/${line.id}/audio`)
  const { job_id } = await owner.call('POST', `/v1/segments/${line.id}/regenerate`, { voice_id: 'espeak:en-gb+f2' })
  expect((await finished(app, owner, job_id)).result.generated).toMatchObject({ chapters: 1 })
  expect(await chapterStatus()).toEqual(['audio_complete', 'audio_complete'])
  const after = await owner.request('GET', `/v1/segments/${line.id}/audio`)
  expect(after).toMatchObject({ status: 200, headers: { 'content-type': 'audio/wav' } })
  expect(after.headers.etag).not.toBe(before.headers.etag)
  expect(await owner.call('GET', `/v1/segments/${line.id}`)).toMatchObject({ status: 'needs_revision' })
  const approved = await owner.call('POST', `/v1/segments/${line.id}/approve`)
  expect(approved).toMatchObject({ status: 'complete', revision_notes: null, approved_at: expect.any(String) })
  const forced = await owner.call('POST', `/v1/segments/${line.id}/regenerate`, { force: true })
  expect((await finished(app, owner, forced.job_id)).result.generated).toMatchObject({ chapters: 1 })
  expect((await owner.request('POST', `/v1/segments/${lines[0].id}/approve`)).status).toBe(200)
})

test('lines are given to another speaker, one or all like it', async () => {
  const characters = (await owner.call('GET', `/v1/characters?project_id=${project}`)).items
  const named = (name: string) => characters.find((one: any) => one.name === name)
  const line = lines.find((one) => one.text.includes('Sit down'))
  const one = await owner.call('POST', `/v1/segments/${line.id}/assign`, { character_id: named('Peter').id })
  expect(one).toEqual({ changed: 1 })
  expect(await owner.call('GET', `/v1/segments/${line.id}`)).toMatchObject({
    character_name: 'Peter',
    rule: 'manual',
    status: 'pending',
  })
  await owner.call('POST', `/v1/segments/${line.id}/restore`)
  expect(await owner.call('GET', `/v1/segments/${line.id}`)).toMatchObject({
    character_name: 'Martha',
    rule: line.rule,
    status: 'complete',
  })
  const all = await owner.call('POST', `/v1/segments/${line.id}/assign`, {
    character_id: named('Peter').id,
    scope: 'project',
  })
  expect(all.changed).toBeGreaterThan(1)
  const merged = await owner.call('POST', `/v1/characters/${named('Martha').id}/merge`, { into: named('Peter').id })
  expect(merged.aliases).toContain('Martha')
  expect(
    (await owner.call('GET', `/v1/segments?chapter_id=${chapters[1].id}`)).items.some(
      (each: any) => each.character_name === 'Martha',
    ),
  ).toBe(false)
})

test('a character made by hand, with a voice that stays through casting', async () => {
  const made = await owner.call('POST', '/v1/characters', {
    project_id: project,
    name: 'The Gull',
    gender: 'female',
    voice_id: 'espeak:en-gb+f3',
  })
  expect(made).toMatchObject({ slug: 'the-gull', voice_chosen: true, detected_by: null })
  await owner.call('POST', `/v1/projects/${project}/assign-voices`)
  expect(await owner.call('GET', `/v1/characters/${made.id}`)).toMatchObject({ voice_id: 'espeak:en-gb+f3' })
  expect(await owner.call('PATCH', `/v1/characters/${made.id}`, { voice_id: null })).toMatchObject({
    voice_chosen: false,
  })
  const bad = await owner.request('PATCH', `/v1/characters/${made.id}`, { voice_id: 'espeak:xx+f3' })
  expect(bad).toMatchObject({ status: 400, body: { field: 'voice_id' } })
  await owner.call('DELETE', `/v1/characters/${made.id}`)
})

test('SSML has to be SSML that says the line', async () => {
  const [line] = (await linesOf(1)).slice(1)
  const speak = (body: string) =>
    `<speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en">${body}</speak>`
  for (const ssml of [
    '<speak>',
    speak('<b>x</b>'),
    speak('<phoneme>x</phoneme>'),
    speak('another text'),
    '<!DOCTYPE speak><speak/>',
  ]) {
    expect(await owner.request('PATCH', `/v1/segments/${line.id}`, { ssml })).toMatchObject({
      status: 400,
      body: { field: 'ssml' },
    })
  }
  const kept = await owner.call('PATCH', `/v1/segments/${line.id}`, {
    ssml: speak(`<prosody rate="80%">${line.text}</prosody>`),
  })
  expect(kept.status).toBe('pending')
  const shown = await owner.call('GET', `/v1/segments/${line.id}/ssml`)
  expect(shown).toMatchObject({ provider: 'espeak', media_type: 'text/plain' })
  expect(shown.ssml).toContain('<prosody')
  await owner.call('PATCH', `/v1/segments/${line.id}`, { ssml: null })
})

test('a bad change is refused with its field', async () => {
  const [line] = lines
  const refused = async (body: object, field: string) =>
    expect(await owner.request('PATCH', `/v1/segments/${line.id}`, body)).toMatchObject({
      status: 400,
      body: { field },
    })
  await refused({ text: '  ' }, 'text')
  await refused({ text: 'x'.repeat(5001) }, 'text')
  await refused({ gap_after: 61 }, 'gap_after')
  await refused({ voice_id: 'nobody:x' }, 'voice_id')
  await refused({ character_id: crypto.randomUUID() }, 'character_id')
  await refused({ voice_settings: { rate: 9 } }, 'voice_settings.rate')
})

test('a chapter that is left out and taken in again', async () => {
  const [, second] = chapters
  await owner.call('PATCH', `/v1/chapters/${second.id}`, { included: false })
  expect(await chapterStatus()).toHaveLength(1)
  await owner.call('PATCH', `/v1/chapters/${second.id}`, { included: true, title: 'The Boat' })
  await finished(app, owner, (await owner.call('POST', `/v1/projects/${project}/generate`)).job_id)
  expect(await chapterStatus()).toEqual(['audio_complete', 'audio_complete'])
  const force = await owner.call('POST', `/v1/chapters/${second.id}/generate`, { force: true })
  expect((await finished(app, owner, force.job_id)).result).toMatchObject({ chapters: 1 })
})
