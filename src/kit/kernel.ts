import pg from 'pg'
import type { Logger } from 'pino'
import type { z } from 'zod'
import type { Config } from './config.ts'
import { type Tx, openPool } from './database.ts'
import type { Subscription } from './events.ts'
import { hashOf } from './hash.ts'
import type { AnyJob, Job } from './jobs.ts'
import type { DatabaseUrls } from './migrate.ts'
import type { AnyOperation, Principal, Request, Services } from './operation.ts'
import type { Table } from './table.ts'

/** What a domain gives to the app. */
export interface Domain {
  name: string
  tables: Table<string, never>[] | Table[]
  /** One record a room: what a file of operations exports. */
  operations: Record<string, AnyOperation>[]
  jobs?: AnyJob[]
  subscriptions?: Subscription[]
}

export type Gate = (asked: {
  operation: AnyOperation
  principal: Principal
  request: Request
  header(name: string, value: string): void
}) => void | Promise<void>

export interface Seen {
  operation: AnyOperation
  principal: Principal
  status: number
  milliseconds: number
}

/** An open app: everything that a door needs. */
export interface Kernel {
  config: Config
  log: Logger
  urls: DatabaseUrls
  pool: pg.Pool
  services: Services
  domains: Domain[]
  operations: Map<string, AnyOperation>
  jobs: Map<string, AnyJob>
  /** Asked in order before each operation, whatever door it came through; one that throws refuses it. */
  gates: Gate[]
  /** Told of each operation that came over HTTP, when its reply is sent. They may not throw. */
  witnesses: ((seen: Seen) => void)[]
  /** Closes what was opened, last first. */
  closing: (() => Promise<void> | void)[]
}

export function openKernel(
  config: Config,
  log: Logger,
  urls: DatabaseUrls,
  services: Services,
  domains: Domain[],
): Kernel {
  const pool = openPool(urls.app, config.VOICEPRESS_POOL, (error) =>
    log.error({ reason: error.message }, 'idle database connection failed'),
  )
  const operations = domains.flatMap((domain) => domain.operations.flatMap(Object.values<AnyOperation>))
  return {
    config,
    log,
    urls,
    pool,
    services,
    domains,
    operations: new Map(operations.map((operation) => [operation.name, operation])),
    jobs: new Map(domains.flatMap((domain) => domain.jobs ?? []).map((job) => [job.name, job])),
    gates: [],
    witnesses: [],
    closing: [() => pool.end()],
  }
}

export async function closeKernel(kernel: Kernel): Promise<void> {
  for (const close of kernel.closing.toReversed()) await close()
}

/** Starts a job when the transaction commits; with a key, one that is queued or running already is taken instead. */
export async function enqueue<P extends z.ZodType>(
  tx: Tx,
  job: Job<P>,
  payload: z.input<P>,
  {
    user,
    priority = 0,
    key: wanted,
    subject,
  }: { user: string | null; priority?: number; key?: string; subject?: string },
): Promise<string> {
  // As long as its column; a list of chapters may be longer.
  const key = wanted !== undefined && wanted.length > 200 ? hashOf(wanted) : wanted
  const values = {
    kind: job.name,
    user_id: user,
    subject_id: subject ?? null,
    payload: JSON.stringify(job.payload.parse(payload)),
    priority,
    unique_key: key ?? null,
  }
  const made = await tx
    .insertInto('jobs')
    .values(values)
    .$if(key !== undefined, (query) =>
      query.onConflict((conflict) =>
        conflict.columns(['tenant_id', 'unique_key']).where('status', 'in', ['queued', 'processing']).doNothing(),
      ),
    )
    .returning('id')
    .executeTakeFirst()
  if (made) return made.id
  const running = await tx
    .selectFrom('jobs')
    .select('id')
    .where('unique_key', '=', key ?? '')
    .where('status', 'in', ['queued', 'processing'])
    .executeTakeFirst()
  // It ended between the two statements: now there is room for a new one.
  return running?.id ?? enqueue(tx, job, payload, { user, priority, key, subject })
}

export const emit = async (tx: Tx, name: string, payload: unknown): Promise<void> => {
  await tx
    .insertInto('events')
    .values({ name, payload: JSON.stringify(payload) })
    .execute()
}
