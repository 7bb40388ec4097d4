import { writeFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorkerPool, type WorkerPool } from './worker-pool.ts'

type Job = number | 'die' | 'hang' | 'throw'

let folder: string
let module: URL
const pools: WorkerPool<Job, number>[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pool-'))
  const file = join(folder, 'square.mjs')
  await writeFile(
    file,
    `import { parentPort, threadId } from 'node:worker_threads'
     parentPort.on('message', ({ id, job }) => {
       if (job === 'die') process.exit(7)
       if (job === 'throw') throw new Error('broken ' + threadId)
       if (job === 'hang') for (;;);
       parentPort.postMessage({ id, result: job * job })
     })`,
  )
  module = pathToFileURL(file)
})
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.close()))
  await rm(folder, { recursive: true })
})

function open(threads: number, timeLimit = 20): WorkerPool<Job, number> {
  const pool = openWorkerPool<Job, number>({ module, threads, timeLimit })
  pools.push(pool)
  return pool
}

test('every job has its own answer', async () => {
  const pool = open(2)
  const jobs = Array.from({ length: 200 }, (_, i) => i)
  expect(await Promise.all(jobs.map((job) => pool.run(job)))).toEqual(jobs.map((job) => job * job))
})

test.each(['die', 'throw'] as const)(
  'a job that kills its thread (%s) fails; those around it are done by another thread',
  async (deadly) => {
    const pool = open(1)
    const jobs: Job[] = [1, 2, deadly, 3, 4, 5]
    const outcomes = await Promise.allSettled(jobs.map((job) => pool.run(job)))
    expect(
      outcomes.map((outcome) =>
        outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as { type: string }).type,
      ),
    ).toEqual([1, 4, 'speech_failed', 9, 16, 25])
  },
)

test('a job that hangs is ended after its time, and the others go on', async () => {
  const pool = open(1, 0.3)
  const outcomes = await Promise.allSettled([pool.run('hang'), pool.run(6)])
  expect(outcomes).toMatchObject([
    { status: 'rejected', reason: { type: 'speech_failed', message: expect.stringContaining('0.3 s') } },
    { value: 36 },
  ])
})

test('an aborted job rejects with the reason at once, waiting or under way', async () => {
  const pool = open(1)
  const controller = new AbortController()
  const reason = new Error('enough')
  const jobs = Array.from({ length: 20 }, (_, i) => pool.run(i, controller.signal))
  controller.abort(reason)
  for (const outcome of await Promise.allSettled(jobs)) expect(outcome).toEqual({ status: 'rejected', reason })
  expect(await pool.run(9)).toBe(81)
})

test('closing rejects what is left', async () => {
  const pool = open(1)
  const jobs = Promise.allSettled([pool.run(1), pool.run(2), pool.run(3), pool.run(4), pool.run(5)])
  await pool.close()
  for (const outcome of await jobs)
    expect(outcome).toMatchObject({ status: 'rejected', reason: { type: 'speech_closed' } })
  await expect(pool.run(1)).rejects.toMatchObject({ type: 'speech_closed' })
})
