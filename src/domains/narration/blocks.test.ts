import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Person, type TestApp, openTestApp } from '../../../test/app.ts'
import { finished, tinyProject } from '../../../test/tiny-story.ts'
import { scoped } from '../../kit/database.ts'

/** About four minutes in one chapter. */
const sentences = Array.from(
  { length: 40 },
  (_, i) =>
    `On day ${i + 1} the keeper of the lamp walked down to the harbour, looked at the sea, and wrote into his book what he had seen there.`,
)
const story = `The Keeper\n\nChapter 1\n\n${sentences.join('\n\n')}\n`
const edited = story.replace('On day 20 the keeper', 'On day 20 the daughter of the keeper')

let app: TestApp
let owner: Person
let folder: string

beforeAll(async () => {
  app = await openTestApp()
  owner = await app.addPerson(app.admin.tenant, 'keeper@example.com', ['creator'])
  folder = await mkdtemp(join(tmpdir(), 'voicepress-blocks-'))
})
afterAll(async () => {
  await app.close()
  await rm(folder, { recursive: true, force: true })
})

const chapterOf = async (project: string) =>
  scoped(app.kernel.pool, { tenant: owner.tenant, user: owner.id, seesAll: true }, async (tx) => {
    const row = await tx
      .selectFrom('chapters')
      .selectAll()
      .where('project_id', '=', project)
      .where('included', '=', true)
      .executeTakeFirstOrThrow()
    const { storage } = app.kernel.services
    const m4a = row.audio_blob ?? ''
    return {
      row,
      blocks: row.audio_blocks ?? [],
      m4a: await storage.read(m4a),
      aac: await storage.read(m4a.replace(/m4a$/, 'aac')),
    }
  })
const generate = async (path: string, body = {}) =>
  finished(app, owner, (await owner.call('POST', `/v1/${path}/generate`, body)).job_id)

test('a changed sentence makes its own block anew, and the chapter has the bytes of one made in one go', async () => {
  const project = await tinyProject(app, owner, { story, narrated: true })
  const before = await chapterOf(project)
  expect(before.blocks.length).toBeGreaterThan(3)
  expect(before.blocks.reduce((sum, { length }) => sum + length, 0)).toBe(before.aac.length)

  await finished(app, owner, (await owner.upload(`/v1/projects/${project}/manuscript`, 'lamp.txt', edited)).body.job_id)
  await generate(`projects/${project}`)
  const after = await chapterOf(project)
  const known = new Set(before.blocks.map(({ key }) => key))
  const anew = after.blocks.filter(({ key }) => !known.has(key))
  expect(anew.length).toBeGreaterThan(0)
  expect(anew.length).toBeLessThanOrEqual(2)
  expect(after.aac).not.toEqual(before.aac)

  const other = await chapterOf(await tinyProject(app, owner, { story: edited, narrated: true }))
  expect(Buffer.compare(after.aac, other.aac)).toBe(0)
  expect(Buffer.compare(after.m4a, other.m4a)).toBe(0)
  for (const same of ['audio_blocks', 'levels', 'timings', 'audio_seconds'] as const)
    expect(after.row[same]).toEqual(other.row[same])
  expect(await app.kernel.services.storage.stat(before.row.audio_blob ?? '')).toBeNull()

  // With the older chapter gone all of it is made anew, to the same bytes.
  await app.kernel.services.storage.remove((after.row.audio_blob ?? '').replace(/m4a$/, 'aac'))
  await generate(`chapters/${after.row.id}`, { force: true })
  expect(Buffer.compare((await chapterOf(project)).aac, after.aac)).toBe(0)
})

test('what was measured block by block is what a measurement of the whole book finds', async () => {
  const project = await tinyProject(app, owner, { story, narrated: true })
  const { result } = await finished(
    app,
    owner,
    (await owner.call('POST', '/v1/packages', { project_id: project, format: 'm4b' })).job_id,
  )
  const { delivery } = await owner.call('GET', `/v1/packages/${result.package_id}`)
  const file = join(folder, 'book.m4b')
  const download = await fetch(`${app.url}/v1/packages/${result.package_id}/file`, {
    headers: { authorization: `Bearer ${owner.token}` },
  })
  await writeFile(file, new Uint8Array(await download.arrayBuffer()))
  const checked = await app.kernel.services.media.check([file], 'm4b')
  const figures = (report: any) => report.files[0].figures.map(({ name, verdict }: any) => `${name} ${verdict}`)
  expect(figures(delivery)).toEqual(figures(checked))
  for (const [index, { name, value }] of delivery.files[0].figures.entries()) {
    const found = checked.files[0]?.figures[index]?.value
    if (typeof value === 'number') expect(Math.abs(value - (found as number)), name).toBeLessThan(0.3)
    else expect(value).toEqual(found)
  }
})
