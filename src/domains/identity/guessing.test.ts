import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestApp, openTestApp, testPassword } from '../../../test/app.ts'
import { ask, queryAsOwner, signIn } from '../../../test/sign-in.ts'

let app: TestApp
beforeAll(async () => {
  // A proxy that is believed lets each request come from an address of its own.
  app = await openTestApp({
    work: false,
    environment: { VOICEPRESS_RATE_LIMITS: 'false', VOICEPRESS_TRUST_PROXY: 'true' },
  })
})
afterAll(() => app.close())

let next = 0
const elsewhere = () => ({ 'x-forwarded-for': `198.18.${(++next >> 8) & 255}.${next & 255}` })
const guess = (email: string, headers: Record<string, string>, password = `wrong ${next} password`) =>
  ask(app, 'POST', '/v1/sessions', { email, password }, headers)
const statuses = async (replies: Promise<{ status: number }>[]) =>
  (await Promise.all(replies)).map(({ status }) => status)
const count = (all: number[], status: number) => all.filter((one) => one === status).length

test('guesses at one account from many addresses are limited, all at once too, and the right one among them is not told', async () => {
  const { email, id } = await app.addPerson(app.admin.tenant, 'guessed@example.com', ['viewer'])
  const replies = await statuses(Array.from({ length: 40 }, () => guess(email, elsewhere())))
  expect([count(replies, 401), count(replies, 429)]).toEqual([10, 30])
  const right = await signIn(app, email, {}, elsewhere())
  expect(right.status).toBe(429)
  expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(0)
  const told = await queryAsOwner(
    app,
    `select payload from events where name = 'security.sign_in_blocked' and payload->>'user_id' = $1`,
    [id],
  )
  expect(told).toHaveLength(1)
})

test('strangers who guess do not keep its owner out of where they have signed in before', async () => {
  const { email } = await app.addPerson(app.admin.tenant, 'owner-at-home@example.com', ['viewer'])
  const home = { 'x-forwarded-for': '203.0.113.77' }
  expect((await signIn(app, email, {}, home)).status).toBe(200)
  await Promise.all(Array.from({ length: 15 }, () => guess(email, elsewhere())))
  expect((await signIn(app, email, {}, elsewhere())).status).toBe(429)
  expect((await signIn(app, email, {}, home)).status).toBe(200)
  // Nor is home a place to guess from for ever.
  const replies: number[] = []
  for (let round = 0; round < 12; round++) replies.push((await guess(email, home)).status)
  expect(count(replies, 429)).toBeGreaterThan(0)
})

test('nobody is locked out for ever, and who proves that the mailbox is theirs is not at all', async () => {
  const { email, id, tenant } = await app.addPerson(app.admin.tenant, 'patient@example.com', ['viewer'])
  await Promise.all(Array.from({ length: 12 }, () => guess(email, elsewhere())))
  expect((await signIn(app, email, {}, elsewhere())).status).toBe(429)
  await queryAsOwner(app, `update login_attempts set created_at = created_at - interval '16 minutes'`)
  expect((await signIn(app, email, {}, elsewhere())).status).toBe(200)
  await Promise.all(Array.from({ length: 12 }, () => guess(email, elsewhere())))
  const { hashToken, makeTenantToken } = await import('./tokens.ts')
  const token = makeTenantToken('vr', tenant)
  await queryAsOwner(
    app,
    `insert into password_reset_tokens (tenant_id, user_id, token_hash, expires_at) values ($1, $2, $3, now() + interval '1 hour')`,
    [tenant, id, hashToken(token)],
  )
  expect(
    (await ask(app, 'POST', '/v1/passwords/reset', { token, password: 'sovereign-marmalade-92-tulip' })).status,
  ).toBe(200)
  expect((await signIn(app, email, { password: 'sovereign-marmalade-92-tulip' }, elsewhere())).status).toBe(200)
})

test('one address cannot try one password on many accounts, not even by signing in to its own in between', async () => {
  const { email } = await app.addPerson(app.admin.tenant, 'sprayer@example.com', ['viewer'])
  for (const address of ['203.0.113.9', '2001:db8::1']) {
    const replies: number[] = []
    for (let account = 0; account < 60; account++) {
      // Of IPv6 one has a whole network.
      const from = { 'x-forwarded-for': address.includes(':') ? `2001:db8::${account + 1}` : address }
      if (account % 10 === 5) await signIn(app, email, {}, from)
      replies.push((await guess(`somebody-${account}@example.com`, from, testPassword)).status)
    }
    expect([count(replies, 401), count(replies, 429)]).toEqual([50, 10])
  }
})

test('an address that has no account is limited and answered just as one that has', async () => {
  const { email } = await app.addPerson(app.admin.tenant, 'there@example.com', ['viewer'])
  const answers = async (email: string) => {
    const replies = []
    for (let round = 0; round < 12; round++) replies.push(await guess(email, elsewhere()))
    return replies.map(({ status, body, headers }) => [
      status,
      { ...body, request_id: '' },
      headers.get('retry-after'),
      [...headers.keys()].sort(),
    ])
  }
  expect(await answers(email)).toEqual(await answers('nobody-there@example.com'))
  const forgot = async (email: string) => {
    const replies = []
    for (let round = 0; round < 5; round++)
      replies.push(await ask(app, 'POST', '/v1/passwords/forgot', { email }, elsewhere()))
    return replies.map(({ status, body }) => [status, { ...body, request_id: '' }])
  }
  expect(await forgot(email)).toEqual(await forgot('nobody-there@example.com'))
})

