import { scoped } from '../../kit/database.ts'
import type { Kernel, Seen } from '../../kit/kernel.ts'
import { type Partitioned, keepPartitions } from '../../kit/partitions.ts'

const every = 1_000
/** Rows of one statement: eight values each, of at most 65,535 in all. */
const batch = 1_000
/** What is not written by then is lost: a database that is away must not fill the memory. */
const most = 100_000

interface Request {
  api_key_id: string | null
  user_id: string | null
  endpoint: string
  method: string
  status_code: number
  response_time_ms: number
  occurred_at: string
}

/** Writes down each request of people who are known, in batches beside the requests' path. Gives what ends it. */
export function openMetering(kernel: Kernel): () => Promise<void> {
  let waiting = new Map<string, Request[]>()
  let count = 0
  let lost = 0
  let writing: Promise<void> = Promise.resolve()

  kernel.witnesses.push(({ operation, principal, status, milliseconds }: Seen) => {
    if (principal.via === 'anonymous' || principal.via === 'local') return
    if (count >= most) return void lost++
    count++
    const row = {
      api_key_id: principal.via === 'api_key' ? principal.credential : null,
      user_id: principal.user,
      endpoint: operation.name,
      method: operation.method,
      status_code: status,
      response_time_ms: milliseconds,
      occurred_at: new Date().toISOString(),
    }
    const known = waiting.get(principal.tenant)
    if (known) known.push(row)
    else waiting.set(principal.tenant, [row])
  })

  async function write(): Promise<void> {
    const taken = waiting
    waiting = new Map()
    count = 0
    if (lost) kernel.log.warn({ lost }, 'requests were not written down')
    lost = 0
    for (const [tenant, rows] of taken)
      for (let at = 0; at < rows.length; at += batch)
        await scoped(kernel.pool, { tenant, user: null, seesAll: false, action: 'api_usage.record' }, (tx) =>
          tx
            .insertInto('api_usage')
            .values(rows.slice(at, at + batch))
            .execute(),
        ).catch((error) => kernel.log.warn({ err: error, rows: rows.length }, 'requests were not written down'))
  }
  const flush = () => (writing = writing.then(write))
  const timer = setInterval(() => void flush(), every)
  timer.unref()
  const stopKeeping = keepOpen(kernel)
  return async () => {
    clearInterval(timer)
    await stopKeeping()
    await flush()
  }
}

/** Partitions are looked after at the start and every six hours. */
function keepOpen(kernel: Kernel): () => Promise<void> {
  const tables: Partitioned[] = [
    { table: 'api_usage', every: 'day', ahead: 7, keepDays: kernel.config.VOICEPRESS_API_USAGE_DAYS },
  ]
  const keep = () =>
    keepPartitions(kernel.urls.owner, tables).catch((error) =>
      kernel.log.warn({ err: error }, 'partitions were not made'),
    )
  let keeping = keep()
  const timer = setInterval(() => {
    keeping = keep()
  }, 6 * 3_600_000)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await keeping
  }
}
