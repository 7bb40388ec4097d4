import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestApp, openTestApp } from '../../../test/app.ts'
import { type MailServer, openMailServer, tokenIn } from '../../../test/mail-server.ts'
import { ask, queryAsOwner, signIn, until } from '../../../test/sign-in.ts'
import { scoped } from '../../kit/database.ts'
import { enqueue } from '../../kit/kernel.ts'
import { letterToPerson } from './send-letter.job.ts'

let app: TestApp
let mail: MailServer
const strong = 'sovereign-marmalade-92-tulip'

beforeAll(async () => {
  mail = await openMailServer()
  app = await openTestApp({
    environment: { SMTP_URL: mail.url, MAIL_FROM: 'studio@example.com', VOICEPRESS_RATE_LIMITS: 'false' },
  })
})
afterAll(async () => {
  await app.close()
  await mail.close()
})

const letterTo = (address: string, subject?: RegExp) => mail.letterTo(address, subject)
const post = (path: string, body: unknown, headers?: Record<string, string>) => ask(app, 'POST', path, body, headers)

test('an invitation brings in one person, with the roles it names, once', async () => {
  const invitation = await app.admin.call('POST', '/v1/invitations', {
    email: 'Ada@Example.org',
    full_name: 'Ada',
    roles: ['creator'],
    locale: 'de',
  })
  expect(JSON.stringify(invitation)).not.toContain('token')
  const letter = await letterTo('ada@example.org')
  expect(letter).toMatchObject({
    subject: expect.stringContaining('lädt dich'),
    from: { address: 'studio@example.com' },
  })
  expect(letter.html).toContain(tokenIn(letter))
  const token = tokenIn(letter)
  expect((await post('/v1/invitations/accept', { token, password: 'too short' })).status).toBe(400)
  expect((await post('/v1/invitations/accept', { token, password: strong, roles: ['admin'] })).status).toBe(400)
  const accepted = await post('/v1/invitations/accept', { token, password: strong })
  expect(accepted).toMatchObject({
    status: 200,
    body: { email: 'ada@example.org', roles: ['creator'], email_verified: true, locale: 'de' },
  })
  expect((await post('/v1/invitations/accept', { token, password: strong })).body.type).toBe(
    'urn:voicepress:problem:invalid_link',
  )
  expect((await signIn(app, 'ada@example.org', { password: strong })).status).toBe(200)
  expect(
    (await app.admin.request('POST', '/v1/invitations', { email: 'ada@example.org', roles: ['viewer'] })).status,
  ).toBe(409)
})

test('an invitation that was taken back, sent again or has expired does not open anything', async () => {
  const open = async (email: string) => {
    const { id } = await app.admin.call('POST', '/v1/invitations', { email, roles: ['viewer'] })
    return { id, token: tokenIn(await letterTo(email)) }
  }
  const back = await open('back@example.org')
  await app.admin.call('DELETE', `/v1/invitations/${back.id}`)
  const again = await open('again@example.org')
  await app.admin.call('POST', `/v1/invitations/${again.id}/resend`)
  const fresh = tokenIn(await letterTo('again@example.org'))
  const late = await open('late@example.org')
  await queryAsOwner(app, `update invitations set expires_at = now() - interval '1 second' where id = $1`, [late.id])
  for (const token of [back.token, again.token, late.token, 'vi_nonsense', fresh.replace(/.$/, '0')])
    expect((await post('/v1/invitations/accept', { token, password: strong })).body.type).toBe(
      'urn:voicepress:problem:invalid_link',
    )
  expect((await post('/v1/invitations/accept', { token: fresh, password: strong })).status).toBe(200)
})

test('nobody invites to more than they hold', async () => {
  const manager = await app.addPerson(app.admin.tenant, 'inviter@example.com', ['manager'])
  expect((await manager.request('POST', '/v1/invitations', { email: 'x@example.org', roles: ['admin'] })).status).toBe(
    403,
  )
})

