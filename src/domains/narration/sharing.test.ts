import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Person, type TestApp, openTestApp } from '../../../test/app.ts'
import { tinyProject } from '../../../test/tiny-story.ts'

let app: TestApp
let owner: Person
let project: string
let chapter: string
let line: string

beforeAll(async () => {
  app = await openTestApp()
  owner = await app.addPerson(app.admin.tenant, 'creator@example.com', ['creator'])
  project = await tinyProject(app, owner)
  chapter = (await owner.call('GET', `/v1/chapters?project_id=${project}&included=true`)).items[0].id
  line = (await owner.call('GET', `/v1/segments?chapter_id=${chapter}`)).items[0].id
})
afterAll(() => app.close())

let people = 0
const somebody = (roles = ['creator'], tenant = app.admin.tenant) =>
  app.addPerson(tenant, `person-${++people}@example.com`, roles)
const share = (email: string, rights: object = {}) =>
  owner.call('POST', '/v1/project-shares', { project_id: project, email, ...rights })

const attempts = (): Record<string, [method: string, path: string, body?: unknown]> => ({
  see: ['GET', `/v1/segments/${line}`],
  list: ['GET', `/v1/segments?chapter_id=${chapter}`],
  comment: ['POST', '/v1/comments', { project_id: project, segment_id: line, text: 'Too fast.' }],
  revise: ['POST', `/v1/segments/${line}/revise`, { notes: 'slower' }],
  edit: ['PATCH', `/v1/segments/${line}`, { gap_after: 1 }],
  rename: ['PATCH', `/v1/chapters/${chapter}`, { title: 'One' }],
  addCharacter: ['POST', '/v1/characters', { project_id: project, name: `Extra ${people}` }],
  pronounce: ['POST', '/v1/lexicon-entries', { project_id: project, grapheme: `word${people}`, alias: 'other' }],
  share: ['POST', '/v1/project-shares', { project_id: project, email: 'admin@voicepress.local' }],
})

async function tryAll(person: Person): Promise<Record<string, number>> {
  const tried: Record<string, number> = {}
  for (const [what, [method, path, body]] of Object.entries(attempts()))
    tried[what] = (await person.request(method, path, body)).status
  return tried
}

const all = (status: number) => Object.fromEntries(Object.keys(attempts()).map((what) => [what, status]))
const seen = { see: 200, list: 200 }

test('the owner may do everything', async () => {
  expect(await tryAll(owner)).toEqual(all(200))
})

test('a stranger of the tenant, and anybody of another tenant, finds nothing', async () => {
  expect(await tryAll(await somebody())).toEqual(all(404))
  const elsewhere = await app.addTenant('elsewhere')
  expect(await tryAll(await somebody(['admin'], elsewhere))).toEqual(all(404))
})

test('an administrator of the tenant may do everything', async () => {
  expect(await tryAll(app.admin)).toEqual(all(200))
})

test('to view is to see, and to be told that more is not allowed', async () => {
  const viewer = await somebody()
  await share(viewer.email)
  expect(await tryAll(viewer)).toEqual({ ...all(403), ...seen })
  expect((await viewer.call('GET', '/v1/projects')).items).toHaveLength(1)
})

test('to comment is to comment and to ask for a line again', async () => {
  const commenter = await somebody(['validator'])
  await share(commenter.email, { can_comment: true })
  expect(await tryAll(commenter)).toEqual({ ...all(403), ...seen, comment: 200, revise: 200 })
  expect(await owner.call('GET', `/v1/segments/${line}`)).toMatchObject({
    status: 'needs_revision',
    revision_notes: 'slower',
  })
})

test('to edit is to do all that the owner does but remove the project', async () => {
  const editor = await somebody()
  await share(editor.email, { can_edit: true })
  expect(await tryAll(editor)).toEqual(all(200))
  await owner.call('POST', `/v1/projects/${project}/archive`)
  expect((await editor.request('PATCH', `/v1/segments/${line}`, { gap_after: 1 })).body.type).toContain('archived')
  expect((await editor.request('DELETE', `/v1/projects/${project}`)).status).toBeGreaterThanOrEqual(403)
  await owner.call('POST', `/v1/projects/${project}/restore`)
})

