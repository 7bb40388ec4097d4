import { sql } from 'kysely'
import type pg from 'pg'
import type { Logger } from 'pino'
import { scoped } from '../../kit/database.ts'
import { keepPartitions } from '../../kit/partitions.ts'

export interface Access {
  tenant: string
  user_id: string | null
  action: string
  resource_type: string | null
  resource_id: string | null
  allowed: boolean
  /** Which rule said so, at most 500 characters. */
  reason: string
  ip_address: string | null
  user_agent: string | null
  request_id: string
}

/** Written after at most a second, or when so many wait. */
const delay = 1_000
const batch = 500
/** More than the database takes for a minute: what comes then is counted and not kept, so that memory is not what an attacker fills. */
const most = 20_000

export interface AccessLog {
  write(access: Access): void
  flush(): Promise<void>
  close(): Promise<void>
}

export function openAccessLog(pool: pg.Pool, log: Logger): AccessLog {
  let waiting: (Access & { occurred_at: string })[] = []
  let lost = 0
  let writing: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined

  const flush = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    const taken = waiting
    waiting = []
    if (lost) log.warn({ lost }, 'access log entries were not kept: more came than could be written')
    lost = 0
    writing = writing.then(async () => {
      for (const [tenant, entries] of Map.groupBy(taken, (entry) => entry.tenant))
        for (let from = 0; from < entries.length; from += batch)
          await insert(pool, tenant, entries.slice(from, from + batch)).catch((error) =>
            log.error({ err: error, tenant }, 'access log not written'),
          )
    })
    return writing
  }

  return {
    write(access) {
      if (waiting.length >= most) return void lost++
      waiting.push({
        ...access,
        reason: access.reason.slice(0, 500),
        user_agent: access.user_agent?.slice(0, 500) ?? null,
        occurred_at: new Date().toISOString(),
      })
      if (waiting.length % batch === 0) void flush()
      else timer ??= setTimeout(() => void flush(), delay).unref()
    },
    flush,
    close: flush,
  }
}

const insert = (pool: pg.Pool, tenant: string, entries: object[]): Promise<unknown> =>
  scoped(pool, { tenant, user: null, seesAll: false }, (tx) =>
    sql`
      insert into access_logs (user_id, action, resource_type, resource_id, allowed, reason, ip_address, user_agent, request_id, occurred_at)
      select user_id, action, resource_type, resource_id, allowed, reason, ip_address, user_agent, request_id, occurred_at
      from jsonb_to_recordset(${JSON.stringify(entries)}::jsonb) as entry (user_id uuid, action text, resource_type text, resource_id uuid, allowed boolean, reason text,
        ip_address inet, user_agent text, request_id text, occurred_at timestamptz)`.execute(tx),
  )

/** Makes the months to come and drops those of more than two years ago, now and every day. Gives back what ends that. */
export async function keepAccessLogs(ownerUrl: string, log: Logger): Promise<() => void> {
  const keep = () => keepPartitions(ownerUrl, [{ table: 'access_logs', every: 'month', ahead: 3, keepDays: 731 }])
  await keep()
  const daily = setInterval(
    () => void keep().catch((error) => log.error({ err: error }, 'partitions of the access log not made')),
    86_400_000,
  ).unref()
  return () => clearInterval(daily)
}
