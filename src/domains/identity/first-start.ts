import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { defaultTenant } from './authenticate.ts'
import { hashPassword } from './passwords.ts'

/** Makes the default tenant and its administrator when the installation is new. Two processes at once make one: the id is fixed. */
export async function makeFirstTenant(ownerUrl: string): Promise<{ email: string; password: string } | null> {
  const client = new pg.Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    await client.query('set role voicepress_owner')
    await client.query(`begin; select set_tenant_context('${defaultTenant}', null, true, 'first_start')`)
    const { rowCount } = await client.query('select 1 from users limit 1')
    if (rowCount) {
      await client.query('rollback')
      return null
    }
    const email = 'admin@voicepress.local'
    const password = randomBytes(15).toString('base64url')
    await client.query('select make_tenant($1, $2, $3) where not exists (select 1 from tenants where id = $3)', ['Default tenant', 'app', defaultTenant])
    // The first tenant belongs to whoever runs the server; it has no plan to outgrow.
    await client.query('update tenant_quotas set max_users = 1000000, max_projects = 1000000, max_podcasts = 1000000, max_campaigns = 1000000, max_storage_bytes = 9000000000000000, max_processing_minutes = 2000000000')
    await client.query('insert into users (email, full_name, roles, password_hash, email_verified) values ($1, $2, $3, $4, true)', [email, 'Administrator', ['admin'], await hashPassword(password)])
    await client.query('commit')
    return { email, password }
  } catch (error) {
    if ((error as { code?: string }).code === '23505') return null
    throw error
  } finally {
    await client.end()
  }
}
