import { boolean, bytes, list, oneOf, table, text, timestamp, uuid } from '../../kit/table.ts'

export const totpSecrets = table('totp_secrets', 'authenticator app', {
  user_id: uuid().readonly().of('user', 'delete'),
  secret_encrypted: text(255).secret(),
  confirmed_at: timestamp().nullable().readonly(),
  last_step: bytes().default('0').secret(),
})

export const recoveryCodes = table('recovery_codes', 'recovery code', {
  user_id: uuid().readonly().of('user', 'delete'),
  code_hash: text(64).secret(),
  used_at: timestamp().nullable().readonly(),
})

export const userCredentials = table('user_credentials', 'passkey', {
  user_id: uuid().readonly().of('user', 'delete'),
  name: text(100),
  /** base64url, as WebAuthn's JSON has it. */
  credential_id: text(1400).secret(),
  /** COSE key, base64url. */
  public_key: text(2000).secret(),
  counter: bytes().default('0').secret(),
  transports: list(50, 20).default("'{}'").readonly(),
  /** Its maker keeps a copy, so that it outlives the device. */
  backed_up: boolean().default('false').readonly(),
  last_used_at: timestamp().nullable().readonly(),
})

export const challenges = table('challenges', 'challenge', {
  kind: oneOf(['add_passkey', 'passkey', 'oidc']).secret(),
  user_id: uuid().nullable().secret().of('user', 'delete'),
  token_hash: text(64).secret(),
  sealed: text(4000).nullable().secret(),
  expires_at: timestamp().secret(),
})

export const oidcProviders = table('oidc_providers', 'OpenID provider', {
  /** Part of its address: `microsoft` in /v1/oidc/microsoft. */
  key: text(63).once(),
  name: text(100),
  issuer: text(500),
  client_id: text(255),
  client_secret_encrypted: text(2000).nullable().secret(),
  scopes: list(100, 20).default("'{openid,email,profile}'"),
  enabled: boolean().default('true'),
  creates_users: boolean().default('false'),
  default_roles: list(100, 20).default("'{viewer}'"),
  trusts_addresses: boolean().default('false'),
  handles_second_factor: boolean().default('true'),
  /** Domains whose addresses it may speak for; all, when none is named. */
  allowed_domains: list(255, 100).default("'{}'"),
})

declare module '../../kit/database.ts' {
  interface DB {
    totp_secrets: Columns<typeof totpSecrets>
    recovery_codes: Columns<typeof recoveryCodes>
    user_credentials: Columns<typeof userCredentials>
    challenges: Columns<typeof challenges>
    oidc_providers: Columns<typeof oidcProviders>
  }
}
