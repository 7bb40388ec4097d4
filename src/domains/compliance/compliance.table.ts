import { z } from 'zod'
import {
  count,
  bytes,
  json,
  namesNobody,
  networkAddress,
  oneOf,
  table,
  text,
  timestamp,
  uuid,
} from '../../kit/table.ts'

/** Where a tenant's audit chain has come to. */
export const auditChains = table('audit_chains', 'audit chain', {
  sequence: count().default('0').readonly(),
  hash: text(64).default("repeat('0', 64)").readonly(),
})

export const severities = ['low', 'medium', 'high', 'critical'] as const

/** What endangered, or changed, the way into somebody's account, or the tenant's. */
export const securityEvents = table('security_events', 'security event', {
  user_id: uuid().nullable().readonly().of('user', 'pseudonymise'),
  event_type: text(100).readonly(),
  severity: oneOf(severities).readonly(),
  details: json(z.record(z.string(), z.unknown())).default("'{}'").readonly().personal(),
  ip_address: networkAddress().nullable().readonly().personal(),
  user_agent: text(500).nullable().readonly().personal(),
  occurred_at: timestamp().default('now()').readonly(),
  acknowledged_by: uuid().nullable().readonly().of('user', namesNobody),
  acknowledged_at: timestamp().nullable().readonly(),
})

export const requestTypes = ['access', 'portability', 'rectification', 'erasure'] as const
export const requestStates = ['pending', 'processing', 'completed', 'refused', 'cancelled', 'failed'] as const

/** What a person may have corrected without their own hand. */
export const corrections = z
  .strictObject({
    email: z.email().max(254).toLowerCase(),
    username: z.string().max(100).nullable(),
    full_name: z.string().max(255).nullable(),
    first_name: z.string().max(100).nullable(),
    last_name: z.string().max(100).nullable(),
    display_name: z.string().max(255).nullable(),
    locale: z.string().max(35),
  })
  .partial()

/** What was done for a request. */
export const report = z.object({
  tables: z.array(
    z.object({
      table: z.string(),
      found: z.number(),
      deleted: z.number(),
      pseudonymised: z.number(),
      kept: z.number(),
      /** Why something was kept. */
      because: z.array(z.string()),
    }),
  ),
  files: z.number(),
})

export const gdprRequests = table('gdpr_requests', 'data protection request', {
  user_id: uuid().once().of('user', 'pseudonymise'),
  requested_by: uuid().nullable().default('acting_user()').readonly().of('user', namesNobody),
  request_type: oneOf(requestTypes).once(),
  status: oneOf(requestStates).default("'pending'").readonly(),
  requested_at: timestamp().default('now()').readonly(),
  /** One month after it was made; three, when the person was told why. */
  due_at: timestamp().readonly(),
  extended_because: text(2000).nullable().readonly(),
  refused_because: text(2000).nullable().readonly(),
  notes: text(5000).nullable().once().personal(),
  changes: json(corrections).nullable().once().personal(),
  job_id: uuid().nullable().readonly(),
  result_blob: text(1024).nullable().secret().personal().blob(),
  result_bytes: bytes().nullable().readonly(),
  result_expires_at: timestamp().nullable().readonly(),
  report: json(report).nullable().readonly(),
  warned_at: timestamp().nullable().secret(),
  completed_at: timestamp().nullable().readonly(),
})

/** Who was erased, by an id that leads to nobody. */
export const gdprErasures = table('gdpr_erasures', 'erasure', {
  user_id: uuid().readonly().of('user', namesNobody),
  request_id: uuid().nullable().readonly(),
  erased_at: timestamp().default('now()').readonly(),
  applied_at: timestamp().default('now()').readonly(),
})

declare module '../../kit/database.ts' {
  interface DB {
    audit_chains: Columns<typeof auditChains>
    security_events: Columns<typeof securityEvents>
    gdpr_requests: Columns<typeof gdprRequests>
    gdpr_erasures: Columns<typeof gdprErasures>
  }
}
