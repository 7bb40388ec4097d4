import type { Domain } from '../../kit/kernel.ts'
import { costOperations, usageOperations } from './metering.ts'
import { costEntries, usageRecords } from './metering.table.ts'

export const metering: Domain = { name: 'metering', tables: [costEntries, usageRecords] as never, operations: [costOperations, usageOperations] }
