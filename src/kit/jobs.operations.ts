import { sql } from 'kysely'
import { z } from 'zod'
import { notFound } from './errors.ts'
import { jobs } from './jobs.ts'
import type { Domain, Kernel } from './kernel.ts'
import { listen } from './listen.ts'
import { type Context, events, operation } from './operation.ts'
import { resource } from './resource.ts'
import { Id } from './table.ts'
import { scoped } from './database.ts'

declare module './operation.ts' {
  interface Services {
    kernel: Kernel
  }
}

const { list, get } = resource(jobs)
const byId = z.object({ id: Id })
const ended = ['completed', 'failed', 'cancelled']

const one = async ({ tx }: Pick<Context, 'tx'>, id: string) =>
  tx
    .selectFrom('jobs')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow(() => notFound('job'))

export const jobOperations = {
  list,
  get,
  cancel: operation({
    name: 'jobs.cancel',
    method: 'POST',
    path: '/v1/jobs/:id/cancel',
    summary: 'Cancel a job; what it has finished is kept',
    input: byId,
    output: jobs.row,
    async run(context, { id }) {
      const job = await one(context, id)
      if (ended.includes(job.status)) return job
      return context.tx
        .updateTable('jobs')
        .set({
          cancel_requested: true,
          updated_at: sql`now()`,
          ...(job.status === 'queued' && { status: 'cancelled' as const, completed_at: sql`now()` as never }),
        })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow(() => notFound('job'))
    },
  }),
  retry: operation({
    name: 'jobs.retry',
    method: 'POST',
    path: '/v1/jobs/:id/retry',
    summary: 'Run a failed or cancelled job again; finished steps are not repeated',
    input: byId,
    output: jobs.row,
    async run({ tx, principal }, { id }) {
      const again = await tx
        .insertInto('jobs')
        .columns(['kind', 'payload', 'subject_id', 'priority', 'unique_key', 'user_id'])
        .expression((query) =>
          query
            .selectFrom('jobs')
            .select(['kind', 'payload', 'subject_id', 'priority', 'unique_key', sql.val(principal.user).as('user_id')])
            .where('id', '=', id)
            .where('status', 'in', ['failed', 'cancelled']),
        )
        .returningAll()
        .executeTakeFirst()
      return again ?? one({ tx }, id)
    },
  }),
  events: operation({
    name: 'jobs.events',
    method: 'GET',
    path: '/v1/jobs/:id/events',
    summary: 'Follow a job: its row each time it moves, until it ends (server-sent events)',
    input: byId,
    output: events(jobs.row),
    async run(context, { id }) {
      const first = jobs.row.parse(await one(context, id))
      const { kernel } = context.services
      const { tenant, user, seesAll } = context.principal
      const read = () => scoped(kernel.pool, { tenant, user, seesAll }, (tx) => one({ tx }, id), true)
      return (signal) => follow(kernel, id, first, read, signal)
    },
  }),
}

async function* follow(
  kernel: Kernel,
  id: string,
  first: z.output<typeof jobs.row>,
  read: () => Promise<unknown>,
  signal: AbortSignal,
) {
  let wake = () => {}
  let moved = true
  const unlisten = listen(kernel, (job) => {
    if (job.id !== id) return
    moved = true
    wake()
  })
  try {
    yield first
    let { status } = first
    while (!ended.includes(status) && !signal.aborted) {
      if (!moved) {
        await new Promise<void>((resolve) => {
          wake = resolve
          setTimeout(resolve, 15_000).unref()
          signal.addEventListener('abort', () => resolve(), { once: true })
        })
      }
      if (signal.aborted) return
      moved = false
      const row = jobs.row.parse(await read())
      status = row.status
      yield row
    }
  } finally {
    unlisten()
  }
}

export const jobsDomain: Domain = { name: 'jobs', tables: [jobs] as never, operations: [jobOperations] }
