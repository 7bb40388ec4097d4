import { auditLogs } from '../../kit/audit.table.ts'
import type { Domain } from '../../kit/kernel.ts'
import { operations } from './compliance.ts'

export const compliance: Domain = { name: 'compliance', tables: [auditLogs] as never, operations: [operations] }
