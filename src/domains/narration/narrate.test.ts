import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestApp, openTestApp } from '../../../test/app.ts'
import { finished, tinyProject } from '../../../test/tiny-story.ts'

let app: TestApp
beforeAll(async () => {
  app = await openTestApp()
})
afterAll(() => app.close())

test('a text becomes an M4B that can be downloaded', async () => {
  const owner = await app.addPerson(app.admin.tenant, 'creator@example.com', ['creator'])
  const id = await tinyProject(app, owner, { narrated: true })
  console.log(await owner.call('GET', `/v1/projects/${id}`))
  const packing = await owner.call('POST', '/v1/packages', { project_id: id, format: 'm4b' })
  const { result } = await finished(app, owner, packing.job_id)
  const made = await owner.call('GET', `/v1/packages/${result.package_id}`)
  console.log(JSON.stringify(made).slice(0, 1500))
  expect(made).toMatchObject({ format: 'm4b', filename: 'the-lamp.m4b' })
})
