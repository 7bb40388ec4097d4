import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestApp, openTestApp } from '../../../test/app.ts'
import { finished, tinyProject, tinyStory } from '../../../test/tiny-story.ts'

let app: TestApp
beforeAll(async () => {
  app = await openTestApp()
})
afterAll(() => app.close())

test('a text becomes an audiobook that can be downloaded', async () => {
  const owner = await app.addPerson(app.admin.tenant, 'creator@example.com', ['creator'])
  const { id } = await owner.call('POST', '/v1/projects', { title: 'The Lamp' })
  const status = async () => (await owner.call('GET', `/v1/projects/${id}`)).status
  const early = await owner.request('POST', `/v1/projects/${id}/generate`)
  expect(early).toMatchObject({ status: 409, body: { detail: 'Upload a manuscript first.' } })

  const uploaded = await owner.upload(`/v1/projects/${id}/manuscript`, 'lamp.txt', tinyStory)
  await finished(app, owner, uploaded.body.job_id)
  expect(await owner.call('GET', `/v1/projects/${id}`)).toMatchObject({
    status: 'voices_assigned',
    authors: ['Ann Other'],
    language: 'en',
    workflow_completed: { manuscript: true, characters: true, casting: true, planning: true },
  })
  const cast = (await owner.call('GET', `/v1/characters?project_id=${id}`)).items
  expect(cast.map((one: any) => one.name)).toEqual(expect.arrayContaining(['Martha', 'Peter']))
  expect(new Set(cast.map((one: any) => one.voice_id)).size).toBe(cast.length)

  await finished(app, owner, (await owner.call('POST', `/v1/projects/${id}/generate`)).job_id)
  expect(await status()).toBe('audio_generated')
  const packing = await owner.call('POST', '/v1/packages', { project_id: id, format: 'm4b' })
  const { result } = await finished(app, owner, packing.job_id)
  const made = await owner.call('GET', `/v1/packages/${result.package_id}`)
  expect(made).toMatchObject({ format: 'm4b', filename: 'the-lamp.m4b', download_count: 0 })
  // Where it was made is nobody's business.
  expect(JSON.stringify(made)).not.toContain(app.kernel.config.data)
  expect(made.delivery.files[0].figures.filter((figure: any) => figure.verdict === 'fail')).toEqual([])

  const file = await fetch(`${app.url}/v1/packages/${made.id}/file`, {
    headers: { authorization: `Bearer ${owner.token}` },
  })
  const bytes = new Uint8Array(await file.arrayBuffer())
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(made.sha256)
  expect(await owner.call('GET', `/v1/packages/${made.id}`)).toMatchObject({ download_count: 1 })
  expect(await status()).toBe('packaged')
  expect(await owner.call('POST', `/v1/projects/${id}/complete`)).toMatchObject({ status: 'completed' })

  const again = await owner.call('POST', '/v1/packages', { project_id: id, format: 'm4b' })
  expect((await finished(app, owner, again.job_id)).result).toEqual(result)
})

test('of two manuscripts uploaded at once the project holds one, whole', async () => {
  const owner = await app.addPerson(app.admin.tenant, 'hasty@example.com', ['creator'])
  const { id } = await owner.call('POST', '/v1/projects', { title: 'Untitled' })
  const other = tinyStory.replaceAll('Martha', 'Agnes').replaceAll('Chapter', 'Part')
  const uploads = await Promise.all([
    owner.upload(`/v1/projects/${id}/manuscript`, 'one.txt', tinyStory),
    owner.upload(`/v1/projects/${id}/manuscript`, 'two.txt', other),
  ])
  for (const { body } of uploads) await finished(app, owner, body.job_id)
  const { manuscript_filename: kept } = await owner.call('GET', `/v1/projects/${id}`)
  const name = kept === 'one.txt' ? 'Martha' : 'Agnes'
  const chapters = (await owner.call('GET', `/v1/chapters?project_id=${id}&included=true`)).items
  for (const chapter of chapters) {
    const lines = (await owner.call('GET', `/v1/segments?chapter_id=${chapter.id}`)).items
    const { text } = await owner.call('GET', `/v1/chapters/${chapter.id}`)
    expect(text).toContain(name)
    expect(lines.map((line: any) => text.slice(line.start_offset, line.end_offset))).toEqual(
      lines.map((line: any) => line.text),
    )
  }
  expect(await owner.call('GET', `/v1/projects/${id}/manuscript`)).toContain(name)
})

test('what is no manuscript is refused with its reason, and the job says so', async () => {
  const owner = await app.addPerson(app.admin.tenant, 'careless@example.com', ['creator'])
  const { id } = await owner.call('POST', '/v1/projects', { title: 'Nothing' })
  const failing = async (name: string, bytes: Uint8Array | string) => {
    const { body } = await owner.upload(`/v1/projects/${id}/manuscript`, name, bytes)
    const job = await app.waitForJob(owner, body.job_id)
    expect(job).toMatchObject({ status: 'failed', error: { status: expect.any(Number), detail: expect.any(String) } })
    return job.error.status
  }
  expect(await failing('empty.txt', '  \n')).toBe(422)
  expect(await failing('broken.epub', 'PK\u0003\u0004 not really')).toBe(422)
  expect((await owner.request('POST', `/v1/projects/${id}/manuscript`, {})).status).toBe(415)
  const missing = await owner.upload(`/v1/projects/${crypto.randomUUID()}/manuscript`, 'a.txt', 'Text.')
  expect(missing.status).toBe(404)
  expect(await owner.request('POST', '/v1/projects', { title: 'x'.repeat(501) })).toMatchObject({
    status: 400,
    body: { field: 'title' },
  })
  expect(await owner.request('POST', '/v1/packages', { project_id: id, format: 'ogg' })).toMatchObject({
    status: 400,
    body: { field: 'format' },
  })
})

test('what a person did to a line stays when the book is detected anew', async () => {
  const owner = await app.addPerson(app.admin.tenant, 'careful@example.com', ['creator'])
  const twice = tinyStory.replace('“Sit down,” said Martha.', '“Yes,” said Martha. “Yes,” said Martha.')
  const id = await tinyProject(app, owner, { story: twice })
  const lines = async () => {
    const [chapter] = (await owner.call('GET', `/v1/chapters?project_id=${id}&included=true`)).items
    return (await owner.call('GET', `/v1/segments?chapter_id=${chapter.id}`)).items.filter((line: any) =>
      line.text.startsWith('“Yes'),
    )
  }
  const [, second] = await lines()
  await owner.call('PATCH', `/v1/segments/${second.id}`, { text: '“Yes!”' })
  await owner.call('PATCH', `/v1/projects/${id}`, { settings: { pauses: { sentence: 0.5 } } })
  await finished(app, owner, (await owner.call('POST', `/v1/projects/${id}/detect-characters`)).job_id)
  expect((await lines()).map((line: any) => line.text)).toEqual(['“Yes,”', '“Yes!”'])
  expect((await lines())[1].id).not.toBe(second.id)
})
