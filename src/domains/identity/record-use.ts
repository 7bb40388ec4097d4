import { sql } from 'kysely'
import type pg from 'pg'
import { scoped } from '../../kit/database.ts'

const every = 15_000

export interface UseRecorder {
  note(use: { tenant: string; kind: 'session' | 'api_key'; id: string }): void
  flush(): Promise<void>
  close(): Promise<void>
}

/** Writes down when sessions and keys were last used: some seconds late, in one statement for many, never on a request's way. */
export function openUseRecorder(pool: pg.Pool): UseRecorder {
  let uses = new Map<string, { tenant: string; kind: 'session' | 'api_key'; id: string; at: number }>()
  async function flush() {
    const taken = [...uses.values()]
    uses = new Map()
    for (const [tenant, ofTenant] of Map.groupBy(taken, (use) => use.tenant))
      await scoped(pool, { tenant, user: null, seesAll: true, action: 'credentials.use' }, async (tx) => {
        for (const [kind, ofKind] of Map.groupBy(ofTenant, (use) => use.kind)) {
          const [table, column] = kind === 'session' ? ['sessions', 'last_accessed_at'] : ['api_keys', 'last_used_at']
          const ids = ofKind.map(({ id }) => id)
          const times = ofKind.map(({ at }) => new Date(at).toISOString())
          await sql`update ${sql.table(table as string)} as held set ${sql.ref(column as string)} = used.at
            from unnest(${ids}::uuid[], ${times}::timestamptz[]) as used (id, at) where held.id = used.id`.execute(tx)
        }
      })
  }
  // What a failed write loses is when a key was last used, once.
  const timer = setInterval(() => void flush().catch(() => {}), every).unref()
  return {
    note: (use) => void uses.set(use.id, { ...use, at: Date.now() }),
    flush,
    async close() {
      clearInterval(timer)
      await flush().catch(() => {})
    },
  }
}
