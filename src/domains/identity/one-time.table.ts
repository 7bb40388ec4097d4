import {
  boolean,
  email,
  list,
  namesNobody,
  networkAddress,
  oneOf,
  table,
  text,
  timestamp,
  uuid,
} from '../../kit/table.ts'

const usedOnce = {
  token_hash: text(64).secret(),
  expires_at: timestamp().readonly(),
  used_at: timestamp().nullable().readonly(),
}

export const refreshTokens = table('refresh_tokens', 'refresh token', {
  ...usedOnce,
  user_id: uuid().readonly().of('user', 'delete'),
  session_id: uuid().readonly(),
  revoked_at: timestamp().nullable().readonly(),
})

export const emailVerificationTokens = table('email_verification_tokens', 'email verification token', {
  ...usedOnce,
  user_id: uuid().readonly().of('user', 'delete'),
  email: email().readonly().personal(),
})

export const passwordResetTokens = table('password_reset_tokens', 'password reset token', {
  ...usedOnce,
  user_id: uuid().readonly().of('user', 'delete'),
})

export const invitations = table('invitations', 'invitation', {
  email: email().once().personal().of('user', 'delete'),
  full_name: text(255).nullable().once().personal(),
  roles: list(100, 20).once(),
  locale: text(35).default("'en'").once(),
  invited_by: uuid().nullable().readonly().of('user', namesNobody),
  token_hash: text(64).nullable().secret(),
  expires_at: timestamp().readonly(),
  accepted_at: timestamp().nullable().readonly(),
  revoked_at: timestamp().nullable().readonly(),
  /** Who came of it. */
  user_id: uuid().nullable().readonly().of('user', 'delete'),
})

export const loginAttempts = table('login_attempts', 'login attempt', {
  kind: oneOf(['password', 'second_factor', 'reset', 'verification']).readonly(),
  account_hash: text(64).secret().of('user', 'delete', 'login'),
  ip_address: networkAddress().nullable().readonly().personal(),
  succeeded: boolean().readonly(),
})

declare module '../../kit/database.ts' {
  interface DB {
    refresh_tokens: Columns<typeof refreshTokens>
    email_verification_tokens: Columns<typeof emailVerificationTokens>
    password_reset_tokens: Columns<typeof passwordResetTokens>
    invitations: Columns<typeof invitations>
    login_attempts: Columns<typeof loginAttempts>
  }
}
