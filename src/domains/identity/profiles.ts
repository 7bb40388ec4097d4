import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { sql } from 'kysely'
import { z } from 'zod'
import { readImageKind } from '../../engines/packaging/read-image-kind.ts'
import { Problem, notFound } from '../../kit/errors.ts'
import { type Context, type FileReply, file, operation, upload } from '../../kit/operation.ts'
import { page, pageOf } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { profile } from './identity.table.ts'
import { ownRow } from './me.ts'

const largestAvatar = 2 * 1024 * 1024
const mediaTypes: Record<string, string> = { jpg: 'image/jpeg', png: 'image/png', gif: 'image/gif', webp: 'image/webp' }
const shownAvatar = z.object({ avatar_url: z.string().nullable() })

async function changeAvatar(context: Context, blob: string | null): Promise<void> {
  const { avatar_blob: before, id } = await ownRow(context)
  await context.tx
    .updateTable('users')
    .set({ avatar_blob: blob, updated_at: sql`now()` })
    .where('id', '=', id)
    .execute()
  if (before && before !== blob) context.afterCommit(() => context.services.storage.remove(before))
}

export const profileOperations = {
  list: operation({
    name: 'profiles.list',
    method: 'GET',
    path: '/v1/profiles',
    summary: 'List the people of your tenant as they show themselves',
    input: z.object({ limit: z.number().int().min(1).max(200).default(50), after: Id.optional() }),
    output: page(profile),
    async run({ tx }, { limit, after }) {
      const rows = await tx
        .selectFrom('profiles')
        .selectAll()
        .$if(after !== undefined, (query) => query.where('id', '<', after as string))
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute()
      return pageOf(rows, limit)
    },
  }),
  get: operation({
    name: 'profiles.get',
    method: 'GET',
    path: '/v1/profiles/:id',
    summary: 'Show one person as they show themselves',
    input: z.object({ id: Id }),
    output: profile,
    run: ({ tx }, { id }) =>
      tx
        .selectFrom('profiles')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirstOrThrow(() => notFound('person')),
  }),
  avatar: operation({
    name: 'profiles.avatar',
    method: 'GET',
    path: '/v1/profiles/:id/avatar',
    summary: 'The picture of a person',
    input: z.object({ id: Id }),
    output: file('image/*'),
    async run({ tx, services }, { id }): Promise<FileReply> {
      const held = await tx
        .selectFrom('users')
        .select('avatar_blob')
        .where('id', '=', id)
        .where('deleted_at', 'is', null)
        .executeTakeFirst()
      const blob = held?.avatar_blob
      const stored = blob ? await services.storage.stat(blob) : null
      if (!blob || !stored) throw notFound('picture')
      const [name = '', extension = ''] = (blob.split('/').at(-1) ?? '').split('.')
      return {
        filename: `avatar.${extension}`,
        mediaType: mediaTypes[extension] ?? 'application/octet-stream',
        inline: true,
        size: stored.size,
        etag: name,
        open: (range) => services.storage.get(blob, range),
      }
    },
  }),
}

export const avatarOperations = {
  set: operation({
    name: 'me.set_avatar',
    method: 'PUT',
    path: '/v1/me/avatar',
    summary: 'Show a picture of yourself: JPEG, PNG, GIF or WebP, of at most 2 MiB',
    input: z.object({ file: upload() }),
    output: shownAvatar,
    async run(context, { file }) {
      if (file.size > largestAvatar)
        throw new Problem(413, 'file_too_large', 'file: at most 2 MiB', {
          field: 'file',
          limit: largestAvatar,
          unit: 'bytes',
        })
      const bytes = await readFile(file.path)
      const kind = readImageKind(bytes)
      // An SVG can hold scripts.
      if (!kind || !(kind.extension in mediaTypes))
        throw new Problem(415, 'unsupported_media_type', 'file: must be a JPEG, PNG, GIF or WebP picture', {
          field: 'file',
        })
      const { id } = await ownRow(context)
      const blob = `tenants/${context.principal.tenant}/people/${id}/${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}.${kind.extension}`
      await context.services.storage.put(blob, bytes, { mediaType: kind.mediaType })
      await changeAvatar(context, blob)
      return { avatar_url: `/v1/profiles/${id}/avatar` }
    },
  }),
  remove: operation({
    name: 'me.remove_avatar',
    method: 'DELETE',
    path: '/v1/me/avatar',
    summary: 'Show no picture of yourself',
    input: z.object({}),
    output: shownAvatar,
    async run(context) {
      await changeAvatar(context, null)
      return { avatar_url: null }
    },
  }),
}
