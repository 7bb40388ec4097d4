import { type Subscription, on } from '../../kit/events.ts'
import { wordTime } from './letters.ts'
import { notify } from './send-letter.job.ts'
import type { SecurityNews } from './services.ts'

const now = () => wordTime('en', new Date())

/** What people are told of their own accounts by mail. */
export const accountNotices: Subscription[] = [
  on('security.password_changed', (context, { user_id }) =>
    tell(user_id, (user) => notify(context, user, 'password_changed', { time: now() }, 'reset-password')),
  ),
  on('security.password_reset', (context, { user_id }) =>
    tell(user_id, (user) => notify(context, user, 'password_changed', { time: now() }, 'reset-password')),
  ),
  on('security.new_address', (context, { user_id, ip_address }) =>
    tell(user_id, (user) =>
      notify(context, user, 'new_address', { time: now(), address: ip_address ?? '?' }, 'account'),
    ),
  ),
  on('security.email_changed', (context, { user_id, details }) =>
    tell(user_id, (user) => notify(context, user, 'email_changed', {}, undefined, String(details.before))),
  ),
  ...(
    [
      'security.second_factor_added',
      'security.second_factor_removed',
      'security.recovery_code_used',
      'security.passkey_added',
      'security.passkey_removed',
    ] as const
  ).map((event) =>
    on(event, (context, { user_id }: SecurityNews) =>
      tell(user_id, (user) => notify(context, user, 'second_factor_changed', { time: now() }, 'account')),
    ),
  ),
]

const tell = async (user: string | null, send: (user: string) => Promise<void>): Promise<void> => {
  if (user) await send(user)
}
