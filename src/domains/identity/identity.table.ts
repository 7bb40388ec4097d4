import { z } from 'zod'
import {
  boolean,
  email,
  json,
  list,
  networkAddress,
  oneOf,
  reference,
  table,
  text,
  timestamp,
  uuid,
} from '../../kit/table.ts'

export const users = table('users', 'user', {
  id: uuid().default('uuid_v7()').readonly().of('user', 'pseudonymise'),
  email: email().personal(),
  username: text(100).nullable().personal(),
  full_name: text(255).nullable().personal(),
  first_name: text(100).nullable().personal(),
  last_name: text(100).nullable().personal(),
  display_name: text(255).nullable().personal(),
  avatar_blob: text(255).nullable().secret().personal().blob(),
  /** BCP 47. */
  locale: text(35).default("'en'"),
  roles: list(100, 20).default("'{viewer}'"),
  metadata: json(z.record(z.string().max(100), z.unknown()))
    .default("'{}'")
    .personal(),
  /** What access policies may ask of a person, as text by name. */
  attributes: json(z.record(z.string().max(50), z.string().max(200)))
    .default("'{}'")
    .personal(),
  password_hash: text(255).nullable().secret().personal(),
  password_changed_at: timestamp().nullable().readonly(),
  email_verified: boolean().default('false').readonly(),
  oidc_provider_id: reference('oidc_providers').nullable().readonly(),
  external_subject: text(255).nullable().readonly().personal(),
  suspended_at: timestamp().nullable().readonly(),
  last_login_at: timestamp().nullable().readonly().personal(),
  deleted_at: timestamp().nullable().readonly(),
})

export const sessions = table('sessions', 'session', {
  user_id: uuid().readonly().of('user', 'delete'),
  token_hash: text(64).secret(),
  kind: oneOf(['browser', 'program']).default("'browser'").readonly(),
  method: oneOf(['password', 'second_factor', 'passkey', 'oidc']).default("'password'").readonly(),
  scopes: list(100, 200).nullable().readonly(),
  ip_address: networkAddress().nullable().readonly().personal(),
  user_agent: text(500).nullable().readonly().personal(),
  last_accessed_at: timestamp().default('now()').readonly(),
  expires_at: timestamp().readonly(),
  revoked_at: timestamp().nullable().readonly(),
})

export const apiKeys = table('api_keys', 'API key', {
  user_id: uuid().readonly().of('user', 'delete'),
  name: text(100),
  key_hash: text(64).secret(),
  prefix: text(20).readonly(),
  /** Names of operations, or `projects.*`; never wider than the owner's own. */
  scopes: list(100, 200).once(),
  replaces: uuid().nullable().readonly(),
  last_used_at: timestamp().nullable().readonly(),
  expires_at: timestamp().nullable().once(),
  revoked_at: timestamp().nullable().readonly(),
})

/** What members of a tenant see of each other: a view of users. */
export const profile = z
  .object({
    id: z.uuid(),
    display_name: z.string().nullable(),
    avatar_url: z.string().nullable(),
    created_at: z.string(),
  })
  .meta({ id: 'profile' })

declare module '../../kit/database.ts' {
  interface DB {
    users: Columns<typeof users>
    sessions: Columns<typeof sessions>
    api_keys: Columns<typeof apiKeys>
    profiles: z.output<typeof profile> & { user_id: string }
  }
}
