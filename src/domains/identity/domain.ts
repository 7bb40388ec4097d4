import type { Domain } from '../../kit/kernel.ts'
import { apiKeyOperations } from './api-keys.ts'
import { apiKeys, sessions, users } from './identity.table.ts'
import { meOperations } from './me.ts'
import { sessionOperations } from './sessions.ts'
import { userOperations } from './users.ts'

export const identity: Domain = {
  name: 'identity',
  tables: [users, sessions, apiKeys] as never,
  operations: [sessionOperations, meOperations, userOperations, apiKeyOperations],
}
