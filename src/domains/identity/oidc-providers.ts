import { sql } from 'kysely'
import { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import { type Context, operation } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { deriveKey, seal, unseal } from '../../kit/seal.ts'
import { Id } from '../../kit/table.ts'
import { oidcProviders } from './factors.table.ts'
import { requireGrantable } from './grant-roles.ts'

const { list, get, remove } = resource(oidcProviders)
const clientSecret = z.string().min(1).max(1000).nullable().optional()
const key = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be of a-z, 0-9 and -')

const keyOf = ({ services }: Pick<Context, 'services'>): Buffer =>
  deriveKey(services.config.secret, 'OpenID client secrets')
const sealFor = (context: Context, id: string, secret: string): string => seal(keyOf(context), secret, id)
export const clientSecretOf = (
  context: Context,
  { id, client_secret_encrypted: sealed }: { id: string; client_secret_encrypted: string | null },
): string | undefined => (sealed === null ? undefined : unseal(keyOf(context), sealed, id))

async function requireUsable(
  context: Context,
  { issuer, default_roles }: { issuer?: string; default_roles?: string[] },
): Promise<void> {
  const allowed = context.services.config.VOICEPRESS_PRIVATE_ADDRESSES ? /^https?:\/\// : /^https:\/\//
  if (issuer !== undefined && (!allowed.test(issuer) || !URL.canParse(issuer)))
    throw new Problem(400, 'invalid_input', 'issuer: must be an https:// address', { field: 'issuer' })
  if (default_roles) await requireGrantable(context, default_roles)
}

export const oidcProviderOperations = {
  list,
  get,
  remove,
  create: operation({
    name: 'oidc_providers.create',
    method: 'POST',
    path: '/v1/oidc-providers',
    summary: 'Let people of your tenant sign in through an OpenID provider',
    input: oidcProviders.create.extend({ key, client_secret: clientSecret }),
    output: oidcProviders.row,
    async run(context, { client_secret, ...provider }) {
      await requireUsable(context, provider)
      const row = await context.tx
        .insertInto('oidc_providers')
        .values(provider)
        .returningAll()
        .executeTakeFirstOrThrow()
      if (client_secret)
        await context.tx
          .updateTable('oidc_providers')
          .set({ client_secret_encrypted: sealFor(context, row.id, client_secret) })
          .where('id', '=', row.id)
          .execute()
      return row
    },
  }),
  update: operation({
    name: 'oidc_providers.update',
    method: 'PATCH',
    path: '/v1/oidc-providers/:id',
    summary: 'Change an OpenID provider; people who came through it keep their accounts',
    input: oidcProviders.update.extend({ id: Id, client_secret: clientSecret }),
    output: oidcProviders.row,
    async run(context, { id, client_secret, ...changes }) {
      await requireUsable(context, changes)
      // The secret goes to whoever the issuer is: with another one it has to be given anew.
      const secret =
        client_secret === undefined
          ? changes.issuer === undefined
            ? {}
            : { client_secret_encrypted: null }
          : { client_secret_encrypted: client_secret === null ? null : sealFor(context, id, client_secret) }
      return context.tx
        .updateTable('oidc_providers')
        .set({ ...changes, ...secret, updated_at: sql`now()` })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow(() => notFound('OpenID provider'))
    },
  }),
}
