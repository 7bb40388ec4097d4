import { auditLogs } from '../../kit/audit.table.ts'
import type { Domain } from '../../kit/kernel.ts'
import { auditLogOperations, auditOperations } from './audit-operations.ts'
import { auditChains, gdprErasures, gdprRequests, securityEvents } from './compliance.table.ts'
import { gdprLedgerOperations, gdprOperations } from './gdpr-operations.ts'
import { eraseJob, gatherJob } from './gdpr.job.ts'
import { securityEventOperations, securitySubscriptions } from './security-events.ts'

export const compliance: Domain = {
  name: 'compliance',
  tables: [auditLogs, auditChains, securityEvents, gdprRequests, gdprErasures] as never,
  operations: [auditLogOperations, auditOperations, securityEventOperations, gdprOperations, gdprLedgerOperations],
  jobs: [gatherJob, eraseJob],
  subscriptions: securitySubscriptions,
}
