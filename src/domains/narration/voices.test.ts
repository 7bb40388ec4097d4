import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Person, type TestApp, openTestApp } from '../../../test/app.ts'
import { queryAsOwner } from '../../../test/sign-in.ts'
import { finished, tinyProject } from '../../../test/tiny-story.ts'
import { scoped } from '../../kit/database.ts'

let app: TestApp
let owner: Person
let project: string
let line: { id: string; text: string }

beforeAll(async () => {
  app = await openTestApp()
  owner = await app.addPerson(app.admin.tenant, 'creator@example.com', ['creator'])
  project = await tinyProject(app, owner)
  const [chapter] = (await owner.call('GET', `/v1/chapters?project_id=${project}&included=true`)).items
  ;[, line] = (await owner.call('GET', `/v1/segments?chapter_id=${chapter.id}`)).items
})
afterAll(() => app.close())

const inTenant = <T>(work: Parameters<typeof scoped<T>>[2]) =>
  scoped(app.kernel.pool, { tenant: owner.tenant, user: owner.id, seesAll: true }, work)
/** As the owner: nobody sets limits of their own. */
const limit = async (limits: {
  max_processing_minutes?: number
  max_storage_bytes?: number
  max_projects?: number
}) => {
  for (const [name, value] of Object.entries(limits))
    await queryAsOwner(app, `update tenant_quotas set ${name} = $1 where tenant_id = $2`, [value, owner.tenant])
}
const storage = async () =>
  inTenant(async (tx) => {
    const rows = await tx.selectFrom('usage_records').select('amount').where('resource_type', '=', 'storage').execute()
    return rows.reduce((sum, { amount }) => sum + amount, 0)
  })

test('voices are found by language, gender, provider and words, and paged', async () => {
  const { items, next } = await owner.call('GET', '/v1/voices?language=es-PE&gender=female&provider=espeak&limit=5')
  expect(items).toHaveLength(5)
  expect(items.every((voice: any) => voice.languages[0].startsWith('es') && voice.gender === 'female')).toBe(true)
  const more = await owner.call(
    'GET',
    `/v1/voices?language=es-PE&gender=female&limit=5&after=${encodeURIComponent(next)}`,
  )
  expect(more.items.map((voice: any) => voice.id)).not.toContain(items[0].id)
  const found = await owner.call('GET', '/v1/voices?query=en-gb%20f3')
  expect(found.items.map((voice: any) => voice.id)).toContain('espeak:en-gb+f3')
})

test('any text is heard in any voice: spoken once, then taken from the cache', async () => {
  const say = (body: object) => owner.request('POST', '/v1/voices/audition', body)
  const first = await say({ voice_id: 'espeak:en-gb+f3', text: 'Good evening.' })
  expect(first).toMatchObject({ status: 200, headers: { 'content-type': 'audio/wav' } })
  const used = await storage()
  const again = await say({ voice_id: 'espeak:en-gb+f3', text: 'Good evening.' })
  expect(again.headers.etag).toBe(first.headers.etag)
  expect(await storage()).toBe(used)
  const slower = await say({ voice_id: 'espeak:en-gb+f3', text: 'Good evening.', settings: { rate: 0.5 } })
  expect(Number(slower.headers['content-length'])).toBeGreaterThan(Number(first.headers['content-length']) * 1.5)
  expect((await say({ voice_id: 'espeak:en-us', segment_id: line.id })).status).toBe(200)
  expect(await say({ voice_id: 'espeak:en-us', text: 'x'.repeat(1001) })).toMatchObject({
    status: 400,
    body: { field: 'text' },
  })
  expect(await say({ voice_id: 'espeak:en-us' })).toMatchObject({ status: 400, body: { field: 'text' } })
  expect(await say({ voice_id: 'en-us', text: 'x' })).toMatchObject({ status: 400, body: { field: 'voice_id' } })
})

test('auditions at once do not wait for each other', async () => {
  const texts = Array.from({ length: 24 }, (_, index) => `Line number ${index}.`)
  const replies = await Promise.all(
    texts.map((text) => owner.request('POST', '/v1/voices/audition', { voice_id: 'espeak:en-us', text })),
  )
  expect(replies.map(({ status }) => status)).toEqual(texts.map(() => 200))
})

test('a limit refuses before anything is spoken or stored', async () => {
  await limit({ max_processing_minutes: 0 })
  const refused = {
    status: 403,
    body: { type: expect.stringContaining('quota_exceeded'), limit: 0, unit: 'minutes', resets_at: expect.any(String) },
  }
  expect(
    await owner.request('POST', '/v1/voices/audition', { voice_id: 'espeak:en-us', text: 'Not this.' }),
  ).toMatchObject(refused)
  expect(await owner.request('POST', `/v1/projects/${project}/generate`)).toMatchObject(refused)
  expect(await owner.request('POST', `/v1/segments/${line.id}/regenerate`)).toMatchObject(refused)
  expect(
    await inTenant((tx) => tx.selectFrom('audio_cache').select('id').where('text', '=', 'Not this.').execute()),
  ).toEqual([])
  await limit({ max_processing_minutes: 1000, max_storage_bytes: 10 })
  expect(await owner.upload(`/v1/projects/${project}/manuscript`, 'other.txt', 'Another story.')).toMatchObject({
    status: 403,
    body: { quota: 'storage' },
  })
  await limit({ max_storage_bytes: 1e12, max_projects: 1 })
  const another = await app.addPerson(owner.tenant, 'another@example.com', ['creator'])
  expect(await another.request('POST', '/v1/projects', { title: 'Mine' })).toMatchObject({
    status: 403,
    body: { quota: 'projects', used: 1 },
  })
  await limit({ max_projects: 100 })
})

