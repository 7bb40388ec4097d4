import { boolean, email, list, networkAddress, table, text, timestamp, uuid } from '../../kit/table.ts'

export const users = table('users', 'user', {
  email: email().personal(),
  full_name: text(255).nullable().personal(),
  roles: list(100, 20).default("'{viewer}'"),
  password_hash: text(255).nullable().secret(),
  email_verified: boolean().default('false').readonly(),
  suspended_at: timestamp().nullable().readonly(),
  last_login_at: timestamp().nullable().readonly(),
  deleted_at: timestamp().nullable().secret(),
})

export const sessions = table('sessions', 'session', {
  user_id: uuid().readonly(),
  token_hash: text(64).secret(),
  ip_address: networkAddress().nullable().readonly().personal(),
  user_agent: text(500).nullable().readonly().personal(),
  last_accessed_at: timestamp().default('now()').readonly(),
  expires_at: timestamp().readonly(),
  revoked_at: timestamp().nullable().readonly(),
})

export const apiKeys = table('api_keys', 'API key', {
  user_id: uuid().readonly(),
  name: text(100),
  key_hash: text(64).secret(),
  prefix: text(20).readonly(),
  /** Names of operations, or `projects.*`; never wider than the owner's own. */
  scopes: list(100, 200).once(),
  last_used_at: timestamp().nullable().readonly(),
  expires_at: timestamp().nullable().once(),
  revoked_at: timestamp().nullable().readonly(),
})

declare module '../../kit/database.ts' {
  interface DB {
    users: Columns<typeof users>
    sessions: Columns<typeof sessions>
    api_keys: Columns<typeof apiKeys>
  }
}
