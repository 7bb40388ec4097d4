import { z } from 'zod'
import type { Columns } from './database.ts'
import { count, json, networkAddress, table, text, uuid } from './table.ts'

const sha256 = () => text(64).nullable()

/**
 * Append-only. Operations are written by the door, changed rows by a trigger; both carry the request's id. Sealing fills the columns from
 * `sequence` on, once; an erasure empties who and details with their salts, and leaves the digests that the chain is made of.
 */
export const auditLogs = table('audit_logs', 'audit entry', {
  user_id: uuid().nullable().readonly().of('user', 'pseudonymise'),
  user_email: text(254).nullable().readonly().personal(),
  action: text(100).readonly(),
  resource_type: text(100).nullable().readonly(),
  resource_id: uuid().nullable().readonly(),
  details: json(z.unknown()).default("'{}'").readonly().of('user', 'pseudonymise'),
  ip_address: networkAddress().nullable().readonly().personal(),
  user_agent: text(500).nullable().readonly().personal(),
  request_id: text(100).nullable().readonly(),
  /** Place in the tenant's chain, from 1; null until it is sealed. */
  sequence: count().nullable().readonly(),
  prev_hash: sha256().readonly(),
  hash: sha256().readonly(),
  /** HMAC of the hash under a key of this installation: a chain that was made anew outside of it has none that holds. */
  mac: sha256().readonly(),
  who_salt: text(32).nullable().secret(),
  who_digest: sha256().readonly(),
  details_salt: text(32).nullable().secret(),
  details_digest: sha256().readonly(),
  /** The erasure that emptied this entry. */
  erasure_id: uuid().nullable().readonly(),
})

declare module './database.ts' {
  interface DB {
    audit_logs: Columns<typeof auditLogs>
  }
}
