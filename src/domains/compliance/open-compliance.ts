import type { Kernel } from '../../kit/kernel.ts'
import { keepPartitions } from '../../kit/partitions.ts'
import { eraseRestored } from './erase-again.ts'
import { openSealer } from './seal-audit.ts'
import { watchRequests } from './watch-requests.ts'

const sealEvery = 10_000
const partitionsEvery = 6 * 3_600_000
const requestsEvery = 3_600_000

/** Runs `work` now and then, one run at a time; gives what ends it after the run that is under way. */
function repeat(kernel: Kernel, every: number, what: string, work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  const once = () =>
    (running ??= work()
      .catch((error) => kernel.log.error({ err: error }, what))
      .finally(() => {
        running = undefined
      }))
  const timer = setInterval(() => void once(), every)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await running
  }
}

/**
 * Keeps the audit trail's partitions ahead of time; where there is a worker, its chains sealed and requests' deadlines in sight, and erases
 * again whom a restored backup brought back. Gives what ends that.
 */
export async function openCompliance(kernel: Kernel, { work }: { work: boolean }): Promise<() => Promise<void>> {
  const keep = () => keepPartitions(kernel.urls.owner, [{ table: 'audit_logs', every: 'month', ahead: 3 }])
  // Before the first entry: one that lies in the default partition keeps its month's from being made.
  await keep()
  const ends = [repeat(kernel, partitionsEvery, 'partitions of the audit trail were not made', keep)]
  if (!work) return async () => void (await Promise.all(ends.map((end) => end())))
  const sealer = openSealer(kernel)
  ends.push(repeat(kernel, sealEvery, 'the audit trail was not sealed', () => sealer.run()))
  ends.push(
    repeat(kernel, requestsEvery, 'data protection requests were not looked after', () => watchRequests(kernel)),
  )
  await eraseRestored(kernel)
  return async () => {
    for (const end of ends) await end()
    await sealer
      .run({ witnessNow: true })
      .catch((error) => kernel.log.warn({ err: error }, 'the audit trail was not sealed at the end'))
  }
}
