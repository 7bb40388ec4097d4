import { sql } from 'kysely'
import { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import { operation } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { enforceQuota } from '../tenancy/enforce-quota.ts'
import { enterTenant } from './act-as.ts'
import { requireGrantable } from './grant-roles.ts'
import { users } from './identity.table.ts'
import { requireStrong } from './judge-password.ts'
import { canonicalLocale } from './locale.ts'
import { invitations } from './one-time.table.ts'
import { hashPassword } from './passwords.ts'
import { invalidLink } from './reset-password.ts'
import { invitationLetter } from './send-letter.job.ts'
import { siteOrigin } from './site-origin.ts'
import { hashToken, tenantOfToken } from './tokens.ts'

const byId = z.object({ id: Id })
const { list, get } = resource(invitations)
const validFor = sql<string>`now() + interval '7 days'`

export const invitationOperations = {
  list,
  get,
  create: operation({
    name: 'invitations.create',
    method: 'POST',
    path: '/v1/invitations',
    summary: 'Invite a person by mail',
    input: invitations.create,
    output: invitations.row,
    async run(context, { email, full_name, roles, locale = 'en' }) {
      const { tx, principal } = context
      await requireGrantable(context, roles)
      await enforceQuota(tx, 'users')
      const known = await tx
        .selectFrom('users')
        .select('id')
        .where('email', '=', email)
        .where('deleted_at', 'is', null)
        .executeTakeFirst()
      if (known) throw new Problem(409, 'already_exists', 'There is a person with this address.', { field: 'email' })
      // One that has expired makes room for another.
      await tx
        .updateTable('invitations')
        .set({ revoked_at: sql`now()` })
        .where('email', '=', email)
        .where('accepted_at', 'is', null)
        .where('revoked_at', 'is', null)
        .where('expires_at', '<', sql<string>`now()`)
        .execute()
      const invitation = await tx
        .insertInto('invitations')
        .values({
          email,
          full_name,
          roles,
          locale: canonicalLocale(locale),
          invited_by: principal.user,
          expires_at: validFor,
        })
        .returningAll()
        .executeTakeFirstOrThrow()
      await context.enqueue(invitationLetter, { invitation_id: invitation.id, origin: await siteOrigin(context) })
      return invitation
    },
  }),
  resend: operation({
    name: 'invitations.resend',
    method: 'POST',
    path: '/v1/invitations/:id/resend',
    summary: 'Send an invitation once more; the link of the letter before stops working',
    input: byId,
    output: invitations.row,
    async run(context, { id }) {
      const invitation = await context.tx
        .updateTable('invitations')
        .set({ expires_at: validFor, token_hash: null, updated_at: sql`now()` })
        .where('id', '=', id)
        .where('accepted_at', 'is', null)
        .where('revoked_at', 'is', null)
        .returningAll()
        .executeTakeFirstOrThrow(() => notFound('invitation'))
      await requireGrantable(context, invitation.roles)
      await context.enqueue(invitationLetter, { invitation_id: id, origin: await siteOrigin(context) })
      return invitation
    },
  }),
  remove: operation({
    name: 'invitations.remove',
    method: 'DELETE',
    path: '/v1/invitations/:id',
    summary: 'Take back an invitation',
    input: byId,
    output: byId,
    async run({ tx }, { id }) {
      await tx
        .updateTable('invitations')
        .set({ revoked_at: sql`now()` })
        .where('id', '=', id)
        .where('accepted_at', 'is', null)
        .where('revoked_at', 'is', null)
        .returning('id')
        .executeTakeFirstOrThrow(() => notFound('invitation'))
      return { id }
    },
  }),
  accept: operation({
    name: 'invitations.accept',
    method: 'POST',
    path: '/v1/invitations/accept',
    summary: 'Accept an invitation with the link of its letter, and choose a password',
    public: true,
    input: z.strictObject({
      token: z.string().max(200),
      password: z.string().min(1).max(256),
      full_name: z.string().max(255).optional(),
    }),
    output: users.row,
    async run(context, { token, password, full_name }) {
      const { tx } = context
      await enterTenant(context, tenantOfToken('vi', token), invalidLink)
      const invitation = await tx
        .updateTable('invitations')
        .set({ accepted_at: sql`now()` })
        .where('token_hash', '=', hashToken(token))
        .where('accepted_at', 'is', null)
        .where('revoked_at', 'is', null)
        .where('expires_at', '>', sql<string>`now()`)
        .returningAll()
        .executeTakeFirstOrThrow(invalidLink)
      await requireStrong(context, password, [invitation.email, full_name, invitation.full_name])
      await enforceQuota(tx, 'users')
      const user = await tx
        .insertInto('users')
        .values({
          email: invitation.email,
          full_name: full_name ?? invitation.full_name,
          roles: invitation.roles,
          locale: invitation.locale,
          email_verified: true,
          password_hash: await hashPassword(password),
          password_changed_at: sql<string>`now()`,
        })
        .returningAll()
        .executeTakeFirstOrThrow()
      await tx.updateTable('invitations').set({ user_id: user.id }).where('id', '=', invitation.id).execute()
      return user
    },
  }),
}
