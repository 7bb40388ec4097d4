import { sql } from 'kysely'
import { z } from 'zod'
import { type JobContext, job } from '../../kit/jobs.ts'
import { operation } from '../../kit/operation.ts'
import { Id } from '../../kit/table.ts'
import { type Metered, meter } from '../metering/meter.ts'

const batch = 500

/** Removes what has expired of this tenant: spoken lines that nobody asked for in a long time, and packages. What it frees is given back to the tenant's storage. */
export const sweepJob = job({
  name: 'narration.sweep',
  payload: z.object({}),
  schedule: '17 3 * * *',
  async run(context) {
    const lines = await removeExpired(context, 'audio_cache')
    const packages = await removeExpired(context, 'packages')
    return { lines: lines.count, packages: packages.count, bytes: lines.bytes + packages.bytes }
  },
})

async function removeExpired(
  context: JobContext,
  table: 'audio_cache' | 'packages',
): Promise<{ count: number; bytes: number }> {
  const total = { count: 0, bytes: 0 }
  for (;;) {
    context.signal.throwIfAborted()
    // The row goes first: a row without its file would be worse than a file without a row.
    const gone = await context.scoped(async (tx) => {
      const { rows } = await (table === 'audio_cache'
        ? sql<Gone>`delete from audio_cache where id in (select id from audio_cache where expires_at < now() limit ${batch}) returning audio_blob as blob, audio_bytes as bytes, null as project`
        : sql<Gone>`delete from packages where id in (select id from packages where expires_at < now() limit ${batch}) returning package_blob as blob, file_bytes as bytes, project_id as project`
      ).execute(tx)
      await meter(
        tx,
        rows.map(
          ({ bytes, project }): Metered => ({
            user: context.principal.user,
            project,
            job: context.id,
            usage: { resource: 'storage', amount: -(bytes ?? 0) },
          }),
        ),
      )
      return rows
    })
    for (const { blob, bytes } of gone) {
      if (blob) await context.services.storage.remove(blob)
      total.count += 1
      total.bytes += bytes ?? 0
    }
    if (gone.length < batch) return total
  }
}

interface Gone {
  blob: string | null
  bytes: number | null
  project: string | null
}

export const sweepOperations = {
  sweep: operation({
    name: 'narration.sweep',
    method: 'POST',
    path: '/v1/narration/sweep',
    summary: 'Remove expired lines and packages now; it runs by itself every night',
    input: z.object({}),
    output: z.object({ job_id: Id }),
    run: async (context) => ({ job_id: await context.enqueue(sweepJob, {}, { key: sweepJob.name }) }),
  }),
}
