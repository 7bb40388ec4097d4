import { setTimeout as wait } from 'node:timers/promises'
import pino from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { cloneDatabase } from '../../test/database.ts'
import { testSecret } from '../../test/global-postgres.ts'
import { readConfig } from './config.ts'
import { type Tx, scoped } from './database.ts'
import { Problem } from './errors.ts'
import { on } from './events.ts'
import { job } from './jobs.ts'
import { type Kernel, closeKernel, emit, enqueue, openKernel } from './kernel.ts'
import { roleUrls } from './migrate.ts'
import type { Services } from './operation.ts'
import { startQueue } from './queue.ts'

declare module './events.ts' {
  interface EventPayloads {
    'test.happened': { what: string }
  }
}

const tenant = '00000000-0000-0000-0000-0000000000aa'
const runs: string[] = []
const heard: string[] = []
let release = () => {}

const quick = job({
  name: 'test.quick',
  payload: z.object({ say: z.string() }),
  run: async (_, { say }) => ({ said: say }),
})
const flaky = job({
  name: 'test.flaky',
  payload: z.object({}),
  async run() {
    runs.push('flaky')
    if (runs.filter((run) => run === 'flaky').length < 2) throw new Error('the first time it breaks')
  },
})
const wrong = job({
  name: 'test.wrong',
  payload: z.object({}),
  run: async () => Promise.reject(new Problem(422, 'bad_thing', 'It cannot be done.', { field: 'thing' })),
})
const long = job({
  name: 'test.long',
  payload: z.object({ name: z.string(), project_id: z.uuid().optional() }),
  async run(context, { name }) {
    runs.push(`start ${name}`)
    await new Promise<void>((resolve, reject) => {
      release = resolve
      context.signal.addEventListener('abort', () => reject(context.signal.reason))
    })
    runs.push(`end ${name}`)
  },
})

let database: Awaited<ReturnType<typeof cloneDatabase>>
let kernel: Kernel

async function open(alone: boolean): Promise<Kernel> {
  const config = readConfig({ VOICEPRESS_SECRET: testSecret, DATABASE_URL: database.url, VOICEPRESS_WORKERS: '3' })
  const subscriptions = [on('test.happened', async (_, { what }) => void heard.push(what))]
  const opened = openKernel(config, pino({ level: 'silent' }), roleUrls(database.url, testSecret), {} as Services, [
    { name: 'test', tables: [], operations: [], jobs: [quick, flaky, wrong, long], subscriptions },
  ])
  await startQueue(opened, { alone })
  return opened
}

const inTenant = <T>(work: (tx: Tx) => Promise<T>) => scoped(kernel.pool, { tenant, user: null, seesAll: true }, work)
const row = (id: string) =>
  inTenant((tx) => tx.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow())

async function until(id: string, status: string) {
  for (let tries = 0; ; tries++) {
    const found = await row(id)
    if (found.status === status) return found
    if (tries > 400) throw new Error(`the job is ${found.status} and never became ${status}`)
    await wait(25)
  }
}

beforeAll(async () => {
  database = await cloneDatabase()
  kernel = await open(true)
})
afterAll(async () => {
  await closeKernel(kernel)
  await database.drop()
})

test('a job runs when its transaction commits, and not when it is rolled back', async () => {
  const id = await inTenant((tx) => enqueue(tx, quick, { say: 'hello' }, { user: null }))
  expect(await until(id, 'completed')).toMatchObject({ progress: 100, result: { said: 'hello' } })
  let lost = ''
  await inTenant(async (tx) => {
    lost = await enqueue(tx, quick, { say: 'never' }, { user: null })
    throw new Problem(400, 'changed_my_mind', 'No.')
  }).catch(() => {})
  expect(await inTenant((tx) => tx.selectFrom('jobs').select('id').where('id', '=', lost).execute())).toEqual([])
})

test('an error is tried again, a problem is told', async () => {
  const [one, other] = await inTenant(async (tx) => [
    await enqueue(tx, flaky, {}, { user: null }),
    await enqueue(tx, wrong, {}, { user: null }),
  ])
  expect(await until(other as string, 'failed')).toMatchObject({
    error: { field: 'thing', detail: 'It cannot be done.' },
    attempts: 1,
  })
  expect(await until(one as string, 'completed')).toMatchObject({ attempts: 2 })
})

test('cancelling stops the work, before and while it runs', async () => {
  const project_id = crypto.randomUUID()
  const first = await inTenant((tx) =>
    enqueue(tx, long, { name: 'first', project_id }, { user: null, subject: project_id }),
  )
  const second = await inTenant((tx) =>
    enqueue(tx, long, { name: 'second', project_id }, { user: null, subject: project_id }),
  )
  await until(first, 'processing')
  await inTenant((tx) =>
    tx.updateTable('jobs').set({ cancel_requested: true }).where('id', 'in', [first, second]).execute(),
  )
  await until(first, 'cancelled')
  await until(second, 'cancelled')
  expect(runs).toContain('start first')
  expect(runs).not.toContain('start second')
})

test('jobs on one subject run one after the other, and one with a known key is not started twice', async () => {
  const project_id = crypto.randomUUID()
  const start = (name: string, key: string) =>
    inTenant((tx) => enqueue(tx, long, { name, project_id }, { user: null, subject: project_id, key }))
  const one = await start('one', 'a')
  const two = await start('two', 'b')
  expect(await start('one again', 'a')).toBe(one)
  await until(one, 'processing')
  await wait(100)
  expect((await row(two)).status).toBe('queued')
  release()
  await until(one, 'completed')
  await until(two, 'processing')
  release()
  await until(two, 'completed')
})

test('a process that stops puts its job back, and the next one goes on at once', async () => {
  const id = await inTenant((tx) => enqueue(tx, long, { name: 'interrupted' }, { user: null }))
  await until(id, 'processing')
  await closeKernel(kernel)
  kernel = await open(true)
  expect(await until(id, 'processing')).toMatchObject({ attempts: 1 })
  release()
  await until(id, 'completed')
  expect(runs.filter((run) => run === 'start interrupted')).toHaveLength(2)
})

test('an event reaches its subscribers after it was committed', async () => {
  await inTenant((tx) => emit(tx, 'test.happened', { what: 'something' }))
  for (let tries = 0; tries < 200 && heard.length === 0; tries++) await wait(25)
  expect(heard).toEqual(['something'])
})
