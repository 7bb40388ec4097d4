import { type Tx, scoped } from '../../kit/database.ts'
import { type Kernel, enqueue } from '../../kit/kernel.ts'
import { readErasures } from './erasure-ledger.ts'
import { eraseJob } from './gdpr.job.ts'
import { isErased } from './person-data.ts'

/** Starts erasing again whoever was erased and is there all the same; `always`: whoever was erased. Gives the jobs. */
export async function eraseAgain(
  tx: Tx,
  erased: string[],
  { always, user }: { always: boolean; user: string | null },
): Promise<string[]> {
  if (erased.length === 0) return []
  const jobs: string[] = []
  const back = await tx.selectFrom('users').select(['id', 'email']).where('id', 'in', erased).execute()
  for (const person of back) {
    if (isErased(person) && !always) continue
    await tx
      .insertInto('gdpr_erasures')
      .values({ user_id: person.id })
      .onConflict((conflict) => conflict.columns(['tenant_id', 'user_id']).doNothing())
      .execute()
    const { id } = await tx
      .selectFrom('gdpr_erasures')
      .select('id')
      .where('user_id', '=', person.id)
      .executeTakeFirstOrThrow()
    jobs.push(await enqueue(tx, eraseJob, { erasure_id: id }, { user, key: `erase:${id}` }))
  }
  return jobs
}

/** At the start: a database that was restored from a backup has people in it who were erased since. */
export async function eraseRestored(kernel: Kernel): Promise<void> {
  for (const [tenant, erased] of await readErasures(kernel.services.storage)) {
    const jobs = await scoped(kernel.pool, { tenant, user: null, seesAll: true, action: 'gdpr.reapply' }, (tx) =>
      eraseAgain(tx, erased, { always: false, user: null }),
    )
    if (jobs.length)
      kernel.log.warn(
        { tenant, people: jobs.length },
        'people who were erased came back with a restored database and are erased again',
      )
  }
}
