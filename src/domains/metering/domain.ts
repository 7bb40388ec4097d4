import type { Domain } from '../../kit/kernel.ts'
import { costOperations, usageOperations } from './metering.ts'
import { aiTokenBalances, aiTokenUsage, apiUsage, costEntries, usageRecords } from './metering.table.ts'
import { statementOperations } from './statements.ts'
import { apiUsageOperations, tokenOperations } from './tokens.ts'

export const metering: Domain = {
  name: 'metering',
  tables: [costEntries, usageRecords, aiTokenUsage, aiTokenBalances, apiUsage] as never,
  operations: [costOperations, usageOperations, tokenOperations, apiUsageOperations, statementOperations],
}
