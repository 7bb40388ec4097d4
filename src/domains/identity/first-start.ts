import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { defaultTenant } from './authenticate.ts'
import { hashPassword } from './passwords.ts'

const email = 'admin@voicepress.local'

/** One transaction of the owner in the default tenant; for what happens before there is anybody who could ask for it. */
async function asOwner<T>(ownerUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    await client.query('set role voicepress_owner')
    await client.query(`begin; select set_tenant_context('${defaultTenant}', null, true, 'first_start')`)
    const result = await work(client)
    await client.query('commit')
    return result
  } finally {
    await client.end()
  }
}

/** Makes the default tenant and its administrator when the installation is new. Two processes at once make one: the id is fixed. */
export async function makeFirstTenant(ownerUrl: string): Promise<void> {
  await asOwner(ownerUrl, async (client) => {
    const { rowCount } = await client.query('select 1 from users limit 1')
    if (rowCount) return
    await client.query('select make_tenant($1, $2, $3) where not exists (select 1 from tenants where id = $3)', [
      'Default tenant',
      'app',
      defaultTenant,
    ])
    // The first tenant belongs to whoever runs the server; it has no plan to outgrow.
    await client.query(`
      update tenant_quotas set max_users = 1000000, max_projects = 1000000, max_podcasts = 1000000, max_campaigns = 1000000,
        max_storage_bytes = 9000000000000000, max_processing_minutes = 2000000000`)
    // Nobody but whoever sits at this machine gets in yet; a second factor is asked of administrators once they say so, and in every other tenant from the start.
    await client.query(
      `insert into tenant_settings (settings) values ('{"require_second_factor": "nobody"}') on conflict (tenant_id) do nothing`,
    )
    await client.query('insert into users (email, full_name, roles, email_verified) values ($1, $2, $3, true)', [
      email,
      'Administrator',
      ['admin'],
    ])
  }).catch((error: { code?: string }) => {
    if (error.code !== '23505') throw error
  })
}

/** The first administrator's password, made when a server starts that nobody can sign in to yet; null ever after. */
export async function makeFirstPassword(ownerUrl: string): Promise<{ email: string; password: string } | null> {
  const password = randomBytes(15).toString('base64url')
  const hash = await hashPassword(password)
  return asOwner(ownerUrl, async (client) => {
    const { rowCount } = await client.query(
      'update users set password_hash = $1 where email = $2 and password_hash is null and last_login_at is null and deleted_at is null',
      [hash, email],
    )
    return rowCount ? { email, password } : null
  })
}
