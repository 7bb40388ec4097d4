import { createReadStream } from 'node:fs'
import { sql } from 'kysely'
import { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import { hashFile } from '../../kit/hash.ts'
import { file, operation, upload } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { meter } from '../metering/meter.ts'
import { enforceQuota } from '../tenancy/enforce-quota.ts'
import { assignVoices } from './assign-voices.ts'
import { blobReply } from './blob-reply.ts'
import { markStale } from './mark-stale.ts'
import { generateJob, narrateJob, packageRequest, prepareJob, chapterNumbers } from './narration.job.ts'
import { projects } from './narration.table.ts'
import { findProject, moveProject, projectFolder, requireEditable } from './project-state.ts'
import { titleFromFilename } from './read-manuscript.ts'

const { list, get, create, update, remove } = resource(projects)
const byId = z.object({ id: Id })
const started = z.object({ job_id: Id })

export const projectOperations = {
  list,
  get,
  create: operation({
    ...create,
    async run(context, input) {
      await enforceQuota(context.tx, 'projects')
      return create.run(context, input)
    },
  }),
  update: operation({
    ...update,
    async run(context, input) {
      const { id, settings } = await requireEditable(context.tx, input.id)
      const after = await update.run(context, input)
      if (input.settings && JSON.stringify(input.settings) !== JSON.stringify(settings))
        await markStale(context.tx, context.services, id)
      return after
    },
  }),
  archive: operation({
    name: 'projects.archive',
    method: 'POST',
    path: '/v1/projects/:id/archive',
    summary: 'Put a project away; restore brings it back',
    input: byId,
    output: projects.row,
    run: ({ tx }, { id }) =>
      tx
        .updateTable('projects')
        .set({ archived_at: sql`coalesce(archived_at, now())`, updated_at: sql`now()` })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow(() => notFound('project')),
  }),
  restore: operation({
    name: 'projects.restore',
    method: 'POST',
    path: '/v1/projects/:id/restore',
    summary: 'Bring an archived project back',
    input: byId,
    output: projects.row,
    async run({ tx }, { id }) {
      await enforceQuota(tx, 'projects')
      return tx
        .updateTable('projects')
        .set({ archived_at: null, updated_at: sql`now()` })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow(() => notFound('project'))
    },
  }),
  remove: operation({
    ...remove,
    summary: 'Remove an archived project with everything in it, for good',
    async run(context, { id }) {
      const project = await findProject(context.tx, id)
      if (!project.archived_at)
        throw new Problem(409, 'not_archived', 'Archive the project first; only archived ones can be removed for good.')
      const open = await context.tx
        .selectFrom('jobs')
        .select('id')
        .where('subject_id', '=', id)
        .where('status', 'in', ['queued', 'processing'])
        .limit(1)
        .executeTakeFirst()
      if (open)
        throw new Problem(409, 'busy', 'A job is still working on this project; cancel it first.', { job_id: open.id })
      const { rows } = await sql<{
        bytes: number
      }>`select coalesce(sum(amount), 0) as bytes from usage_records where resource_type = 'storage' and project_id = ${id}::uuid`.execute(
        context.tx,
      )
      const removed = await remove.run(context, { id })
      // What lies in the tenant's cache of spoken lines stays there, and is counted, until it expires.
      await meter(context.tx, [
        {
          user: context.principal.user,
          project: id,
          usage: { resource: 'storage', amount: -Number(rows[0]?.bytes ?? 0) },
        },
      ])
      context.afterCommit(() => context.services.storage.removeAll(projectFolder(context.principal.tenant, id)))
      return removed
    },
  }),
  upload: operation({
    name: 'projects.upload_manuscript',
    method: 'POST',
    path: '/v1/projects/:id/manuscript',
    summary: 'Upload a manuscript (txt, Markdown, HTML, EPUB, DOCX, PDF) and start reading it',
    input: byId.extend({ file: upload() }),
    output: started,
    async run(context, { id, file }) {
      const { tx, services, principal } = context
      const project = await requireEditable(tx, id)
      await enforceQuota(tx, 'storage', file.size)
      const extension = /\.[A-Za-z0-9]{1,8}$/.exec(file.filename)?.[0].toLowerCase() ?? ''
      const blob = `${projectFolder(principal.tenant, id)}/manuscripts/${await hashFile(file.path)}${extension}`
      await services.storage.put(blob, createReadStream(file.path), { mediaType: file.mediaType })
      const fresh = project.title === 'Untitled' ? { title: titleFromFilename(file.filename) } : {}
      await tx
        .updateTable('projects')
        .set({ ...fresh, manuscript_blob: blob, manuscript_filename: file.filename, updated_at: sql`now()` })
        .where('id', '=', id)
        .execute()
      await meter(tx, [{ user: principal.user, project: id, usage: { resource: 'storage', amount: file.size } }])
      return { job_id: await context.enqueue(prepareJob, { project_id: id }, { key: `prepare:${id}:${blob}` }) }
    },
  }),
  manuscript: operation({
    name: 'projects.manuscript',
    method: 'GET',
    path: '/v1/projects/:id/manuscript',
    summary: 'Download the manuscript as it was uploaded',
    input: byId,
    output: file(),
    async run({ tx, services }, { id }) {
      const { manuscript_blob: blob, manuscript_filename: filename } = await findProject(tx, id)
      return blobReply(services.storage, blob, {
        filename: filename ?? 'manuscript',
        mediaType: 'application/octet-stream',
      })
    },
  }),
  cover: operation({
    name: 'projects.cover',
    method: 'GET',
    path: '/v1/projects/:id/cover',
    summary: 'Show the cover image',
    input: byId,
    output: file('image/*'),
    async run({ tx, services }, { id }) {
      const { cover_blob: blob, cover_type: type } = await findProject(tx, id)
      const mediaType =
        type === 'image/png' || type === 'image/jpeg' || type === 'image/webp' ? type : 'application/octet-stream'
      return blobReply(services.storage, blob, {
        filename: 'cover',
        mediaType,
        inline: mediaType !== 'application/octet-stream',
      })
    },
  }),
  prepare: operation({
    name: 'projects.detect_characters',
    method: 'POST',
    path: '/v1/projects/:id/detect-characters',
    summary: 'Read the manuscript again if needed, cut it into segments, find the characters and cast them',
    input: byId,
    output: started,
    async run(context, { id }) {
      await requireEditable(context.tx, id)
      return { job_id: await context.enqueue(prepareJob, { project_id: id }, { key: `prepare:${id}` }) }
    },
  }),
  assignVoices: operation({
    name: 'projects.assign_voices',
    method: 'POST',
    path: '/v1/projects/:id/assign-voices',
    summary: 'Cast every character that has no chosen voice',
    input: byId,
    output: projects.row,
    async run({ tx, services }, { id }) {
      await assignVoices(tx, services, await requireEditable(tx, id))
      await markStale(tx, services, id)
      return findProject(tx, id)
    },
  }),
  generate: operation({
    name: 'projects.generate',
    method: 'POST',
    path: '/v1/projects/:id/generate',
    summary: 'Speak and master the chapters that are not up to date',
    input: byId.extend({ chapters: chapterNumbers.optional() }),
    output: started,
    async run(context, { id, chapters }) {
      const { status } = await requireEditable(context.tx, id)
      if (status === 'draft') throw new Problem(409, 'no_manuscript', 'Upload a manuscript first.')
      await enforceQuota(context.tx, 'processing')
      return {
        job_id: await context.enqueue(
          generateJob,
          { project_id: id, chapters },
          { key: `generate:${id}:${chapters?.join(',') ?? ''}` },
        ),
      }
    },
  }),
  narrate: operation({
    name: 'projects.narrate',
    method: 'POST',
    path: '/v1/projects/:id/narrate',
    summary: 'Everything from manuscript to package; each step does only what is not done yet',
    input: byId.extend(packageRequest.shape),
    output: started,
    async run(context, { id, ...options }) {
      await requireEditable(context.tx, id)
      await enforceQuota(context.tx, 'processing')
      return {
        job_id: await context.enqueue(
          narrateJob,
          { project_id: id, ...options },
          { key: `narrate:${id}:${options.format}` },
        ),
      }
    },
  }),
  complete: operation({
    name: 'projects.complete',
    method: 'POST',
    path: '/v1/projects/:id/complete',
    summary: 'Mark a packaged project as completed',
    input: byId,
    output: projects.row,
    async run({ tx }, { id }) {
      await moveProject(tx, await requireEditable(tx, id), 'completed')
      return findProject(tx, id)
    },
  }),
}
