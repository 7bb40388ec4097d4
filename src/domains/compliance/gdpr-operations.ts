import { sql } from 'kysely'
import { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import { type Context, file, operation } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { signedInUser, userOf } from '../identity/person.ts'
import { gdprErasures, gdprRequests } from './compliance.table.ts'
import { correctPerson } from './correct-person.ts'
import { eraseAgain } from './erase-again.ts'
import { readErasures } from './erasure-ledger.ts'
import { eraseJob, gatherJob } from './gdpr.job.ts'

const { list, get } = resource(gdprRequests)
const byId = z.object({ id: Id })
const reason = z.string().min(1).max(2000)

const one = ({ tx }: Context, id: string) =>
  tx
    .selectFrom('gdpr_requests')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirstOrThrow(() => notFound('data protection request'))

/** What may become of a request in each of its states. */
const next: Record<string, readonly string[]> = {
  pending: ['processing', 'completed', 'refused', 'cancelled', 'extended'],
  processing: ['completed', 'failed', 'extended'],
  failed: ['processing', 'completed', 'refused', 'extended'],
  completed: [],
  refused: [],
  cancelled: [],
}

function requireNext(status: string, wanted: string): void {
  if (!next[status]?.includes(wanted))
    throw new Problem(409, 'wrong_state', `A ${status} request cannot become ${wanted}.`, { status })
}

const change = ({ tx }: Context, id: string, set: Record<string, unknown>) =>
  tx
    .updateTable('gdpr_requests')
    .set({ ...set, updated_at: sql`now()` })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow(() => notFound('data protection request'))

/** Nobody is left who could run the tenant otherwise. */
async function requireAnotherAdministrator({ tx }: Context, user: string): Promise<void> {
  const active = await tx
    .selectFrom('users')
    .select(['id'])
    .where(sql<boolean>`'admin' = any(roles)`)
    .where('suspended_at', 'is', null)
    .where('deleted_at', 'is', null)
    .execute()
  if (active.length === 1 && active[0]?.id === user)
    throw new Problem(
      409,
      'last_administrator',
      'A tenant keeps at least one active administrator; appoint another one first.',
    )
}

async function start(context: Context, id: string, request_type: string, user: string) {
  if (request_type !== 'erasure')
    return change(context, id, {
      status: 'processing',
      job_id: await context.enqueue(gatherJob, { request_id: id }, { key: `gather:${id}` }),
    })
  await requireAnotherAdministrator(context, user)
  await context.tx
    .insertInto('gdpr_erasures')
    .values({ user_id: user, request_id: id })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'user_id']).doNothing())
    .execute()
  const { id: erasure } = await context.tx
    .selectFrom('gdpr_erasures')
    .select('id')
    .where('user_id', '=', user)
    .executeTakeFirstOrThrow()
  return change(context, id, {
    status: 'processing',
    job_id: await context.enqueue(eraseJob, { erasure_id: erasure, request_id: id }, { key: `erase:${id}` }),
  })
}

