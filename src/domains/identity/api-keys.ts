import { sql } from 'kysely'
import { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import { type Context, operation } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { requireHeld } from './grant-roles.ts'
import { apiKeys } from './identity.table.ts'
import { userOf } from './person.ts'
import { narrow } from './roles.ts'
import { hashToken, makeToken } from './tokens.ts'

const byId = z.object({ id: Id })
const { list, get } = resource(apiKeys)
const shownOnce = apiKeys.row.extend({ key: z.string() })
const longestOverlapHours = 30 * 24

async function makeKey(
  { tx }: Context,
  values: { user_id: string; name: string; scopes: string[]; expires_at?: string | null; replaces?: string },
) {
  const key = makeToken('vp')
  const row = await tx
    .insertInto('api_keys')
    .values({ ...values, key_hash: hashToken(key), prefix: key.slice(0, 10) })
    .returningAll()
    .executeTakeFirstOrThrow()
  return { ...row, key }
}

export const apiKeyOperations = {
  list,
  get,
  create: operation({
    name: 'api_keys.create',
    method: 'POST',
    path: '/v1/api-keys',
    summary: 'Make an API key; it is shown this once',
    input: apiKeys.create,
    output: shownOnce,
    async run(context, input) {
      const scopes = narrow(input.scopes, context.principal.permissions)
      if (scopes.length === 0)
        throw new Problem(400, 'invalid_input', 'scopes: none of them is yours to give', { field: 'scopes' })
      if (input.expires_at && Date.parse(input.expires_at) <= Date.now())
        throw new Problem(400, 'invalid_input', 'expires_at: has passed', { field: 'expires_at' })
      return makeKey(context, { ...input, scopes, user_id: userOf(context) })
    },
  }),
  rotate: operation({
    name: 'api_keys.rotate',
    method: 'POST',
    path: '/v1/api-keys/:id/rotate',
    summary:
      'Make a key that takes the place of one of yours; both work for some hours, so that programs can change over',
    input: z.strictObject({
      id: Id,
      overlap_hours: z.number().min(0).max(longestOverlapHours).default(24),
      expires_at: z.iso.datetime({ offset: true }).nullable().optional(),
    }),
    output: shownOnce,
    async run(context, { id, overlap_hours, expires_at }) {
      const { tx, request } = context
      const user = userOf(context)
      const old = await tx
        .selectFrom('api_keys')
        .selectAll()
        .where('id', '=', id)
        // Whoever holds the new key acts as its owner, so only they get one.
        .where('user_id', '=', user)
        .where('revoked_at', 'is', null)
        .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', sql<string>`now()`)]))
        .forUpdate()
        .executeTakeFirstOrThrow(() => notFound('API key'))
      const next = await tx.selectFrom('api_keys').select('id').where('replaces', '=', id).executeTakeFirst()
      if (next) throw new Problem(409, 'already_rotated', 'Another key takes its place already.', { id: next.id })
      // A key with fewer scopes can't get itself one with more.
      requireHeld(
        context,
        narrow(old.scopes, context.principal.via === 'api_key' ? old.scopes : context.principal.permissions),
        'scopes',
      )
      // As long a life as the one before had, unless it says otherwise.
      const life = old.expires_at === null ? null : Date.parse(old.expires_at) - Date.parse(old.created_at)
      const made = await makeKey(context, {
        user_id: user,
        name: old.name,
        scopes: old.scopes,
        replaces: id,
        expires_at:
          expires_at !== undefined ? expires_at : life === null ? null : new Date(Date.now() + life).toISOString(),
      })
      await tx
        .updateTable('api_keys')
        .set({
          expires_at: sql`least(expires_at, now() + ${overlap_hours} * interval '1 hour')`,
          updated_at: sql`now()`,
        })
        .where('id', '=', id)
        .execute()
      context.afterCommit(() => context.services.authenticator.forget())
      await context.emit('security.api_key_rotated', {
        user_id: user,
        severity: 'low',
        ip_address: request.address,
        details: { key_id: id, replaced_by: made.id },
      })
      return made
    },
  }),
  revoke: operation({
    name: 'api_keys.remove',
    method: 'DELETE',
    path: '/v1/api-keys/:id',
    summary: 'Revoke an API key',
    input: byId,
    output: byId,
    async run(context, { id }) {
      await context.tx
        .updateTable('api_keys')
        .set({ revoked_at: sql`coalesce(revoked_at, now())` })
        .where('id', '=', id)
        .returning('id')
        .executeTakeFirstOrThrow(() => notFound('API key'))
      context.afterCommit(() => context.services.authenticator.forget())
      return { id }
    },
  }),
}
