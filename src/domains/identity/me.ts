import { sql } from 'kysely'
import { z } from 'zod'
import { notFound } from '../../kit/errors.ts'
import { type Context, operation } from '../../kit/operation.ts'
import { confirmPassword } from './confirm-password.ts'
import { users } from './identity.table.ts'
import { requireStrong } from './judge-password.ts'
import { canonicalLocale } from './locale.ts'
import { endSessions } from './open-session.ts'
import { hashPassword } from './passwords.ts'
import { signedInUser, userOf } from './person.ts'

const password = z.string().min(1).max(256)
const me = users.row.extend({ permissions: z.array(z.string()), tenant_id: z.uuid() })

/** What a person says of themselves; what they may do is for others to say. */
const profileFields = users.update.pick({
  username: true,
  full_name: true,
  first_name: true,
  last_name: true,
  display_name: true,
  locale: true,
})

export const ownRow = (context: Context) =>
  context.tx
    .selectFrom('users')
    .selectAll()
    .where('id', '=', userOf(context))
    .executeTakeFirstOrThrow(() => notFound('user'))

export const meOperations = {
  get: operation({
    name: 'me.get',
    method: 'GET',
    path: '/v1/me',
    summary: 'Show who you are and what you may do',
    input: z.object({}),
    output: me,
    async run(context) {
      return {
        ...(await ownRow(context)),
        permissions: context.principal.permissions,
        tenant_id: context.principal.tenant,
      }
    },
  }),
  update: operation({
    name: 'me.update',
    method: 'PATCH',
    path: '/v1/me',
    summary: 'Change your names, your language or your password',
    input: profileFields.extend({ password: password.optional(), current_password: password.optional() }),
    output: users.row,
    async run(context, { password, current_password, locale, ...profile }) {
      const { tx } = context
      const user = await ownRow(context)
      if (password !== undefined) {
        signedInUser(context)
        await requireStrong(context, password, [user.email, user.full_name, user.username])
        // Who has none yet asks for a letter instead: a session that was stolen must not become an account. On this machine itself all is allowed.
        if (context.principal.via !== 'local' && !(await confirmPassword(context, user, current_password))) return user
        await tx
          .updateTable('users')
          .set({ password_hash: await hashPassword(password), password_changed_at: sql`now()` })
          .where('id', '=', user.id)
          .execute()
        // Whoever knew the old password is signed out, but for the session that changed it.
        await endSessions(context, user.id, context.principal.via === 'session' ? context.principal.credential : null)
        await context.emit('security.password_changed', {
          user_id: user.id,
          severity: 'low',
          ip_address: context.request.address,
          details: {},
        })
      }
      return tx
        .updateTable('users')
        .set({ ...profile, ...(locale !== undefined && { locale: canonicalLocale(locale) }), updated_at: sql`now()` })
        .where('id', '=', user.id)
        .returningAll()
        .executeTakeFirstOrThrow()
    },
  }),
}
