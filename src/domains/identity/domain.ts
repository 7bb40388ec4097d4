import type { Domain } from '../../kit/kernel.ts'
import { apiKeyOperations } from './api-keys.ts'
import { authorizationOperations, authorizationTables } from './authorization.ts'
import { challenges, oidcProviders, recoveryCodes, totpSecrets, userCredentials } from './factors.table.ts'
import { apiKeys, sessions, users } from './identity.table.ts'
import { userEmailPreferences } from './mail-preferences.table.ts'
import { meOperations } from './me.ts'
import { emailVerificationTokens, invitations, loginAttempts, passwordResetTokens, refreshTokens } from './one-time.table.ts'
import { sessionOperations } from './sessions.ts'
import { userOperations } from './users.ts'

export const identity: Domain = {
  name: 'identity',
  tables: [users, sessions, apiKeys, refreshTokens, emailVerificationTokens, passwordResetTokens, invitations, loginAttempts, userEmailPreferences, totpSecrets, recoveryCodes, userCredentials, challenges, oidcProviders, ...authorizationTables] as never,
  operations: [...authorizationOperations, sessionOperations, meOperations, userOperations, apiKeyOperations],
}
