import { createHash, createHmac } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runMigrations as migrateQueue } from 'graphile-worker'
import pg from 'pg'
import { Problem } from './errors.ts'

export interface Migration {
  version: number
  name: string
  up: string
  down: string
  checksum: string
}

/** Reads `NNNN_name.sql`: the way up, a line `-- down`, the way down. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name)).sort()
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(folder, name), 'utf8')
      const [up, down, ...rest] = sql.split(/^-- down$/m)
      if (!up || !down || rest.length)
        throw new Error(`${name} needs exactly one line '-- down' between its way up and its way down`)
      return {
        version: Number(name.slice(0, 4)),
        name,
        up,
        down,
        checksum: createHash('sha256').update(sql).digest('hex'),
      }
    }),
  )
}

const logins = ['voicepress_app', 'voicepress_worker'] as const
export interface DatabaseUrls {
  owner: string
  app: string
  worker: string
}

/** The same database as another role; its password is made from the installation's secret, so that it is written down nowhere. */
export function roleUrls(ownerUrl: string, secret: string): DatabaseUrls {
  const as = (role: string): string => {
    const url = new URL(ownerUrl)
    url.username = role
    url.password = createHmac('sha256', secret).update(role).digest('hex')
    return url.href
  }
  return { owner: ownerUrl, app: as('voicepress_app'), worker: as('voicepress_worker') }
}

const lockKey = 5_206_318

async function withOwner<T>(ownerUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'voicepress migrate' })
  await client.connect()
  try {
    // Roles belong to the whole server, so servers that start together on databases beside each other wait for one another.
    await client.query('select pg_advisory_lock($1)', [lockKey])
    return await work(client)
  } finally {
    await client.end()
  }
}

async function prepareRoles(client: pg.Client, urls: DatabaseUrls): Promise<void> {
  const { rows } = await client.query<{ rolname: string }>(
    `select rolname from pg_roles where rolname like 'voicepress\\_%'`,
  )
  const known = new Set(rows.map((row) => row.rolname))
  try {
    for (const role of ['voicepress_owner', 'voicepress_platform', 'voicepress_auditor', ...logins])
      if (!known.has(role)) await client.query(`create role ${role}`)
    for (const role of logins) {
      const { password } = new URL(role === 'voicepress_app' ? urls.app : urls.worker)
      const works = known.has(role) && (await canLogIn(role === 'voicepress_app' ? urls.app : urls.worker))
      if (!works) await client.query(`alter role ${role} login password '${password}'`)
    }
    const {
      rows: [database],
    } = await client.query<{ name: string }>('select quote_ident(current_database()) as name')
    await client.query(`
      grant voicepress_owner to current_user;
      grant voicepress_worker, voicepress_platform, voicepress_auditor to voicepress_owner;
      grant create on database ${database?.name} to voicepress_worker;
      grant usage, create on schema public to voicepress_owner, voicepress_platform, voicepress_auditor, voicepress_worker;
      grant usage on schema public to voicepress_app`)
  } catch (error) {
    if ((error as { code?: string }).code !== '42501') throw error
    throw new Problem(
      500,
      'database_rights',
      `The user of DATABASE_URL may not prepare the roles that Voicepress runs under (${(error as Error).message}). Give it CREATEROLE and ownership of the database, or name its owner in DATABASE_URL.`,
    )
  }
}

async function canLogIn(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url })
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

const journal = `create table if not exists schema_migrations (
  version integer primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`

/** Brings roles, queue and schema up to date. Safe to run from several processes at once, and cheap when there is nothing to do. */
export async function prepareDatabase(urls: DatabaseUrls, migrations: Migration[]): Promise<void> {
  await withOwner(urls.owner, async (client) => {
    const {
      rows: [server],
    } = await client.query<{ server_version_num: string }>('show server_version_num')
    if (Number(server?.server_version_num) < 150_000)
      throw new Problem(
        500,
        'database_too_old',
        `PostgreSQL 15 or newer is needed; this server is ${server?.server_version_num}.`,
      )
    await prepareRoles(client, urls)
    await migrateQueue({ connectionString: urls.worker })
    await client.query('set role voicepress_owner')
    await client.query(journal)
    await up(client, migrations)
    await client.query('reset role')
    await client.query('revoke create on schema public from voicepress_platform, voicepress_auditor, voicepress_worker')
  })
}

async function applied(client: pg.Client): Promise<Map<number, { name: string; checksum: string }>> {
  const { rows } = await client.query<{ version: number; name: string; checksum: string }>(
    'select version, name, checksum from schema_migrations',
  )
  return new Map(rows.map((row) => [row.version, row]))
}

async function up(client: pg.Client, migrations: Migration[]): Promise<void> {
  const done = await applied(client)
  const newest = migrations.at(-1)?.version ?? 0
  const ahead = [...done.keys()].find((version) => version > newest)
  if (ahead)
    throw new Problem(
      500,
      'database_too_new',
      `The database was migrated by a newer Voicepress (${done.get(ahead)?.name}). Start that version, or restore a backup.`,
    )
  for (const migration of migrations) {
    const known = done.get(migration.version)
    if (known && known.checksum !== migration.checksum)
      throw new Problem(
        500,
        'migration_changed',
        `${migration.name} was changed after it had been applied. Put it back, and write a new migration.`,
      )
    if (known) continue
    await inOneTransaction(client, migration, migration.up)
    await client.query('insert into schema_migrations (version, name, checksum) values ($1, $2, $3)', [
      migration.version,
      migration.name,
      migration.checksum,
    ])
  }
}

async function inOneTransaction(client: pg.Client, migration: Migration, sql: string): Promise<void> {
  try {
    await client.query(`begin;\n${sql}\n;commit`)
  } catch (error) {
    await client.query('rollback')
    throw new Error(`${migration.name}: ${(error as Error).message}`, { cause: error })
  }
}

/** Takes back the newest migrations down to, and not including, `to`. */
export async function migrateDown(urls: DatabaseUrls, migrations: Migration[], to = 0): Promise<void> {
  await withOwner(urls.owner, async (client) => {
    await client.query('grant create on schema public to voicepress_platform, voicepress_auditor, voicepress_worker')
    await client.query('set role voicepress_owner')
    const done = await applied(client)
    for (const migration of migrations.toReversed()) {
      if (migration.version <= to || !done.has(migration.version)) continue
      await inOneTransaction(client, migration, migration.down)
      await client.query('delete from schema_migrations where version = $1', [migration.version])
    }
  })
}
