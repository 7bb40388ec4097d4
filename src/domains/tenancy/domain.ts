import type { Domain } from '../../kit/kernel.ts'
import { accountStatementOperations } from './account-statements.ts'
import { accountOperations } from './accounts.ts'
import { brandingConfigurationOperations, brandingOperations, whiteLabelOperations } from './branding.ts'
import { domainOperations } from './domains.ts'
import { planOperations } from './plans.ts'
import { resellerOperations } from './resellers.ts'
import { brandingConfigurations, resellers, subscriptionPlans, whiteLabelSettings } from './resellers.table.ts'
import { quotaReservations, requestBuckets, tenantQuotas, tenantSettings, tenants } from './tenancy.table.ts'
import { operations } from './tenancy.ts'

export const tenancy: Domain = {
  name: 'tenancy',
  tables: [
    tenants,
    tenantSettings,
    tenantQuotas,
    quotaReservations,
    requestBuckets,
    resellers,
    subscriptionPlans,
    brandingConfigurations,
    whiteLabelSettings,
  ] as never,
  operations: [
    operations,
    domainOperations,
    brandingOperations,
    whiteLabelOperations,
    planOperations,
    brandingConfigurationOperations,
    accountOperations,
    accountStatementOperations,
    resellerOperations,
  ],
}
