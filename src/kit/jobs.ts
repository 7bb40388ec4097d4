import type { Logger } from 'pino'
import { z } from 'zod'
import type { Tx } from './database.ts'
import type { Principal, Services } from './operation.ts'
import { boolean, integer, json, namesNobody, oneOf, real, reference, table, text, timestamp, uuid } from './table.ts'

export const jobStatus = ['queued', 'processing', 'completed', 'failed', 'cancelled'] as const

/** The one user-visible record of background work, of every room. Inserting a row enqueues it. */
export const jobs = table('jobs', 'job', {
  user_id: uuid().nullable().readonly().of('user', namesNobody),
  kind: text(100).readonly(),
  /** What it works on: a project, a file. */
  subject_id: uuid().nullable().readonly(),
  workflow_id: reference('workflows').nullable().readonly(),
  payload: json(z.unknown()).secret().personal().of('user', 'pseudonymise'),
  status: oneOf(jobStatus).default("'queued'").readonly(),
  priority: integer(-100, 100).default('0').readonly(),
  /** 0–100. */
  progress: real().default('0').readonly(),
  /** What is being done now, and how much of how many: for people and progress bars. */
  detail: json(z.record(z.string(), z.unknown())).nullable().readonly(),
  attempts: integer().default('0').readonly(),
  error: json(z.record(z.string(), z.unknown())).nullable().readonly(),
  result: json(z.unknown()).nullable().readonly().personal(),
  cancel_requested: boolean().default('false').secret(),
  unique_key: text(200).nullable().secret(),
  heartbeat_at: timestamp().nullable().secret(),
  started_at: timestamp().nullable().readonly(),
  completed_at: timestamp().nullable().readonly(),
  /** Seconds of work, over all attempts. */
  processing_seconds: real().default('0').readonly(),
})

/** A job as people see it. */
export type JobRow = z.output<typeof jobs.row>

declare module './database.ts' {
  interface DB {
    jobs: import('./database.ts').Columns<typeof jobs>
  }
}

export interface JobContext {
  id: string
  principal: Principal
  services: Services
  log: Logger
  /** Aborted when somebody cancels the job or this process stops. */
  signal: AbortSignal
  /** One transaction in the job's tenant. */
  scoped<T>(work: (tx: Tx) => Promise<T>, readOnly?: boolean): Promise<T>
  emit: (tx: Tx, name: string, payload: unknown) => Promise<void>
  /** 0–100; written at most four times a second, so call it as often as is handy. Throws when the job was cancelled. */
  progress(percent: number, detail?: Record<string, unknown>): void
}

export interface Job<P extends z.ZodType = z.ZodType> {
  name: string
  payload: P
  /** Attempts after an error that is not a `Problem`; a killed process is not an error and always goes on. */
  retries?: number
  /** When it runs by itself in every tenant: minute, hour, day of month, month and day of week, in UTC. Its payload is then empty. */
  schedule?: string
  run(context: JobContext, payload: z.output<P>): Promise<unknown>
}

export const job = <P extends z.ZodType>(declared: Job<P>): Job<P> => declared
export type AnyJob = Job<any>
