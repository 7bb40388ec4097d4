import {
  accessControlPolicies,
  accessLogs,
  resourceOwnership,
  rolePermissions,
  roles,
  userRoles,
} from './authorization.table.ts'
import type { Authorization } from './open-authorization.ts'
import { ownershipOperations } from './ownership-operations.ts'
import { accessLogOperations, policyOperations } from './policy-operations.ts'
import { permissionOperations, roleOperations, userRoleOperations } from './role-operations.ts'
import { simulationOperations } from './simulate.ts'

declare module '../../kit/operation.ts' {
  interface Services {
    authorization: Authorization
  }
}

export const authorizationTables = [
  roles,
  rolePermissions,
  userRoles,
  resourceOwnership,
  accessControlPolicies,
  accessLogs,
]
export const authorizationOperations = [
  roleOperations,
  userRoleOperations,
  permissionOperations,
  ownershipOperations,
  policyOperations,
  accessLogOperations,
  simulationOperations,
]
