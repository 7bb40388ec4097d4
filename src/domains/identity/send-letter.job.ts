import { sql } from 'kysely'
import { z } from 'zod'
import { type JobContext, job } from '../../kit/jobs.ts'
import { Id } from '../../kit/table.ts'
import { type MailText, brandMail } from '../tenancy/brand-mail.ts'
import { loadBranding } from '../tenancy/branding.ts'
import { type LetterName, wordLetter, wordUnsubscribe } from './letters.ts'
import { type MailKind, mailKinds } from './mail-preferences.table.ts'
import { type TenantTokenKind, hashToken, makeTenantToken } from './tokens.ts'
import { unsubscribeToken } from './unsubscribe-link.ts'

const origin = z.string().max(500)

interface Recipient {
  email: string
  name: string | null
  locale: string
}

async function send(context: JobContext, to: Recipient, text: MailText, unsubscribe?: string): Promise<void> {
  const branding = await context.scoped(loadBranding, true)
  const { from, subject, text: plain, html } = brandMail(branding, text)
  const name = to.name?.replaceAll(/\p{Cc}+/gu, ' ') || undefined
  await context.services.mail.send({
    to: { address: to.email, name },
    fromName: from,
    subject,
    text: plain,
    html,
    ...(unsubscribe && { unsubscribe }),
  })
}

async function sendWorded(
  context: JobContext,
  to: Recipient,
  letter: LetterName,
  values: Record<string, string>,
  url?: string,
): Promise<void> {
  const { texts } = await context.scoped(loadBranding, true)
  const { subject, paragraphs, action } = wordLetter(letter, to.locale, { app: texts.appName, ...values })
  await send(context, to, { subject, paragraphs, ...(url && action && { action: { label: action, url } }) })
}

const personOf = (context: JobContext, where: { id: string } | { email: string }) =>
  context.scoped(
    (tx) =>
      tx
        .selectFrom('users')
        .select(['id', 'email', 'full_name', 'locale', 'suspended_at'])
        .where((of) => ('id' in where ? of('id', '=', where.id) : of('email', '=', where.email)))
        .where('deleted_at', 'is', null)
        .executeTakeFirst(),
    true,
  )

const recipient = ({
  email,
  full_name,
  locale,
}: {
  email: string
  full_name: string | null
  locale: string
}): Recipient => ({ email, name: full_name, locale })
/** Behind '#', which no server, proxy or other page gets to see. */
const link = (origin: string, page: string, token: string): string => `${origin}/${page}#token=${token}`
const token = (context: JobContext, kind: TenantTokenKind): string => makeTenantToken(kind, context.principal.tenant)

/** Tokens are made when the letter is sent, so that nothing keeps one but the letter. */
export const resetLetter = job({
  name: 'identity.reset_letter',
  payload: z.object({ email: z.string().max(254), origin }),
  async run(context, { email, origin }) {
    const user = await personOf(context, { email })
    if (!user || user.suspended_at) return
    const made = token(context, 'vr')
    await context.scoped(async (tx) => {
      await tx
        .updateTable('password_reset_tokens')
        .set({ used_at: sql`now()` })
        .where('user_id', '=', user.id)
        .where('used_at', 'is', null)
        .execute()
      await tx
        .insertInto('password_reset_tokens')
        .values({ user_id: user.id, token_hash: hashToken(made), expires_at: sql<string>`now() + interval '1 hour'` })
        .execute()
    })
    await sendWorded(context, recipient(user), 'reset', {}, link(origin, 'reset-password', made))
  },
})

export const verificationLetter = job({
  name: 'identity.verification_letter',
  payload: z.object({ user_id: Id, email: z.string().max(254), origin }),
  async run(context, { user_id, email, origin }) {
    const user = await personOf(context, { id: user_id })
    if (!user) return
    const made = token(context, 'vv')
    await context.scoped(async (tx) => {
      await tx
        .updateTable('email_verification_tokens')
        .set({ used_at: sql`now()` })
        .where('user_id', '=', user_id)
        .where('used_at', 'is', null)
        .execute()
      await tx
        .insertInto('email_verification_tokens')
        .values({ user_id, email, token_hash: hashToken(made), expires_at: sql<string>`now() + interval '3 days'` })
        .execute()
    })
    await sendWorded(context, { ...recipient(user), email }, 'verify', {}, link(origin, 'verify-email', made))
  },
})

export const invitationLetter = job({
  name: 'identity.invitation_letter',
  payload: z.object({ invitation_id: Id, origin }),
  async run(context, { invitation_id, origin }) {
    const made = token(context, 'vi')
    const invitation = await context.scoped((tx) =>
      tx
        .updateTable('invitations')
        .set({ token_hash: hashToken(made) })
        .where('id', '=', invitation_id)
        .where('accepted_at', 'is', null)
        .where('revoked_at', 'is', null)
        .returningAll()
        .executeTakeFirst(),
    )
    if (!invitation) return
    const inviter = invitation.invited_by ? await personOf(context, { id: invitation.invited_by }) : undefined
    const tenant = await context.scoped((tx) => tx.selectFrom('tenants').select('name').executeTakeFirstOrThrow(), true)
    const names = { inviter: inviter?.full_name ?? inviter?.email ?? tenant.name, tenant: tenant.name }
    await sendWorded(context, recipient(invitation), 'invite', names, link(origin, 'accept-invitation', made))
  },
})

/** To a person of the tenant, of a kind that they may do without; nothing is sent to those who do. Any room may ask for it. */
export const letterToPerson = job({
  name: 'identity.letter_to_person',
  payload: z.object({
    user_id: Id,
    kind: z.enum(mailKinds),
    subject: z.string().min(1).max(300),
    paragraphs: z.array(z.string().max(5000)).min(1).max(50),
    action: z.object({ label: z.string().max(100), url: z.string().max(2000) }).optional(),
    origin,
  }),
  async run(context, { user_id, kind, subject, paragraphs, action, origin }) {
    const user = await personOf(context, { id: user_id })
    if (!user || user.suspended_at || !(await wants(context, user_id, kind))) return
    const signed = unsubscribeToken(context.services.config.secret, {
      tenant: context.principal.tenant,
      user: user_id,
      kind,
    })
    const url = `${origin}/v1/mail/unsubscribe?token=${signed}`
    await send(
      context,
      recipient(user),
      { subject, paragraphs, action, footnote: wordUnsubscribe(user.locale, url) },
      url,
    )
  },
})

async function wants(context: JobContext, user: string, kind: MailKind): Promise<boolean> {
  const held = await context.scoped(
    (tx) => tx.selectFrom('user_email_preferences').select(kind).where('user_id', '=', user).executeTakeFirst(),
    true,
  )
  return held ? (held as Record<MailKind, boolean>)[kind] : kind !== 'marketing_emails'
}

/** Tells a person what happened to their account, wherever they were: whoever did it must not be able to keep it from them. */
export async function notify(
  context: JobContext,
  user_id: string,
  letter: LetterName,
  values: Record<string, string>,
  page?: string,
  email?: string,
): Promise<void> {
  const user = await personOf(context, { id: user_id })
  const { VOICEPRESS_PUBLIC_URL: site } = context.services.config
  if (user)
    await sendWorded(
      context,
      { ...recipient(user), ...(email && { email }) },
      letter,
      { email: user.email, ...values },
      site && page ? `${site.replace(/\/$/, '')}/${page}` : undefined,
    )
}

export const letterJobs = [resetLetter, verificationLetter, invitationLetter, letterToPerson]
