import type { JobContext } from './jobs.ts'

/** Every event a domain emits, by name; each domain adds its own by declaration merging. */
export interface EventPayloads {}
export type EventName = keyof EventPayloads & string

export interface Subscription {
  event: string
  run(context: JobContext, payload: unknown): Promise<void>
}

/** Runs at least once for each event that was committed, in a job of its own. */
export const on = <N extends EventName>(
  event: N,
  run: (context: JobContext, payload: EventPayloads[N]) => Promise<void>,
): Subscription => ({
  event,
  run: run as Subscription['run'],
})
