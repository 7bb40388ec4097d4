import { Problem } from '../../kit/errors.ts'
import { type AnyOperation, isReadOnly } from '../../kit/operation.ts'

export const states = ['trial', 'active', 'past_due', 'cancelled', 'expired'] as const
export type Standing = (typeof states)[number]

/**
 * What each state allows. `grow`: more people, projects, podcasts, campaigns, storage. `change`: anything that is not a reading.
 * Past due has fourteen days of grace, cancelled lasts until the end of what is paid, a trial until its end: then each is expired
 * (`standing_of` in SQL).
 */
const allowed: Record<Standing, { change: boolean; grow: boolean }> = {
  trial: { change: true, grow: true },
  active: { change: true, grow: true },
  past_due: { change: true, grow: false },
  cancelled: { change: true, grow: true },
  expired: { change: false, grow: false },
}

/** Whoever has stopped paying still gets in, sees to their account, takes their data along and tidies up. */
const alwaysAllowed =
  /^(sessions|tokens|me|mfa|passkeys|tenant|white_label|billing|gdpr_requests)\.|\.(archive|remove|revoke|cancel|export)$/

/** @throws Problem 402 subscription_expired */
export function requireChangeable(standing: Standing, operation: AnyOperation): void {
  if (allowed[standing].change || isReadOnly(operation) || operation.public || alwaysAllowed.test(operation.name))
    return
  throw new Problem(
    402,
    'subscription_expired',
    'The subscription has ended: everything can be read, exported and removed, and nothing new be made.',
    { standing },
  )
}

/** @throws Problem 402 payment_due */
export function requireGrowing(standing: Standing): void {
  if (allowed[standing].grow) return
  throw new Problem(
    402,
    standing === 'expired' ? 'subscription_expired' : 'payment_due',
    'A payment is missing: what is there goes on working, and nothing can be added.',
    { standing },
  )
}