test('a forgotten password is chosen anew by a letter, which works once; every session ends', async () => {
  const person = await app.addPerson(app.admin.tenant, 'forgetful@example.com', ['creator'])
  const program = (await signIn(app, person.email, { kind: 'program' })).body
  expect(await post('/v1/passwords/forgot', { email: 'Forgetful@example.com' })).toMatchObject({
    status: 200,
    body: {},
  })
  const first = tokenIn(await letterTo(person.email, /new password/))
  await post('/v1/passwords/forgot', { email: person.email })
  const token = tokenIn(await letterTo(person.email, /new password/))
  const kept = JSON.stringify([
    await queryAsOwner(app, 'select t::text from password_reset_tokens t'),
    await queryAsOwner(app, 'select t::text from jobs t'),
    await queryAsOwner(app, 'select t::text from audit_logs t'),
  ])
  expect(kept).not.toContain(token)
  expect((await post('/v1/passwords/reset', { token: first, password: strong })).status).toBe(400)
  expect((await post('/v1/passwords/reset', { token, password: 'password1234' })).status).toBe(400)
  expect((await post('/v1/passwords/reset', { token, password: strong })).status).toBe(200)
  expect((await post('/v1/passwords/reset', { token, password: `${strong}-2` })).status).toBe(400)
  expect((await person.request('GET', '/v1/me')).status).toBe(401)
  expect((await post('/v1/sessions/refresh', { refresh_token: program.refresh_token })).status).toBe(401)
  expect((await signIn(app, person.email, { password: strong })).status).toBe(200)
  expect((await letterTo(person.email, /was changed/)).text).toContain('If that was not you')
})

test('of two who come with the same link at once one gets through', async () => {
  const person = await app.addPerson(app.admin.tenant, 'race@example.com', ['creator'])
  await post('/v1/passwords/forgot', { email: person.email })
  const token = tokenIn(await letterTo(person.email))
  const replies = await Promise.all(
    [1, 2, 3, 4].map((n) => post('/v1/passwords/reset', { token, password: `${strong}-${n}` })),
  )
  expect(replies.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400])
})

test('a letter leads to this server, whatever host the request names', async () => {
  const person = await app.addPerson(app.admin.tenant, 'poisoned@example.com', ['creator'])
  // fetch sets its own host.
  const { request } = await import('node:http')
  await new Promise<void>((resolve, reject) => {
    const sent = request(
      `${app.url}/v1/passwords/forgot`,
      {
        method: 'POST',
        headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'content-type': 'application/json' },
      },
      (reply) => reply.resume().on('end', resolve),
    )
    sent.on('error', reject).end(JSON.stringify({ email: person.email }))
  })
  const letter = await letterTo(person.email)
  expect(`${letter.text} ${letter.html}`).not.toContain('evil.example')
  expect(tokenIn(letter)).toMatch(/^vr_/)
})

test('a suspended person gets no letter to choose a password with', async () => {
  const person = await app.addPerson(app.admin.tenant, 'quiet@example.com', ['creator'])
  await app.admin.call('PATCH', `/v1/users/${person.id}`, { suspended: true })
  await post('/v1/passwords/forgot', { email: person.email })
  await until(async () =>
    (
      await queryAsOwner(app, `select id from jobs where status = 'completed' and payload->>'email' = $1`, [
        person.email,
      ])
    ).length
      ? true
      : undefined,
  )
  expect(mail.boxOf(person.email)).toEqual([])
})

