import { z } from 'zod'
import { boolean, json, namesNobody, networkAddress, reference, table, text, timestamp, uuid } from '../../kit/table.ts'

/** What people of a tenant may be: the system's roles, and the tenant's own. */
export const roles = table('roles', 'role', {
  name: text(63).once(),
  description: text(500).default("''"),
  /** Comes with the software and follows its versions. */
  is_system: boolean().default('false').readonly(),
})

export const rolePermissions = table('role_permissions', 'granted permission', {
  role_id: reference('roles').once(),
  /** An operation's name, or `projects.*`, or `*`. */
  permission: text(100).once(),
})

export const userRoles = table('user_roles', 'assigned role', {
  user_id: reference('users').once().of('user', namesNobody),
  role_id: reference('roles').once(),
  assigned_by: uuid().nullable().default('acting_user()').readonly().of('user', namesNobody),
})

/** Whose a thing is, where its own table does not say. */
export const resourceOwnership = table('resource_ownership', 'ownership', {
  /** Name of a table. */
  resource_type: text(100).once(),
  resource_id: uuid().once(),
  owner_id: reference('users').of('user', namesNobody),
})

/** Cedar's JSON form of one policy; `check-policy.ts` judges what is in it. */
const policyDefinition = z.looseObject({
  effect: z.enum(['permit', 'forbid']),
  principal: z.looseObject({ op: z.enum(['All', '==', 'in', 'is']) }),
  action: z.looseObject({ op: z.enum(['All', '==', 'in']) }),
  resource: z.looseObject({ op: z.enum(['All', '==', 'in', 'is']) }),
  conditions: z.array(z.looseObject({ kind: z.enum(['when', 'unless']), body: z.record(z.string(), z.unknown()) })),
})

export const accessControlPolicies = table('access_control_policies', 'access policy', {
  name: text(100),
  description: text(1000).default("''"),
  policy_definition: json(policyDefinition),
  enabled: boolean().default('true'),
})

/** What was refused, and what was granted of what is delicate. Written in batches, off the request's path. */
export const accessLogs = table('access_logs', 'access log entry', {
  user_id: uuid().nullable().readonly().of('user', 'pseudonymise'),
  action: text(100).readonly(),
  resource_type: text(100).nullable().readonly(),
  resource_id: uuid().nullable().readonly(),
  allowed: boolean().readonly(),
  reason: text(500).readonly(),
  ip_address: networkAddress().nullable().readonly().personal(),
  user_agent: text(500).nullable().readonly().personal(),
  request_id: text(100).nullable().readonly(),
  occurred_at: timestamp().default('now()').readonly(),
})

declare module '../../kit/database.ts' {
  interface DB {
    roles: Columns<typeof roles>
    role_permissions: Columns<typeof rolePermissions>
    user_roles: Columns<typeof userRoles>
    resource_ownership: Columns<typeof resourceOwnership>
    access_control_policies: Columns<typeof accessControlPolicies>
    access_logs: Columns<typeof accessLogs>
  }
}
