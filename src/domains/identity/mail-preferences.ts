import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { sql } from 'kysely'
import { z } from 'zod'
import { Problem } from '../../kit/errors.ts'
import { type FileReply, file, operation } from '../../kit/operation.ts'
import { enterTenant } from './act-as.ts'
import { userEmailPreferences } from './mail-preferences.table.ts'
import { userOf } from './person.ts'
import { readUnsubscribeToken } from './unsubscribe-link.ts'

const { id: _id, user_id: _user, created_at: _made, updated_at: _changed, ...kinds } = userEmailPreferences.row.shape
const preferences = z.object(kinds).meta({ id: 'email_preferences' })
const invalid = () => new Problem(400, 'invalid_link', 'This link is not one of ours.')
const token = z.string().max(1000)

const page = (words: string, form: string): FileReply => {
  const bytes = Buffer.from(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex"><title>Unsubscribe</title></head>
<body><p>${words}</p>${form}</body></html>
`)
  return {
    filename: 'unsubscribe.html',
    mediaType: 'text/html; charset=utf-8',
    inline: true,
    size: bytes.length,
    etag: createHash('sha256').update(bytes).digest('base64url').slice(0, 27),
    open: async (range) => Readable.from([range ? bytes.subarray(range.start, range.end + 1) : bytes]),
  }
}

export const mailPreferenceOperations = {
  show: operation({
    name: 'me.mail_preferences',
    method: 'GET',
    path: '/v1/me/mail-preferences',
    summary: 'Show which kinds of letters you get',
    input: z.object({}),
    output: preferences,
    async run(context) {
      const held = await context.tx
        .selectFrom('user_email_preferences')
        .selectAll()
        .where('user_id', '=', userOf(context))
        .executeTakeFirst()
      return (
        held ?? { activity: true, reports: true, product_updates: true, marketing_emails: false, security_alerts: true }
      )
    },
  }),
  change: operation({
    name: 'me.change_mail_preferences',
    method: 'PATCH',
    path: '/v1/me/mail-preferences',
    summary: 'Choose which kinds of letters you get; those about your own account always come',
    input: userEmailPreferences.update,
    output: preferences,
    run: (context, changes) =>
      context.tx
        .insertInto('user_email_preferences')
        .values({ user_id: userOf(context), ...changes })
        .onConflict((conflict) =>
          conflict.columns(['tenant_id', 'user_id']).doUpdateSet({ ...changes, updated_at: sql`now()` }),
        )
        .returningAll()
        .executeTakeFirstOrThrow(),
  }),
  ask: operation({
    name: 'mail.ask_unsubscribe',
    method: 'GET',
    path: '/v1/mail/unsubscribe',
    summary: 'The page behind the link of a letter; it changes nothing, since programs look at links too',
    public: true,
    input: z.object({ token }),
    output: file('text/html'),
    async run(context, { token }): Promise<FileReply> {
      const asked = readUnsubscribeToken(context.services.config.secret, token)
      if (!asked) throw invalid()
      context.header(
        'content-security-policy',
        "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      )
      return page(
        `No more letters of this kind (${asked.kind.replaceAll('_', ' ')})?`,
        '<form method="post"><button name="List-Unsubscribe" value="One-Click">Unsubscribe</button></form>',
      )
    },
  }),
  unsubscribe: operation({
    name: 'mail.unsubscribe',
    method: 'POST',
    path: '/v1/mail/unsubscribe',
    summary: 'End letters of one kind with one click (RFC 8058), signed in or not',
    public: true,
    form: true,
    input: z.object({ token, 'List-Unsubscribe': z.string().max(100).optional() }),
    output: z.object({ unsubscribed: z.string() }),
    async run(context, { token }) {
      const asked = readUnsubscribeToken(context.services.config.secret, token)
      if (!asked) throw invalid()
      await enterTenant(context, asked.tenant, invalid)
      const person = await context.tx.selectFrom('users').select('id').where('id', '=', asked.user).executeTakeFirst()
      if (person)
        await context.tx
          .insertInto('user_email_preferences')
          .values({ user_id: asked.user, [asked.kind]: false })
          .onConflict((conflict) =>
            conflict.columns(['tenant_id', 'user_id']).doUpdateSet({ [asked.kind]: false, updated_at: sql`now()` }),
          )
          .execute()
      return { unsubscribed: asked.kind }
    },
  }),
}
