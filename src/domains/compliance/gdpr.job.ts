import { sql } from 'kysely'
import { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import { type JobContext, job } from '../../kit/jobs.ts'
import { Id } from '../../kit/table.ts'
import { brandMail } from '../tenancy/brand-mail.ts'
import { loadBranding } from '../tenancy/branding.ts'
import { carryOut, filesOf, planErasure } from './erase-person.ts'
import { rememberErasure } from './erasure-ledger.ts'
import { gatherPerson, pathOf } from './gather-person.ts'
import { type PersonKeys, isErased, loadPerson, subjectsOf } from './person-data.ts'

const requestOf = (context: JobContext, id: string) =>
  context.scoped(
    (tx) =>
      tx
        .selectFrom('gdpr_requests')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirstOrThrow(() => notFound('data protection request')),
    true,
  )

/** A request whose job failed says so; an administrator can have it carried out again. */
async function orFail<T>(context: JobContext, id: string | null, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (id && error instanceof Problem)
      await context.scoped((tx) =>
        tx
          .updateTable('gdpr_requests')
          .set({ status: 'failed', updated_at: sql`now()` })
          .where('id', '=', id)
          .where('status', '=', 'processing')
          .execute(),
      )
    throw error
  }
}

export const gatherJob = job({
  name: 'gdpr.gather',
  payload: z.object({ request_id: Id }),
  async run(context, { request_id }) {
    const request = await requestOf(context, request_id)
    if (request.status !== 'processing') return
    await orFail(context, request_id, async () => {
      const person = await context.scoped((tx) => loadPerson(tx, context, request.user_id), true)
      const blob = `tenants/${context.principal.tenant}/gdpr/${request_id}.zip`
      const { bytes, report } = await gatherPerson(context, subjectsOf(context.services.kernel), person, {
        blob,
        path: pathOf(context.services.scratch, request_id),
      })
      await context.scoped((tx) =>
        tx
          .updateTable('gdpr_requests')
          .set({
            status: 'completed',
            completed_at: sql`now()`,
            result_blob: blob,
            result_bytes: bytes,
            result_expires_at: sql<string>`now() + interval '30 days'`,
            report: JSON.stringify(report) as never,
            updated_at: sql`now()`,
          })
          .where('id', '=', request_id)
          .execute(),
      )
      await tell(context, person, 'Your data is ready', [
        'You asked for what is stored about you. It is ready to be downloaded for 30 days, where you asked for it.',
      ])
    })
  },
})

export const eraseJob = job({
  name: 'gdpr.erase',
  payload: z.object({ erasure_id: Id, request_id: Id.nullable().default(null) }),
  async run(context, { erasure_id, request_id }) {
    const { services, principal } = context
    const ledger = await context.scoped(
      (tx) =>
        tx
          .selectFrom('gdpr_erasures')
          .selectAll()
          .where('id', '=', erasure_id)
          .executeTakeFirstOrThrow(() => notFound('erasure')),
      true,
    )
    await orFail(context, request_id, async () => {
      // First of all: whatever happens from here on, it is not forgotten that this person is to be.
      await rememberErasure(services.storage, principal.tenant, ledger.user_id)
      const { person, plans, wasErased } = await context.scoped(async (tx) => {
        const keys = await loadPerson(tx, context, ledger.user_id)
        return {
          person: keys,
          plans: await planErasure(tx, subjectsOf(services.kernel), keys),
          wasErased: isErased({ id: keys.id, email: keys.address }),
        }
      }, true)
      // Files before rows: without the rows nobody would find the files again.
      for (const file of filesOf(plans)) await services.storage.remove(file)
      const report = await context.scoped(async (tx) => {
        // Once more: rows may have come while files went.
        const done = await carryOut(tx, await planErasure(tx, subjectsOf(services.kernel), person), person, erasure_id)
        await tx
          .updateTable('gdpr_erasures')
          .set({ applied_at: sql`now()`, updated_at: sql`now()` })
          .where('id', '=', erasure_id)
          .execute()
        const set = {
          status: 'completed',
          completed_at: sql`now()`,
          report: JSON.stringify(done),
          updated_at: sql`now()`,
        } as never
        if (request_id)
          await tx
            .updateTable('gdpr_requests')
            .set(set)
            .where('id', '=', request_id)
            .where('status', '=', 'processing')
            .execute()
        return done
      })
      services.authenticator.forget()
      if (!wasErased)
        await tell(context, person, 'Your data was erased', [
          'You asked to be forgotten. Your account is closed, and what was stored about you is erased; work that belongs to others stays without your name.',
          'This letter is the last one.',
        ])
      return report
    })
  },
})

/** A letter that fails doesn't undo what it tells of. */
async function tell(context: JobContext, person: PersonKeys, subject: string, paragraphs: string[]): Promise<void> {
  try {
    const branding = await context.scoped(loadBranding, true)
    const { from, ...letter } = brandMail(branding, { subject, paragraphs })
    await context.services.mail.send({ to: { address: person.address }, fromName: from, ...letter })
  } catch (error) {
    context.log.warn({ err: error }, 'the letter about a data protection request was not sent')
  }
}
