import { sql } from 'kysely'
import { z } from 'zod'
import { notFound } from '../../kit/errors.ts'
import { type Subscription, on } from '../../kit/events.ts'
import type { JobContext } from '../../kit/jobs.ts'
import { enqueue } from '../../kit/kernel.ts'
import { operation } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { letterToPerson } from '../identity/send-letter.job.ts'
import { type SecurityNews, securityNews } from '../identity/services.ts'
import { securityEvents } from './compliance.table.ts'

const ownNews = [
  'security.audit_chain_broken',
  'security.audit_chain_acknowledged',
  'security.gdpr_deadline_near',
] as const

declare module '../../kit/events.ts' {
  interface EventPayloads extends Record<(typeof ownNews)[number], SecurityNews> {}
}

const { list, get } = resource(securityEvents)

export const securityEventOperations = {
  list,
  get,
  acknowledge: operation({
    name: 'security_events.acknowledge',
    method: 'POST',
    path: '/v1/security-events/:id/acknowledge',
    summary: 'Say that a security event was looked at',
    input: z.object({ id: Id }),
    output: securityEvents.row,
    run: ({ tx, principal }, { id }) =>
      tx
        .updateTable('security_events')
        .set({
          acknowledged_at: sql`coalesce(acknowledged_at, now())`,
          acknowledged_by: sql`coalesce(acknowledged_by, ${principal.user}::uuid)`,
          updated_at: sql`now()`,
        })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow(() => notFound('security event')),
  }),
}

/** Of these, administrators who want to be told are told by letter. */
const alarming: SecurityNews['severity'][] = ['high', 'critical']

async function record(
  context: JobContext,
  event: string,
  { user_id, severity, ip_address, details }: SecurityNews,
): Promise<void> {
  const { config } = context.services
  await context.scoped(async (tx) => {
    await tx
      .insertInto('security_events')
      .values({
        event_type: event.replace(/^security\./, ''),
        user_id,
        severity,
        ip_address,
        details: JSON.stringify(details) as never,
      })
      .execute()
    if (!alarming.includes(severity)) return
    const administrators = await tx
      .selectFrom('users')
      .select('id')
      .where(sql<boolean>`'admin' = any(roles)`)
      .where('deleted_at', 'is', null)
      .where('suspended_at', 'is', null)
      .execute()
    const about = user_id
      ? await tx.selectFrom('users').select('email').where('id', '=', user_id).executeTakeFirst()
      : undefined
    const lines = Object.entries(details).map(([name, value]) => `${name.replaceAll('_', ' ')}: ${value}`)
    for (const { id } of administrators)
      await enqueue(
        tx,
        letterToPerson,
        {
          user_id: id,
          kind: 'security_alerts',
          subject: `Security: ${event.replace(/^security\./, '').replaceAll('_', ' ')} (${severity})`,
          paragraphs: [
            `${event.replace(/^security\./, '').replaceAll('_', ' ')}, ${severity}${about ? `, ${about.email}` : ''}${ip_address ? `, from ${ip_address}` : ''}.`,
            ...(lines.length ? [lines.join('\n')] : []),
          ],
          origin:
            config.VOICEPRESS_PUBLIC_URL?.replace(/\/$/, '') ??
            `http://${config.VOICEPRESS_HOST}:${config.VOICEPRESS_PORT}`,
        },
        { user: null },
      )
  })
}

/** Whatever room tells of as `security.…` is kept, and its administrators hear of what is bad. */
export const securitySubscriptions: Subscription[] = [...securityNews, ...ownNews].map((event) =>
  on(event, (context, news) => record(context, event, news)),
)
