import type { Domain } from '../../kit/kernel.ts'
import { tenantQuotas, tenantSettings, tenants } from './tenancy.table.ts'
import { operations } from './tenancy.ts'

export const tenancy: Domain = { name: 'tenancy', tables: [tenants, tenantSettings, tenantQuotas] as never, operations: [operations] }