test('a role that may not is not widened by a share', async () => {
  const viewer = await somebody(['viewer'])
  await share(viewer.email, { can_edit: true })
  expect(await tryAll(viewer)).toEqual({ ...all(403), ...seen })
})

test('a share is changed, taken back and given again', async () => {
  const person = await somebody()
  const shared = await share(person.email)
  await owner.call('PATCH', `/v1/project-shares/${shared.id}`, { can_edit: true })
  expect((await person.request('PATCH', `/v1/segments/${line}`, { gap_after: 2 })).status).toBe(200)
  expect(await owner.call('DELETE', `/v1/project-shares/${shared.id}`)).toMatchObject({
    revoked_at: expect.any(String),
  })
  expect((await person.request('GET', `/v1/segments/${line}`)).status).toBe(404)
  const again = await owner.call('POST', '/v1/project-shares', { project_id: project, user_id: person.id })
  expect(again).toMatchObject({ id: shared.id, revoked_at: null, can_edit: false })
  expect((await person.request('GET', `/v1/segments/${line}`)).status).toBe(200)
})

test('shares are listed for the owner, whoever made them', async () => {
  const editor = await somebody()
  const invited = await somebody()
  await share(editor.email, { can_edit: true })
  const made = await editor.call('POST', '/v1/project-shares', { project_id: project, email: invited.email })
  const listed = (await owner.call('GET', `/v1/project-shares?project_id=${project}`)).items
  expect(listed.map((one: { id: string }) => one.id)).toContain(made.id)
  expect((await invited.call('GET', '/v1/project-shares')).items).toHaveLength(1)
  await owner.call('DELETE', `/v1/project-shares/${made.id}`)
})

test('nobody is shared with who is not there, or owns it', async () => {
  const refused = async (body: object, field: string) =>
    expect(await owner.request('POST', '/v1/project-shares', { project_id: project, ...body })).toMatchObject({
      status: 400,
      body: { field },
    })
  await refused({ email: 'nobody@example.com' }, 'email')
  await refused({ email: owner.email }, 'email')
  await refused({}, 'user_id')
  const elsewhere = await app.addTenant('over-there')
  await refused({ user_id: (await somebody(['creator'], elsewhere)).id }, 'user_id')
})

test('comments are answered for: resolved by editors, reworded by their writer, removed by them', async () => {
  const writer = await somebody(['validator'])
  await share(writer.email, { can_comment: true })
  const comment = await writer.call('POST', '/v1/comments', { project_id: project, segment_id: line, text: 'Hm.' })
  expect(comment).toMatchObject({ chapter_id: chapter, user_id: writer.id })
  expect((await owner.request('PATCH', `/v1/comments/${comment.id}`, { text: 'Mine' })).status).toBe(403)
  expect(await owner.call('POST', `/v1/comments/${comment.id}/resolve`)).toMatchObject({
    resolved_at: expect.any(String),
  })
  expect(await writer.call('POST', `/v1/comments/${comment.id}/resolve`, { resolved: false })).toMatchObject({
    resolved_at: null,
  })
  expect(await writer.call('PATCH', `/v1/comments/${comment.id}`, { text: 'Ah.' })).toMatchObject({ text: 'Ah.' })
  expect((await owner.request('DELETE', `/v1/comments/${comment.id}`)).status).toBe(404)
  await writer.call('DELETE', `/v1/comments/${comment.id}`)
  const bad = { project_id: project, segment_id: crypto.randomUUID(), text: 'x' }
  expect(await writer.request('POST', '/v1/comments', bad)).toMatchObject({
    status: 400,
    body: { field: 'segment_id' },
  })
})
