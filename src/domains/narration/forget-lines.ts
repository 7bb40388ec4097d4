import type { JobContext } from '../../kit/jobs.ts'
import { meter } from '../metering/meter.ts'

/**
 * Drops lines from the cache, so that they are spoken anew. Those that this job has spoken already stay: it may have been killed and run again.
 * Their files are written over when they are spoken, under the same names.
 */
export async function forgetLines({ scoped, principal, id }: JobContext, keys: string[]): Promise<void> {
  await scoped(async (tx) => {
    const dropped = await tx
      .deleteFrom('audio_cache')
      .where('cache_key', 'in', [...keys, ''])
      .where('created_at', '<', (query) => query.selectFrom('jobs').select('created_at').where('id', '=', id))
      .returning('audio_bytes')
      .execute()
    const bytes = dropped.reduce((sum, { audio_bytes }) => sum + audio_bytes, 0)
    await meter(tx, [{ user: principal.user, job: id, usage: { resource: 'storage', amount: -bytes } }])
  })
}
