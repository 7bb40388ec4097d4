import type { Client } from '../kit/cli.ts'
import { Problem } from '../kit/errors.ts'
import type { JobRow } from '../kit/jobs.ts'
import { openProgress } from './progress.ts'

/** Shows a job until it ends. @throws the job's own Problem when it failed */
export async function followJob(client: Client, id: string): Promise<JobRow> {
  const progress = openProgress()
  try {
    for await (const job of client.follow<JobRow>('jobs.events', { id })) {
      if (job.status === 'completed') return job
      if (job.status === 'cancelled') throw new Problem(409, 'cancelled', 'The job was cancelled.')
      if (job.status === 'failed') {
        const { status, type, detail, ...extra } = (job.error ?? {}) as {
          status?: number
          type?: string
          detail?: string
        }
        throw new Problem(
          status ?? 500,
          String(type ?? 'failed').replace('urn:voicepress:problem:', ''),
          detail ?? 'The job failed.',
          extra,
        )
      }
      progress.show(job)
    }
  } finally {
    progress.end()
  }
  throw new Problem(503, 'interrupted', 'Interrupted. What is done is kept: run the same command again to go on.')
}
