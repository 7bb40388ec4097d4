import { createReadStream } from 'node:fs'
import { extname } from 'node:path'
import { sql } from 'kysely'
import { z } from 'zod'
import type { Tx } from '../../kit/database.ts'
import { hashFile, hashOf } from '../../kit/hash.ts'
import { operation, upload } from '../../kit/operation.ts'
import { Id } from '../../kit/table.ts'
import { meter } from '../metering/meter.ts'
import { enforceQuota } from '../tenancy/enforce-quota.ts'
import { narrateJob } from './narration.job.ts'
import { projectSettings } from './narration.table.ts'
import { type Project, projectFolder } from './project-state.ts'
import { titleFromFilename } from './read-manuscript.ts'

export const narrateFileOperations = {
  narrateFile: operation({
    name: 'projects.narrate_file',
    method: 'POST',
    path: '/v1/projects/narrate-file',
    summary:
      'Narrate a file in one call; the same source again goes on where it was, and speaks anew only what changed',
    input: z.strictObject({
      /** Where the file lies for its owner: what makes it the same book the next time. */
      source: z.string().min(1).max(4096),
      file: upload(),
      settings: projectSettings.default({}),
      request: narrateJob.payload.omit({ project_id: true }),
    }),
    output: z.object({ project_id: Id, job_id: Id }),
    async run(context, { source, file, settings, request }) {
      const { tx, services, principal } = context
      const project = await openProject(tx, hashOf('source', principal.user, source), titleFromFilename(file.filename))
      const hash = await hashFile(file.path)
      const blob = `${projectFolder(principal.tenant, project.id)}/manuscripts/${hash}${extname(file.filename).slice(0, 9).toLowerCase()}`
      if (project.manuscript_blob !== blob) {
        await enforceQuota(tx, 'storage', file.size)
        await services.storage.put(blob, createReadStream(file.path), { mediaType: file.mediaType })
        await meter(tx, [
          { user: principal.user, project: project.id, usage: { resource: 'storage', amount: file.size } },
        ])
      }
      await tx
        .updateTable('projects')
        .set({
          manuscript_blob: blob,
          manuscript_filename: file.filename,
          settings: JSON.stringify({ ...project.settings, ...settings }) as never,
          updated_at: sql`now()`,
        })
        .where('id', '=', project.id)
        .execute()
      await enforceQuota(tx, 'processing')
      const key = `narrate:${hashOf(project.id, hash, settings, request)}`
      await cancelOthers(tx, project.id, key)
      return {
        project_id: project.id,
        job_id: await context.enqueue(narrateJob, { project_id: project.id, ...request }, { key }),
      }
    },
  }),
}

async function openProject(tx: Tx, source_key: string, title: string): Promise<Project> {
  const known = await tx
    .selectFrom('projects')
    .selectAll()
    .where('source_key', '=', source_key)
    .where('archived_at', 'is', null)
    .executeTakeFirst()
  if (known) return known as Project
  await enforceQuota(tx, 'projects')
  return (await tx
    .insertInto('projects')
    .values({ title, source_key })
    .returningAll()
    .executeTakeFirstOrThrow()) as Project
}

/** What was wanted of the book before is wanted no more; two at once would undo each other's work. */
async function cancelOthers(tx: Tx, project: string, key: string): Promise<void> {
  await tx
    .updateTable('jobs')
    .set({
      cancel_requested: true,
      status: sql`case when status = 'queued' then 'cancelled' else status end`,
      completed_at: sql`case when status = 'queued' then now() end`,
    })
    .where('subject_id', '=', project)
    .where('status', 'in', ['queued', 'processing'])
    .where((where) => where.or([where('unique_key', 'is', null), where('unique_key', '<>', key)]))
    .execute()
}
