import { sql } from 'kysely'
import { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import { operation } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { apiKeys } from './identity.table.ts'
import { userOf } from './person.ts'
import { narrow } from './roles.ts'
import { hashToken, makeToken } from './tokens.ts'

const byId = z.object({ id: Id })
const keys = resource(apiKeys)

export const apiKeyOperations = {
  list: keys.list,
  create: operation({
    name: 'api_keys.create',
    method: 'POST',
    path: '/v1/api-keys',
    summary: 'Make an API key; it is shown this once',
    input: apiKeys.create,
    output: apiKeys.row.extend({ key: z.string() }),
    async run(context, input) {
      const scopes = narrow(input.scopes, context.principal.permissions)
      if (scopes.length === 0) throw new Problem(400, 'invalid_input', 'scopes: none of them is yours to give', { field: 'scopes' })
      const key = makeToken('vp')
      const row = await context.tx.insertInto('api_keys').values({ ...input, scopes, user_id: userOf(context), key_hash: hashToken(key), prefix: key.slice(0, 10) }).returningAll().executeTakeFirstOrThrow()
      return { ...row, key }
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
      await context.tx.updateTable('api_keys').set({ revoked_at: sql`now()` }).where('id', '=', id).returning('id').executeTakeFirstOrThrow(() => notFound('API key'))
      context.afterCommit(() => context.services.authenticator.forget())
      return { id }
    },
  }),
}
