import { boolean, table, uuid } from '../../kit/table.ts'

/** Kinds of letters that a person may do without, and what holds until they say otherwise. */
export const mailKinds = ['activity', 'reports', 'product_updates', 'marketing_emails', 'security_alerts'] as const
export type MailKind = (typeof mailKinds)[number]

export const userEmailPreferences = table('user_email_preferences', 'email preferences', {
  user_id: uuid().readonly().of('user', 'delete'),
  activity: boolean().default('true'),
  reports: boolean().default('true'),
  product_updates: boolean().default('true'),
  marketing_emails: boolean().default('false'),
  security_alerts: boolean().default('true'),
})

declare module '../../kit/database.ts' {
  interface DB {
    user_email_preferences: Columns<typeof userEmailPreferences>
  }
}
