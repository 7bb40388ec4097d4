import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'

/** A database of this test file's own, cloned from the migrated template (or empty). */
export async function cloneDatabase({ empty = false } = {}): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `test_${randomBytes(6).toString('hex')}`
  const template = inject('postgres')
  await asAdministrator(`create database ${name}${empty ? '' : ' template voicepress_template'}`)
  const url = new URL(template)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => asAdministrator(`drop database ${name} with (force)`) }
}

async function asAdministrator(sql: string): Promise<void> {
  const url = new URL(inject('postgres'))
  url.pathname = '/postgres'
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  try {
    // Two clones at once of one template refuse each other.
    await client.query('select pg_advisory_lock(1)')
    await client.query(sql)
  } finally {
    await client.end()
  }
}
