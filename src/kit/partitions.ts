import pg from 'pg'

export interface Partitioned {
  table: string
  /** The column that its rows are kept apart by is a timestamptz. */
  every: 'day' | 'month'
  /** Partitions that are made before they are needed. */
  ahead: number
  /** Whole partitions older than this are dropped; never when it is left out. */
  keepDays?: number
}

const day = 86_400_000

function startOf(time: Date, { every }: Partitioned, plus = 0): Date {
  const [year, month, date] = [time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate()]
  return every === 'day' ? new Date(Date.UTC(year, month, date + plus)) : new Date(Date.UTC(year, month + plus, 1))
}

const suffix = (start: Date, { every }: Partitioned): string =>
  start
    .toISOString()
    .slice(0, every === 'day' ? 10 : 7)
    .replaceAll('-', '')

/**
 * Makes the partitions of now and of what is ahead, as the tables' owner, and drops what is past keeping. Nothing is granted on a
 * partition: read directly it would show every tenant. Several processes may do it at once. Rows of a time that has no partition go to the
 * default one, and stay there.
 */
export async function keepPartitions(ownerUrl: string, tables: Partitioned[], now = new Date()): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'voicepress partitions' })
  await client.connect()
  try {
    await client.query(`set role voicepress_owner; set timezone = 'UTC'; set lock_timeout = '5s'`)
    await client.query(`select pg_advisory_lock(hashtext('voicepress partitions'))`)
    for (const declared of tables) {
      const { rows } = await client.query<{ name: string }>(
        `select inhrelid::regclass::text as name from pg_inherits where inhparent = $1::regclass`,
        [declared.table],
      )
      const known = new Set(rows.map(({ name }) => name))
      for (let plus = 0; plus <= declared.ahead; plus++) {
        const start = startOf(now, declared, plus)
        const name = `${declared.table}_${suffix(start, declared)}`
        if (known.has(name)) continue
        const bounds = `from ('${start.toISOString()}') to ('${startOf(start, declared, 1).toISOString()}')`
        // Refused where the default partition has such rows already: then they stay where they are.
        await client
          .query(`create table ${name} partition of ${declared.table} for values ${bounds}`)
          .catch((error: { code?: string }) => {
            if (error.code !== '23514') throw error
          })
      }
      if (declared.keepDays === undefined) continue
      const oldest = `${declared.table}_${suffix(startOf(new Date(now.getTime() - declared.keepDays * day), declared), declared)}`
      for (const name of known) if (/_\d{6,8}$/.test(name) && name < oldest) await client.query(`drop table ${name}`)
    }
  } finally {
    await client.end()
  }
}