export const gdprOperations = {
  list,
  get,
  create: operation({
    name: 'gdpr_requests.create',
    method: 'POST',
    path: '/v1/gdpr-requests',
    summary:
      'Ask for what is stored about you, for it to be corrected, or to be forgotten; administrators also for somebody who asked otherwise',
    input: gdprRequests.create.extend({ user_id: Id.optional() }),
    output: gdprRequests.row,
    async run(context, { user_id, request_type, notes, changes }) {
      const asking = signedInUser(context)
      const about = user_id ?? asking
      if (about !== asking && !context.principal.seesAll)
        throw new Problem(403, 'forbidden', 'You can ask for yourself only.', { field: 'user_id' })
      const known = await context.tx.selectFrom('users').select('id').where('id', '=', about).executeTakeFirst()
      if (!known) throw notFound('user')
      if ((request_type === 'rectification') !== (changes != null))
        throw new Problem(400, 'invalid_input', 'changes: belongs to a rectification, and only to one', {
          field: 'changes',
        })
      const values = {
        user_id: about,
        requested_by: asking,
        request_type,
        notes: notes ?? null,
        changes: changes ? (JSON.stringify(changes) as never) : null,
        due_at: sql<string>`now() + interval '1 month'`,
      }
      const made = await context.tx.insertInto('gdpr_requests').values(values).returningAll().executeTakeFirstOrThrow()
      // Nobody has to agree to what only shows people their own.
      return request_type === 'access' || request_type === 'portability'
        ? start(context, made.id, request_type, about)
        : made
    },
  }),
  carryOut: operation({
    name: 'gdpr_requests.carry_out',
    method: 'POST',
    path: '/v1/gdpr-requests/:id/carry-out',
    summary: 'Do what was asked for: correct, gather or erase; what is erased cannot be brought back',
    input: byId,
    output: gdprRequests.row,
    async run(context, { id }) {
      signedInUser(context)
      const { status, request_type, user_id, changes } = await one(context, id)
      requireNext(status, request_type === 'rectification' ? 'completed' : 'processing')
      if (request_type !== 'rectification') return start(context, id, request_type, user_id)
      const report = await correctPerson(context, user_id, changes ?? {})
      return change(context, id, { status: 'completed', completed_at: sql`now()`, report: JSON.stringify(report) })
    },
  }),
  refuse: operation({
    name: 'gdpr_requests.refuse',
    method: 'POST',
    path: '/v1/gdpr-requests/:id/refuse',
    summary: 'Refuse a request, with the reason that the person is told (GDPR, 12(4))',
    input: byId.extend({ reason }),
    output: gdprRequests.row,
    async run(context, { id, reason }) {
      requireNext((await one(context, id)).status, 'refused')
      return change(context, id, { status: 'refused', refused_because: reason, completed_at: sql`now()` })
    },
  }),
  extend: operation({
    name: 'gdpr_requests.extend',
    method: 'POST',
    path: '/v1/gdpr-requests/:id/extend',
    summary: 'Take two months more, once and in time, with the reason that the person is told (GDPR, 12(3))',
    input: byId.extend({ reason }),
    output: gdprRequests.row,
    async run(context, { id, reason }) {
      const { status, extended_because, due_at } = await one(context, id)
      requireNext(status, 'extended')
      if (extended_because || Date.parse(due_at) < Date.now())
        throw new Problem(409, 'wrong_state', 'A request is extended once, and before its time is over.', { due_at })
      return change(context, id, {
        extended_because: reason,
        due_at: sql`requested_at + interval '3 months'`,
        warned_at: null,
      })
    },
  }),
  cancel: operation({
    name: 'gdpr_requests.cancel',
    method: 'POST',
    path: '/v1/gdpr-requests/:id/cancel',
    summary: 'Take back a request of yours that nobody has begun with',
    input: byId,
    output: gdprRequests.row,
    async run(context, { id }) {
      const { status, user_id } = await one(context, id)
      if (user_id !== userOf(context))
        throw new Problem(403, 'forbidden', 'Only who it is about takes it back; refuse it instead.')
      requireNext(status, 'cancelled')
      return change(context, id, { status: 'cancelled', completed_at: sql`now()` })
    },
  }),
  download: operation({
    name: 'gdpr_requests.download',
    method: 'GET',
    writes: true,
    path: '/v1/gdpr-requests/:id/archive',
    summary: 'Download what was gathered, for 30 days',
    input: byId,
    output: file('application/zip'),
    async run(context, { id }) {
      // A key that leaked would tell all about its owner.
      signedInUser(context)
      const { result_blob: blob, result_expires_at: expires } = await one(context, id)
      const { storage } = context.services
      const stored = blob && expires && Date.parse(expires) > Date.now() ? await storage.stat(blob) : null
      if (!blob || !stored) throw notFound('archive')
      return {
        filename: 'your-data.zip',
        mediaType: 'application/zip',
        size: stored.size,
        etag: id,
        open: (range) => storage.get(blob, range),
      }
    },
  }),
}

export const gdprLedgerOperations = {
  erasures: {
    ...resource(gdprErasures).list,
    name: 'gdpr.erasures',
    path: '/v1/gdpr/erasures',
    summary: 'List who was erased, by ids that lead to nobody',
  },
  reapply: operation({
    name: 'gdpr.reapply',
    method: 'POST',
    path: '/v1/gdpr/reapply',
    summary:
      'Erase again whoever was erased before: after a backup was restored, or when a newer version knows of more',
    input: z.object({}),
    output: z.object({ people: z.number(), job_ids: z.array(z.uuid()) }),
    async run({ tx, services, principal }) {
      const remembered = (await readErasures(services.storage, principal.tenant)).get(principal.tenant) ?? []
      const known = await tx.selectFrom('gdpr_erasures').select('user_id').execute()
      const people = [...new Set([...remembered, ...known.map(({ user_id }) => user_id)])]
      return { people: people.length, job_ids: await eraseAgain(tx, people, { always: true, user: principal.user }) }
    },
  }),
}
