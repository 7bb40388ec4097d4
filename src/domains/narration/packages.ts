import { sql } from 'kysely'
import { z } from 'zod'
import { scoped } from '../../kit/database.ts'
import { Problem, notFound } from '../../kit/errors.ts'
import type { Kernel } from '../../kit/kernel.ts'
import { file, operation } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { meter } from '../metering/meter.ts'
import { blobReply } from './blob-reply.ts'
import { packageJob, packageRequest } from './narration.job.ts'
import { packages } from './narration.table.ts'
import { requireEditable } from './project-state.ts'

const { list, get } = resource(packages)
const byId = z.object({ id: Id })

export const packageOperations = {
  list,
  get,
  create: operation({
    name: 'packages.create',
    method: 'POST',
    path: '/v1/packages',
    summary: 'Pack the finished chapters as m4b, acx, audible, mp3_zip or epub3',
    input: packageRequest.extend({ project_id: Id }),
    output: z.object({ job_id: Id }),
    async run(context, input) {
      await requireEditable(context.tx, input.project_id)
      return {
        job_id: await context.enqueue(packageJob, input, { key: `package:${input.project_id}:${input.format}` }),
      }
    },
  }),
  download: operation({
    name: 'packages.download',
    method: 'GET',
    path: '/v1/packages/:id/file',
    summary: 'Download a package',
    input: byId,
    output: file(),
    async run({ tx, services, principal }, { id }) {
      const found = await tx
        .selectFrom('packages')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirstOrThrow(() => notFound('package'))
      if (found.expires_at && found.expires_at < new Date().toISOString())
        throw new Problem(410, 'expired', 'This package has expired; make it again.')
      const reply = await blobReply(services.storage, found.package_blob, {
        filename: found.filename ?? 'package',
        mediaType: found.media_type ?? 'application/octet-stream',
      })
      // Counted when its first byte is asked for, by a transaction of its own: a reading operation writes nothing.
      const open: typeof reply.open = async (range) => {
        if (!range || range.start === 0) await countDownload(services.kernel, principal, id)
        return reply.open(range)
      }
      return { ...reply, open }
    },
  }),
  remove: operation({
    name: 'packages.remove',
    method: 'DELETE',
    path: '/v1/packages/:id',
    summary: 'Remove a package and its file',
    input: byId,
    output: byId,
    async run(context, { id }) {
      const removed = await context.tx
        .deleteFrom('packages')
        .where('id', '=', id)
        .returning(['package_blob', 'file_bytes', 'project_id'])
        .executeTakeFirstOrThrow(() => notFound('package'))
      await meter(context.tx, [
        {
          user: context.principal.user,
          project: removed.project_id,
          usage: { resource: 'storage', amount: -(removed.file_bytes ?? 0) },
        },
      ])
      context.afterCommit(() =>
        removed.package_blob ? context.services.storage.remove(removed.package_blob) : undefined,
      )
      return { id }
    },
  }),
}

async function countDownload(
  kernel: Kernel,
  { tenant, user }: { tenant: string; user: string | null },
  id: string,
): Promise<void> {
  await scoped(kernel.pool, { tenant, user, seesAll: true, action: 'packages.download' }, (tx) =>
    tx
      .updateTable('packages')
      .set({ download_count: sql`download_count + 1`, downloaded_at: sql`now()` })
      .where('id', '=', id)
      .execute(),
  )
}
