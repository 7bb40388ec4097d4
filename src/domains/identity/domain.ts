import type { Domain } from '../../kit/kernel.ts'
import { apiKeyOperations } from './api-keys.ts'
import { authorizationOperations, authorizationTables } from './authorization.ts'
import { emailOperations } from './email-verification.ts'
import { challenges, oidcProviders, recoveryCodes, totpSecrets, userCredentials } from './factors.table.ts'
import { apiKeys, sessions, users } from './identity.table.ts'
import { invitationOperations } from './invitations.ts'
import { mailPreferenceOperations } from './mail-preferences.ts'
import { userEmailPreferences } from './mail-preferences.table.ts'
import { meOperations } from './me.ts'
import { inviteAdministrator } from './invite-administrator.ts'
import { accountNotices } from './notify-people.ts'
import { oidcOperations } from './oidc.ts'
import { oidcProviderOperations } from './oidc-providers.ts'
import {
  emailVerificationTokens,
  invitations,
  loginAttempts,
  passwordResetTokens,
  refreshTokens,
} from './one-time.table.ts'
import { passkeyOperations } from './passkeys.ts'
import { avatarOperations, profileOperations } from './profiles.ts'
import { passwordOperations } from './reset-password.ts'
import { secondFactorOperations } from './second-factor-operations.ts'
import { letterJobs } from './send-letter.job.ts'
import { ownSessionOperations, sessionOperations } from './sessions.ts'
import { userOperations } from './users.ts'

export const identity: Domain = {
  name: 'identity',
  tables: [
    users,
    sessions,
    apiKeys,
    refreshTokens,
    emailVerificationTokens,
    passwordResetTokens,
    invitations,
    loginAttempts,
    userEmailPreferences,
    totpSecrets,
    recoveryCodes,
    userCredentials,
    challenges,
    oidcProviders,
    ...authorizationTables,
  ] as never,
  operations: [
    ...authorizationOperations,
    sessionOperations,
    passkeyOperations,
    ownSessionOperations,
    oidcOperations,
    oidcProviderOperations,
    meOperations,
    avatarOperations,
    secondFactorOperations,
    emailOperations,
    mailPreferenceOperations,
    profileOperations,
    passwordOperations,
    userOperations,
    invitationOperations,
    apiKeyOperations,
  ],
  jobs: [...letterJobs],
  subscriptions: [...accountNotices, inviteAdministrator],
}
