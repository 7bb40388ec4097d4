import type { Socket } from 'node:net'
import type { ColumnType } from 'kysely'
import { CompiledQuery, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import pg from 'pg'
import type { z } from 'zod'
import type { Fields, Table } from './table.ts'

/** Every declared table; each domain adds its own by declaration merging. */
export interface DB {}

export type Columns<T extends Table<string, Fields>> = {
  [K in keyof T['fields']]: ColumnType<
    z.output<T['fields'][K]['zod']>,
    T['fields'][K]['omittable'] extends true
      ? z.output<T['fields'][K]['zod']> | undefined
      : z.output<T['fields'][K]['zod']>,
    z.output<T['fields'][K]['zod']>
  >
}
export type Row<T extends Table<string, Fields>> = { [K in keyof T['fields']]: z.output<T['fields'][K]['zod']> }
export type Tx = Kysely<DB>

// Rows come out as JSON has them: times as ISO 8601 strings in UTC, int8 and numeric as numbers (every count and price here is far below 2^53).
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (value) =>
  new Date(value.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00')).toISOString(),
)
pg.types.setTypeParser(pg.types.builtins.DATE, (value) => value)
pg.types.setTypeParser(pg.types.builtins.INT8, Number)
pg.types.setTypeParser(pg.types.builtins.NUMERIC, Number)

export function openPool(url: string, max: number, onError: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    pipeline: true,
    idleTimeoutMillis: 60_000,
    application_name: 'voicepress',
  } as pg.PoolConfig)
  // A connection that the server cuts while we close it is no news.
  pool.on('error', (error) => pool.ending || onError(error))
  return pool
}

/** Whose rows a transaction sees, and in whose name it writes. */
export interface Scope {
  tenant: string
  user: string | null
  /** Sees every project of the tenant, not only those owned or shared: administrators, and jobs that act for the system. */
  seesAll: boolean
  /** For the audit trail. */
  action?: string
  request?: string
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const plainPattern = /^[A-Za-z0-9._:-]{0,100}$/

function contextSql(scope: Scope): string {
  const literal = (value: string | undefined | null, pattern: RegExp): string => {
    if (value == null) return 'null'
    if (!pattern.test(value)) throw new Error(`not fit for a transaction's scope: ${value}`)
    return `'${value}'`
  }
  return `select set_tenant_context(${literal(scope.tenant, uuidPattern)}, ${literal(scope.user, uuidPattern)}, ${scope.seesAll}, ${literal(scope.action, plainPattern)}, ${literal(scope.request, plainPattern)})`
}

const bound = new WeakMap<pg.PoolClient, Tx>()

/** A Kysely that speaks through one client; the transaction around it is `transaction`'s. */
function kyselyOn(client: pg.PoolClient): Tx {
  const known = bound.get(client)
  if (known) return known
  const connection = {
    async executeQuery<R>(query: CompiledQuery) {
      const result = await client.query(query.sql, query.parameters as unknown[])
      return { rows: result.rows as R[], numAffectedRows: BigInt(result.rowCount ?? 0) }
    },
    streamQuery: () => {
      throw new Error('rows are not streamed here')
    },
  }
  const nothing = async () => {}
  const db: Tx = new Kysely<DB>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createIntrospector: (of) => new PostgresIntrospector(of),
      createQueryCompiler: () => new PostgresQueryCompiler(),
      createDriver: () => ({
        init: nothing,
        acquireConnection: async () => connection,
        releaseConnection: nothing,
        beginTransaction: nothing,
        commitTransaction: nothing,
        rollbackTransaction: nothing,
        destroy: nothing,
      }),
    },
  })
  bound.set(client, db)
  return db
}

/** Holds writes back until this turn of the event loop ends: `begin` and the first query are then one packet and one system call, which are most of a small query's cost. */
function sendTogether(client: pg.PoolClient): void {
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
  stream.cork()
  setImmediate(() => stream.uncork())
}

/**
 * One transaction. `begin` and the scope are sent without waiting, so that they travel with the first query; of a read the commit
 * is not waited for either, since there is nothing that could be lost.
 */
export async function transaction<T>(
  pool: pg.Pool,
  opening: string,
  work: (tx: Tx) => Promise<T>,
  readOnly = false,
): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  sendTogether(client)
  const opened = client.query(opening)
  opened.catch(() => {})
  try {
    const result = await work(kyselyOn(client))
    const committed = client.query('commit')
    if (readOnly) {
      committed.then(
        () => client.release(),
        (error: Error) => client.release(error),
      )
      return result
    }
    await committed
    client.release()
    return result
  } catch (error) {
    await opened.catch((cause: Error) => {
      broken = cause
    })
    await client.query('rollback').catch((cause: Error) => {
      broken = cause
    })
    client.release(broken)
    throw broken && !(error instanceof Error && error.name === 'Problem') ? broken : error
  }
}

export const scopedOpening = (scope: Scope, readOnly = false): string =>
  `begin${readOnly ? ' read only' : ''}; ${contextSql(scope)}`

export const scoped = <T>(pool: pg.Pool, scope: Scope, work: (tx: Tx) => Promise<T>, readOnly = false): Promise<T> =>
  transaction(pool, scopedOpening(scope, readOnly), work, readOnly)

export interface DatabaseError extends Error {
  code: string
  constraint?: string
  detail?: string
}
export const isDatabaseError = (error: unknown): error is DatabaseError => error instanceof pg.DatabaseError
