import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrateDown, prepareDatabase, readMigrations, roleUrls } from '../src/kit/migrate.ts'
import { cloneDatabase } from './database.ts'
import { testSecret } from './global-postgres.ts'

const folder = join(import.meta.dirname, '../migrations')
let database: Awaited<ReturnType<typeof cloneDatabase>>

beforeAll(async () => {
  database = await cloneDatabase({ empty: true })
})
afterAll(() => database.drop())

async function inventory(): Promise<string[]> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  const { rows } = await client.query<{ line: string }>(`
    select 'table ' || table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '') as line
      from information_schema.columns where table_schema = 'public'
    union all select 'function ' || p.oid::regprocedure from pg_proc p where pronamespace = 'public'::regnamespace
    union all select 'policy ' || tablename || ' ' || policyname || ' ' || coalesce(qual, '') || coalesce(with_check, '') from pg_policies where schemaname = 'public'
    union all select 'index ' || indexdef from pg_indexes where schemaname = 'public'
    order by 1`)
  await client.end()
  return rows.map((row) => row.line)
}

test('each migration goes up, down and up again, and leaves nothing behind', async () => {
  const urls = roleUrls(database.url, testSecret)
  const migrations = await readMigrations(folder)
  const states: string[][] = []
  for (const migration of migrations) {
    await prepareDatabase(urls, migrations.slice(0, migrations.indexOf(migration) + 1))
    states.push(await inventory())
  }
  for (let index = migrations.length - 1; index > 0; index--) {
    await migrateDown(urls, migrations, migrations[index - 1]?.version)
    expect(await inventory()).toEqual(states[index - 1])
  }
  await migrateDown(urls, migrations)
  expect((await inventory()).filter((line) => !line.includes('schema_migrations'))).toEqual([])
  await prepareDatabase(urls, migrations)
  expect(await inventory()).toEqual(states.at(-1))
})

test('a migration that was changed after it was applied is refused', async () => {
  const urls = roleUrls(database.url, testSecret)
  const migrations = await readMigrations(folder)
  const [first, ...rest] = migrations
  await expect(prepareDatabase(urls, [{ ...first!, checksum: 'other' }, ...rest])).rejects.toMatchObject({
    type: 'migration_changed',
  })
})

test('a database of a newer version is refused', async () => {
  const urls = roleUrls(database.url, testSecret)
  const migrations = await readMigrations(folder)
  await expect(prepareDatabase(urls, migrations.slice(0, -1))).rejects.toMatchObject({ type: 'database_too_new' })
})

test('two processes that start at once migrate once', async () => {
  const fresh = await cloneDatabase({ empty: true })
  const urls = roleUrls(fresh.url, testSecret)
  const migrations = await readMigrations(folder)
  await Promise.all([prepareDatabase(urls, migrations), prepareDatabase(urls, migrations)])
  await fresh.drop()
})
