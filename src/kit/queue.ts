import { randomUUID } from 'node:crypto'
import { Logger as QueueLogger, type TaskList, parseCronItems, run } from 'graphile-worker'
import { sql } from 'kysely'
import pg from 'pg'
import { type Tx, scoped } from './database.ts'
import { Problem } from './errors.ts'
import type { JobContext } from './jobs.ts'
import { type Kernel, emit } from './kernel.ts'
import { jobsEnded } from './metrics.ts'
import { listen } from './listen.ts'
import type { Principal } from './operation.ts'

const heartbeat = 2_000
/** A job whose worker has been silent for this long is given to another. */
const lost = 10_000

interface Ticket {
  id: string
  tenant: string
}

/** Work done in the name of the tenant, for the person who asked; it sees all of the tenant's projects. */
const worksFor = (tenant: string, user: string | null): Principal => ({
  tenant,
  user,
  email: null,
  roles: [],
  permissions: ['*'],
  seesAll: true,
  via: 'local',
  credential: null,
})

/**
 * Runs background jobs until the kernel closes. `alone`: nobody else works on this database, so whatever is marked as running
 * was left by a process that died.
 */
export async function startQueue(kernel: Kernel, { alone }: { alone: boolean }): Promise<void> {
  const { log, urls, config } = kernel
  const running = new Map<string, AbortController>()
  const pool = new pg.Pool({
    connectionString: urls.worker,
    max: config.VOICEPRESS_WORKERS + 3,
    application_name: 'voicepress worker',
  })
  const onError = (error: Error) => pool.ending || log.error({ reason: error.message }, 'worker connection failed')
  pool.on('error', onError)
  pool.on('connect', (client) => client.on('error', onError))
  await sweep(pool, alone ? 0 : lost)

  const tasks: TaskList = {
    job: (payload) => runTicket(kernel, running, payload as Ticket),
    event: (payload) => deliver(kernel, payload as Ticket),
    schedule: async (payload) =>
      void (await pool.query('select schedule_job($1)', [(payload as { kind: string }).kind])),
  }
  const scheduled = [...kernel.jobs.values()].flatMap(({ name, schedule }) =>
    schedule ? [{ task: 'schedule', identifier: name, match: schedule, payload: { kind: name } }] : [],
  )
  const cancel = (id: string) => running.get(id)?.abort(new Problem(409, 'cancelled', 'The job was cancelled.'))
  const runner = await run({
    pgPool: pool,
    concurrency: config.VOICEPRESS_WORKERS,
    noHandleSignals: true,
    pollInterval: 1000,
    taskList: tasks,
    parsedCronItems: parseCronItems(scheduled),
    logger: new QueueLogger(
      () => (level, message) =>
        log[level === 'warning' ? 'warn' : level === 'error' ? 'error' : 'trace']({ message }, 'queue'),
    ),
  })
  const unlisten = listen(kernel, ({ id, cancelling }) => {
    if (cancelling) cancel(id)
  })
  const beat = setInterval(() => {
    const ids = [...running.keys()]
    beatOnce(pool, ids, cancel).catch((error) => log.warn({ err: error }, 'heartbeat failed'))
  }, heartbeat)
  kernel.closing.push(async () => {
    clearInterval(beat)
    unlisten()
    for (const controller of running.values()) controller.abort(stopping)
    await runner.stop().catch(() => {})
    await pool.end()
  })
}

/** Cancelling is told by notification; this catches what was told while nobody listened. */
async function beatOnce(pool: pg.Pool, ids: string[], cancel: (id: string) => void): Promise<void> {
  if (ids.length) {
    const { rows } = await pool.query<{ id: string }>(
      'with alive as (update jobs set heartbeat_at = now() where id = any($1) returning id, cancel_requested) select id from alive where cancel_requested',
      [ids],
    )
    for (const { id } of rows) cancel(id)
  }
  await sweep(pool, lost)
}

const stopping = new Error('this process is stopping')

async function sweep(pool: pg.Pool, silentFor: number): Promise<void> {
  await pool.query(
    `with lost as (
       update jobs set status = 'queued', heartbeat_at = null, attempts = greatest(attempts - 1, 0)
       where status = 'processing' and (heartbeat_at is null or heartbeat_at < now() - $1 * interval '1 millisecond')
       returning id::text as key),
     freed as (
       update graphile_worker._private_jobs as job set locked_at = null, locked_by = null, run_at = now()
       from lost where job.key = lost.key
       returning job.job_queue_id)
     update graphile_worker._private_job_queues as queue set locked_at = null, locked_by = null
     from freed where queue.id = freed.job_queue_id`,
    [silentFor],
  )
  // What waits without having failed was put back by a process that stopped: nothing is gained by waiting longer.
  await pool.query(`
    update graphile_worker._private_jobs as job set run_at = now() from jobs
    where job.run_at > now() and job.locked_at is null and job.key = jobs.id::text and jobs.status = 'queued' and jobs.error is null`)
  if (silentFor > 0) return
  await pool.query(
    'update graphile_worker._private_jobs set locked_at = null, locked_by = null where locked_at is not null',
  )
  await pool.query(
    'update graphile_worker._private_job_queues set locked_at = null, locked_by = null where locked_at is not null',
  )
}