test('an address is confirmed, and a new one holds only once it was', async () => {
  const person = await app.addPerson(app.admin.tenant, 'moving@example.com', ['creator'])
  await person.call('POST', '/v1/me/email/verification')
  const token = tokenIn(await letterTo(person.email))
  expect((await person.call('GET', '/v1/me')).email_verified).toBe(false)
  expect((await post('/v1/email/verify', { token })).body).toEqual({ email: person.email })
  expect((await post('/v1/email/verify', { token })).status).toBe(400)
  expect((await person.call('GET', '/v1/me')).email_verified).toBe(true)

  expect(
    (await person.request('POST', '/v1/me/email', { email: 'moved@example.com', current_password: 'a guess' })).status,
  ).toBe(403)
  await person.call('POST', '/v1/me/email', { email: 'moved@example.com', current_password: 'correct horse battery' })
  const moved = tokenIn(await letterTo('moved@example.com'))
  expect((await person.call('GET', '/v1/me')).email).toBe('moving@example.com')
  expect((await post('/v1/email/verify', { token: moved })).body).toEqual({ email: 'moved@example.com' })
  expect((await signIn(app, 'moved@example.com')).status).toBe(200)
  expect((await letterTo('moving@example.com', /address was changed/)).text).toContain('moved@example.com')
  await app.addPerson(app.admin.tenant, 'taken@example.com', ['viewer'])
  const taking = await person.request('POST', '/v1/me/email', {
    email: 'taken@example.com',
    current_password: 'correct horse battery',
  })
  expect(taking.status).toBe(200)
  expect((await post('/v1/email/verify', { token: tokenIn(await letterTo('taken@example.com')) })).status).toBe(409)
})

test('letters of a kind end with one click, by whoever holds the letter and for that kind alone', async () => {
  const person = await app.addPerson(app.admin.tenant, 'reader@example.com', ['creator'])
  const send = (kind: 'activity' | 'reports' | 'marketing_emails') =>
    scoped(app.kernel.pool, { tenant: person.tenant, user: null, seesAll: true }, (tx) =>
      enqueue(
        tx,
        letterToPerson,
        { user_id: person.id, kind, subject: `Of ${kind}`, paragraphs: ['News.'], origin: 'http://localhost:7420' },
        { user: null },
      ),
    )
  const done = async (id: string) =>
    until(async () =>
      (await queryAsOwner(app, `select id from jobs where id = $1 and status = 'completed'`, [id])).length
        ? true
        : undefined,
    )
  await send('activity')
  const letter = await letterTo(person.email)
  const header = (name: string) => letter.headers.find(({ key }) => key === name)?.value ?? ''
  expect(header('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click')
  const url = new URL(header('list-unsubscribe').slice(1, -1))
  const path = url.pathname + url.search
  // A program that looks at links changes nothing by it.
  const look = await ask(app, 'GET', path)
  expect([look.status, look.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  expect((await person.call('GET', '/v1/me/mail-preferences')).activity).toBe(true)
  const clicked = await fetch(app.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'List-Unsubscribe=One-Click',
  })
  expect(clicked.status).toBe(200)
  expect(await person.call('GET', '/v1/me/mail-preferences')).toEqual({
    activity: false,
    reports: true,
    product_updates: true,
    marketing_emails: false,
    security_alerts: true,
  })
  await done(await send('activity'))
  await done(await send('marketing_emails'))
  expect(mail.boxOf(person.email)).toEqual([])
  await send('reports')
  expect((await letterTo(person.email)).subject).toBe('Of reports')
  await person.call('PATCH', '/v1/me/mail-preferences', { activity: true })
  expect((await person.call('GET', '/v1/me/mail-preferences')).activity).toBe(true)

  const [body = '', signature = ''] = (url.searchParams.get('token') ?? '').split('.')
  const forged = Buffer.from(Buffer.from(body, 'base64url').toString().replace(person.id, app.admin.id)).toString(
    'base64url',
  )
  for (const token of [`${forged}.${signature}`, `${body}.`, body, 'x.y'])
    expect((await ask(app, 'POST', `/v1/mail/unsubscribe?token=${token}`)).status).toBe(400)
})

test('a form of another page reaches only what is meant for forms', async () => {
  const response = await fetch(`${app.url}/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'email=owner%40example.com&password=correct+horse+battery',
  })
  expect(response.status).toBe(415)
})
