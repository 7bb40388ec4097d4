import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Person, type TestApp, openTestApp } from '../../../test/app.ts'

let app: TestApp
beforeAll(async () => {
  app = await openTestApp({ work: false })
})
afterAll(() => app.close())

test('people say who they are, and nothing about what they may do', async () => {
  const person: Person = await app.addPerson(app.admin.tenant, 'profile@example.com', ['viewer'])
  expect(
    await person.call('PATCH', '/v1/me', { display_name: 'Ada L.', username: 'ada', locale: 'pt-br' }),
  ).toMatchObject({ display_name: 'Ada L.', locale: 'pt-BR' })
  expect((await person.request('PATCH', '/v1/me', { locale: 'not a tag' })).status).toBe(400)
  for (const forbidden of [
    { roles: ['admin'] },
    { email: 'x@example.com' },
    { email_verified: true },
    { tenant_id: crypto.randomUUID() },
    { metadata: { a: 1 } },
    { attributes: { a: 'b' } },
    { external_subject: 'x' },
    { password_hash: 'x' },
  ])
    expect.soft((await person.request('PATCH', '/v1/me', forbidden)).status, JSON.stringify(forbidden)).toBe(400)
  const other = await app.addPerson(app.admin.tenant, 'colleague@example.com', ['viewer'])
  expect((await other.request('PATCH', '/v1/me', { username: 'ADA' })).status).toBe(409)
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  )
  const form = new FormData()
  form.set('file', new Blob([png]), 'me.png')
  const set = await fetch(`${app.url}/v1/me/avatar`, {
    method: 'PUT',
    body: form,
    headers: { authorization: `Bearer ${person.token}` },
  })
  expect(await set.json()).toEqual({ avatar_url: `/v1/profiles/${person.id}/avatar` })
  expect(await other.call('GET', `/v1/profiles/${person.id}`)).toMatchObject({
    display_name: 'Ada L.',
    avatar_url: `/v1/profiles/${person.id}/avatar`,
  })
  const shown = await fetch(`${app.url}/v1/profiles/${person.id}/avatar`, {
    headers: { authorization: `Bearer ${other.token}` },
  })
  expect([
    shown.headers.get('content-type'),
    shown.headers.get('x-content-type-options'),
    Buffer.from(await shown.arrayBuffer()).equals(png),
  ]).toEqual(['image/png', 'nosniff', true])
  for (const hostile of [
    '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    '<html><script>alert(1)</script>',
    '',
  ]) {
    const bad = new FormData()
    bad.set('file', new Blob([hostile]), 'me.png')
    expect
      .soft(
        (
          await fetch(`${app.url}/v1/me/avatar`, {
            method: 'PUT',
            body: bad,
            headers: { authorization: `Bearer ${person.token}` },
          })
        ).status,
      )
      .toBe(415)
  }
  await person.call('DELETE', '/v1/me/avatar')
  expect((await other.request('GET', `/v1/profiles/${person.id}/avatar`)).status).toBe(404)
})