test('the lexicon says how words are said, goes out as PLS and comes back the same', async () => {
  const entry = (body: object) => owner.request('POST', '/v1/lexicon-entries', { project_id: project, ...body })
  expect((await entry({ grapheme: 'Peter', phoneme: 'ˈpiːtə' })).status).toBe(200)
  expect((await entry({ grapheme: 'sea', phoneme: 'si:', alphabet: 'x-sampa' })).status).toBe(200)
  const { body: alias } = await entry({ grapheme: 'Martha', alias: 'Mar-tha' })
  expect(await entry({ grapheme: 'x' })).toMatchObject({ status: 400, body: { field: 'alias' } })
  expect(await entry({ grapheme: 'y', phoneme: 'K∆' })).toMatchObject({
    status: 400,
    body: { field: 'phoneme', character: 'K' },
  })
  expect(await entry({ grapheme: 'Peter', alias: 'twice' })).toMatchObject({ status: 409 })
  expect(await owner.request('PATCH', `/v1/lexicon-entries/${alias.id}`, { alias: null })).toMatchObject({
    status: 400,
  })

  const pls = await owner.call('GET', `/v1/projects/${project}/lexicon`)
  expect(pls).toContain('<phoneme>ˈpiːtə</phoneme>')
  for (const { id } of (await owner.call('GET', `/v1/lexicon-entries?project_id=${project}`)).items)
    await owner.call('DELETE', `/v1/lexicon-entries/${id}`)
  expect((await owner.upload(`/v1/projects/${project}/lexicon`, 'book.pls', pls)).body).toEqual({
    imported: 3,
    replaced: 0,
  })
  expect((await owner.upload(`/v1/projects/${project}/lexicon`, 'book.pls', pls)).body).toEqual({
    imported: 3,
    replaced: 3,
  })
  expect(await owner.call('GET', `/v1/projects/${project}/lexicon`)).toBe(pls)
  expect((await owner.upload(`/v1/projects/${project}/lexicon`, 'book.pls', '<lexicon>')).status).toBe(400)
})

test('what has expired is swept, and its room given back', async () => {
  const before = await storage()
  await inTenant((tx) => tx.updateTable('audio_cache').set({ expires_at: '2020-01-01T00:00:00Z' }).execute())
  const cached = await inTenant((tx) => tx.selectFrom('audio_cache').select(['audio_blob', 'audio_bytes']).execute())
  expect(cached.length).toBeGreaterThan(0)
  expect((await owner.request('POST', '/v1/narration/sweep')).status).toBe(403)
  const { result } = await finished(app, app.admin, (await app.admin.call('POST', '/v1/narration/sweep')).job_id)
  const bytes = cached.reduce((sum, { audio_bytes }) => sum + audio_bytes, 0)
  expect(result).toEqual({ lines: cached.length, packages: 0, bytes })
  expect(await storage()).toBe(before - bytes)
  expect(await app.kernel.services.storage.stat(cached[0]?.audio_blob ?? '')).toBeNull()
})

test('a nightly job starts in every tenant, and once', async () => {
  await app.addTenant('second')
  const client = new pg.Client({ connectionString: app.kernel.urls.worker })
  await client.connect()
  try {
    await client.query(`begin; select schedule_job('narration.sweep'); select schedule_job('narration.sweep')`)
    const { rows } = await client.query(
      `select tenant_id from jobs where unique_key = 'narration.sweep' and status = 'queued'`,
    )
    expect(rows).toHaveLength(2)
    await client.query('commit')
  } finally {
    await client.end()
  }
})

test('a file is measured against what a shop asks for', async () => {
  const reply = await fetch(`${app.url}/v1/voices/audition`, {
    method: 'POST',
    headers: { authorization: `Bearer ${owner.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ voice_id: 'espeak:en-us', text: 'Is this fit to sell?' }),
  })
  const wav = new Uint8Array(await reply.arrayBuffer())
  const { status, body } = await owner.upload('/v1/checks', 'sample.wav', wav, { profile: 'acx' })
  expect(status).toBe(200)
  expect(body).toMatchObject({ profile: 'acx', verdict: 'fail', files: [{ file: 'sample.wav' }] })
  expect(body.files[0].figures.find((figure: any) => figure.name === 'codec')).toMatchObject({
    verdict: 'fail',
    limit: 'mp3',
  })
  expect((await owner.upload('/v1/checks', 'sample.mp3', 'not audio')).status).toBe(422)
})
