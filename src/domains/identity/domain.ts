import type { Domain } from '../../kit/kernel.ts'
import { apiKeyOperations, meOperations, sessionOperations, userOperations } from './identity.ts'
import { apiKeys, sessions, users } from './identity.table.ts'

export const identity: Domain = {
  name: 'identity',
  tables: [users, sessions, apiKeys] as never,
  operations: [sessionOperations, meOperations, userOperations, apiKeyOperations],
}
