import { sql } from 'kysely'
import { on } from '../../kit/events.ts'
import { enqueue } from '../../kit/kernel.ts'
import { invitationLetter } from './send-letter.job.ts'

/** A tenant that was opened for a customer has nobody in it yet: its first administrator comes by invitation, as everyone after them. */
export const inviteAdministrator = on('tenant.created', (context, { email, origin }) =>
  context.scoped(async (tx) => {
    // An event may be delivered twice.
    const invited = await tx.selectFrom('invitations').select('id').where('email', '=', email).executeTakeFirst()
    if (invited) return
    const { id } = await tx
      .insertInto('invitations')
      .values({ email, roles: ['admin'], locale: 'en', expires_at: sql<string>`now() + interval '7 days'` })
      .returning('id')
      .executeTakeFirstOrThrow()
    await enqueue(tx, invitationLetter, { invitation_id: id, origin }, { user: null })
  }),
)
