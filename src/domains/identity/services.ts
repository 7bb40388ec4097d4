import type { Mail } from '../../engines/mail/mail.ts'
import type { BlobStore } from '../../engines/storage/storage.ts'
import type { Config } from '../../kit/config.ts'
import type { AccessTokens } from './access-token.ts'
import type { Authenticator } from './authenticate.ts'
import type { UseRecorder } from './record-use.ts'

declare module '../../kit/operation.ts' {
  interface Services {
    config: Config
    storage: BlobStore
    mail: Mail
    authenticator: Authenticator
    accessTokens: AccessTokens
    uses: UseRecorder
  }
}

/** What happened to somebody's way in. Names begin with `security.`; whoever keeps security events subscribes to them. */
export interface SecurityNews {
  user_id: string | null
  severity: 'low' | 'medium' | 'high' | 'critical'
  ip_address: string | null
  details: Record<string, string | number | boolean | null>
}

export const securityNews = [
  'security.refresh_token_reused',
  'security.sign_in_blocked',
  'security.new_address',
  'security.password_changed',
  'security.password_reset',
  'security.email_changed',
  'security.second_factor_added',
  'security.second_factor_removed',
  'security.recovery_code_used',
  'security.passkey_added',
  'security.passkey_removed',
  'security.signed_out_everywhere',
  'security.api_key_rotated',
] as const

declare module '../../kit/events.ts' {
  interface EventPayloads extends Record<(typeof securityNews)[number], SecurityNews> {}
}