async function runTicket(kernel: Kernel, running: Map<string, AbortController>, { id, tenant }: Ticket): Promise<void> {
  const seen = worksFor(tenant, null)
  const started = await inTenant(kernel, seen, 'jobs.run', (tx) =>
    tx
      .updateTable('jobs')
      .set({
        status: 'processing',
        started_at: sql`coalesce(started_at, now())`,
        heartbeat_at: sql`now()`,
        attempts: sql`attempts + 1`,
        error: null,
      })
      .where('id', '=', id)
      .where('status', 'in', ['queued', 'processing'])
      .returning(['kind', 'payload', 'user_id', 'attempts', 'cancel_requested', 'progress'])
      .executeTakeFirst(),
  )
  if (!started) return
  const declared = kernel.jobs.get(started.kind)
  const since = performance.now()
  const end = (set: Record<string, unknown>) => {
    if (set.status !== 'queued') jobsEnded.inc({ kind: started.kind, status: String(set.status) })
    return inTenant(kernel, seen, 'jobs.run', (tx) =>
      tx
        .updateTable('jobs')
        .set({
          ...set,
          heartbeat_at: null,
          updated_at: sql`now()`,
          processing_seconds: sql`processing_seconds + ${(performance.now() - since) / 1000}`,
        })
        .where('id', '=', id)
        .execute(),
    )
  }
  if (started.cancel_requested) {
    await end({ status: 'cancelled', completed_at: sql`now()` })
    return
  }
  const controller = new AbortController()
  running.set(id, controller)
  const log = kernel.log.child({ job: id, kind: started.kind, tenant })
  const { context, flush } = jobContext(
    kernel,
    id,
    worksFor(tenant, started.user_id),
    controller,
    log,
    started.progress,
  )
  try {
    if (!declared) throw new Problem(500, 'unknown_job', `This version knows no job named ${started.kind}.`)
    const result = await declared.run(context, declared.payload.parse(started.payload))
    await flush()
    await end({
      status: 'completed',
      progress: 100,
      completed_at: sql`now()`,
      result: result === undefined ? null : JSON.stringify(result),
    })
    log.info({ seconds: (performance.now() - since) / 1000 }, 'job completed')
  } catch (thrown) {
    await flush().catch(() => {})
    if (controller.signal.reason === stopping) {
      await end({ status: 'queued', attempts: sql`greatest(attempts - 1, 0)` })
      throw stopping
    }
    if (controller.signal.aborted) return void (await end({ status: 'cancelled', completed_at: sql`now()` }))
    const retry = !(thrown instanceof Problem) && started.attempts <= (declared?.retries ?? 3)
    log[retry ? 'warn' : 'error']({ err: thrown }, retry ? 'job failed, will be tried again' : 'job failed')
    const problem =
      thrown instanceof Problem
        ? thrown
        : new Problem(500, 'internal', 'The job failed for a reason that is ours, not yours; it is in the log.', {
            job: id,
          })
    await end({
      status: retry ? 'queued' : 'failed',
      error: JSON.stringify(problem),
      ...(!retry && { completed_at: sql`now()` }),
    })
    if (retry) throw thrown
  } finally {
    running.delete(id)
  }
}

const inTenant = <T>(
  kernel: Kernel,
  principal: Principal,
  action: string,
  work: (tx: Tx) => Promise<T>,
  readOnly = false,
): Promise<T> =>
  scoped(kernel.pool, { tenant: principal.tenant, user: principal.user, seesAll: true, action }, work, readOnly)

function jobContext(
  kernel: Kernel,
  id: string,
  principal: Principal,
  controller: AbortController,
  log: JobContext['log'],
  reached: number,
) {
  let pending: { percent: number; detail?: Record<string, unknown> } | undefined
  let writing: Promise<unknown> = Promise.resolve()
  let last = 0
  let highest = reached
  const write = () => {
    if (!pending) return writing
    const { percent, detail } = pending
    pending = undefined
    last = Date.now()
    // Progress never runs backwards, not even after a restart that has to look again at what is done.
    highest = Math.max(highest, Math.min(percent, 100))
    writing = writing.then(() =>
      inTenant(kernel, principal, 'jobs.run', (tx) =>
        tx
          .updateTable('jobs')
          .set({
            progress: highest,
            heartbeat_at: sql`now()`,
            ...(detail && { detail: JSON.stringify(detail) as never }),
          })
          .where('id', '=', id)
          .execute(),
      ).catch((error) => log.warn({ err: error }, 'progress not written')),
    )
    return writing
  }
  const context: JobContext = {
    id,
    principal,
    services: kernel.services,
    log,
    signal: controller.signal,
    scoped: (work, readOnly) => inTenant(kernel, principal, 'jobs.run', work, readOnly),
    emit: (tx, name, payload) => emit(tx, name, payload),
    progress(percent, detail) {
      controller.signal.throwIfAborted()
      pending = { percent, detail }
      if (Date.now() - last >= 250) void write()
    },
  }
  return { context, flush: async () => void (await write()) }
}

async function deliver(kernel: Kernel, { id, tenant }: Ticket): Promise<void> {
  const principal = worksFor(tenant, null)
  const event = await inTenant(
    kernel,
    principal,
    'events.deliver',
    (tx) => tx.selectFrom('events').select(['name', 'payload', 'delivered_at']).where('id', '=', id).executeTakeFirst(),
    true,
  )
  if (!event || event.delivered_at) return
  const log = kernel.log.child({ event: event.name, tenant })
  for (const subscription of kernel.domains.flatMap((domain) => domain.subscriptions ?? [])) {
    if (subscription.event !== event.name) continue
    const { context } = jobContext(kernel, id, principal, new AbortController(), log, 0)
    await subscription.run({ ...context, id: randomUUID(), progress: () => {} }, event.payload)
  }
  await inTenant(kernel, principal, 'events.deliver', (tx) =>
    tx.updateTable('events').set({ delivered_at: new Date().toISOString() }).where('id', '=', id).execute(),
  )
}