/** How often a value of the one is above a value of the other: 0.5 when nothing tells them apart, 0 or 1 when everything does (Mann–Whitney U, scaled). */
function separation(one: number[], other: number[]): number {
  const above = one.flatMap((a) => other.map((b): number => (a > b ? 1 : a === b ? 0.5 : 0)))
  return above.reduce((sum, value) => sum + value, 0) / above.length
}

/** Milliseconds until the answer, which must be the expected one: an answer of another kind would be measured for something else. */
async function time(status: number, work: () => Promise<{ status: number }>): Promise<number> {
  const began = performance.now()
  const reply = await work()
  const taken = performance.now() - began
  expect(reply.status).toBe(status)
  return taken
}

interface Round {
  /** How far known and unknown are apart: 0 when nothing tells them apart, 0.5 when everything does. */
  apart: number
  /** The same for a difference that is known to be there. */
  seen: number
}

/** A difference stays and noise doesn't, so most of five rounds have to find none, each with eyes that were shown to see one. */
async function requireAlike(measure: () => Promise<Round>): Promise<void> {
  const rounds: Round[] = []
  const alike = () => rounds.filter(({ apart, seen }) => apart < 0.2 && seen > 0.35).length
  while (rounds.length < 5 && alike() < 3) rounds.push(await measure())
  expect(alike(), JSON.stringify(rounds)).toBeGreaterThanOrEqual(3)
}

const repeats = 32

test('how long signing in takes does not tell whether there is an account, nor whether it has a password', async () => {
  const people = await Promise.all(
    ['a', 'b', 'c', 'd'].map((name) => app.addPerson(app.admin.tenant, `timed-${name}@example.com`, ['viewer'])),
  )
  await queryAsOwner(app, `update users set password_hash = null where email = 'timed-d@example.com'`)
  await guess('warm-up@example.com', elsewhere())
  await requireAlike(async () => {
    await queryAsOwner(app, 'delete from login_attempts')
    const known: number[] = []
    const unknown: number[] = []
    const unhashed: number[] = []
    // In turn, so that whatever slows the machine slows all; 8 guesses an account, which is within its limit.
    const guessKnown = async (turn: number) =>
      known.push(await time(401, () => guess(people[turn % 4]?.email as string, elsewhere())))
    const guessUnknown = async (turn: number) =>
      unknown.push(await time(401, () => guess(`nobody-${turn % 4}@example.com`, elsewhere())))
    for (let turn = 0; turn < repeats; turn++) {
      for (const one of turn % 2 ? [guessKnown, guessUnknown] : [guessUnknown, guessKnown]) await one(turn)
      // What an answer that skips the hash would look like.
      unhashed.push(
        await time(401, () => ask(app, 'POST', '/v1/sessions/refresh', { refresh_token: 'vf_x' }, elsewhere())),
      )
    }
    return { apart: Math.abs(separation(known, unknown) - 0.5), seen: separation(unknown, unhashed) - 0.5 }
  })
})

test('how long asking for a new password takes does not tell whether there is an account', async () => {
  const people = await Promise.all(
    Array.from({ length: 16 }, (_, n) => app.addPerson(app.admin.tenant, `forgets-${n}@example.com`, ['viewer'])),
  )
  await requireAlike(async () => {
    await queryAsOwner(app, 'delete from login_attempts')
    const known: number[] = []
    const unknown: number[] = []
    const hashed: number[] = []
    const forgot = (email: string) => ask(app, 'POST', '/v1/passwords/forgot', { email }, elsewhere())
    const askKnown = async (turn: number) =>
      known.push(await time(200, () => forgot(people[turn % 16]?.email as string)))
    const askUnknown = async (turn: number) =>
      unknown.push(await time(200, () => forgot(`nobody-${turn % 16}@example.com`)))
    for (let turn = 0; turn < repeats; turn++) {
      // Each comes first as often as the other: what went before slows what follows.
      for (const one of turn % 2 ? [askKnown, askUnknown] : [askUnknown, askKnown]) await one(turn)
    }
    // As much more as one hash takes.
    for (let turn = 0; turn < repeats; turn++)
      hashed.push(await time(401, () => guess(`nobody-${turn % 16}@example.com`, elsewhere())))
    return { apart: Math.abs(separation(known, unknown) - 0.5), seen: separation(hashed, unknown) - 0.5 }
  })
})

test('passwords that are guessed first are refused, with what would make them better', async () => {
  const { request } = app.admin
  const refused = async (password: string, more: object = {}) =>
    (await request('POST', '/v1/users', { email: 'weak@example.com', password, roles: ['viewer'], ...more })).body
  expect(await refused('short')).toMatchObject({ field: 'password', limit: 12 })
  for (const password of [
    'password1234',
    'aaaaaaaaaaaaaaaa',
    'qwertyuiop[]12',
    'Passw0rd!Passw0rd!',
    'voicepress2026',
    '123456789012345',
  ])
    expect
      .soft(await refused(password), password)
      .toMatchObject({ type: 'urn:voicepress:problem:weak_password', status: 400 })
  expect(await refused('gulliver.swift', { full_name: 'Gulliver Swift' })).toMatchObject({
    type: 'urn:voicepress:problem:weak_password',
  })
  expect(await refused('weak@example.com')).toMatchObject({ type: 'urn:voicepress:problem:weak_password' })
})
