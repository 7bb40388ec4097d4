import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import { type Context, operation } from '../../kit/operation.ts'
import { changeOwnLook } from './branding.ts'
import { requireFeature } from './features.ts'
import { findPageProofs, findProofs, normalizeDomain, pageOf, proofOf } from './verify-domain.ts'

const none = z.object({})
const output = z.object({
  domain: z.string(),
  verified: z.boolean(),
  verified_at: z.string().nullable(),
  /** What has to stand in DNS, until it is verified and as long as it is used. */
  record: z.object({ name: z.string(), type: z.literal('TXT'), value: z.string() }),
  /** Or what has to lie there while it is verified. */
  page: z.string(),
})

const wanted = async ({ tx }: Pick<Context, 'tx'>) => {
  const row = await tx
    .selectFrom('white_label_settings')
    .select(['custom_domain', 'domain_token', 'domain_verified_at'])
    .executeTakeFirst()
  if (!row?.custom_domain || !row.domain_token) throw notFound('domain')
  return { domain: row.custom_domain, token: row.domain_token, verified_at: row.domain_verified_at }
}

async function shown(context: Pick<Context, 'tx'>) {
  const { domain, token, verified_at } = await wanted(context)
  return { domain, verified: verified_at !== null, verified_at, record: proofOf(domain, token), page: pageOf(domain) }
}

export const domainOperations = {
  show: operation({
    name: 'tenant.domain',
    method: 'GET',
    path: '/v1/tenant/domain',
    summary: "Show your tenant's own domain and what has to stand in DNS",
    input: none,
    output,
    run: shown,
  }),
  set: operation({
    name: 'tenant.set_domain',
    method: 'PUT',
    path: '/v1/tenant/domain',
    summary: 'Ask for a domain of your own; it works when it is verified',
    input: z.strictObject({ domain: z.string().max(300) }),
    output,
    async run(context, { domain }) {
      await requireFeature(context.tx, 'custom_domain')
      const { VOICEPRESS_PUBLIC_URL: own } = context.services.kernel.config
      const custom_domain = normalizeDomain(domain, own ? new URL(own).hostname : undefined)
      const before = await wanted(context).catch(() => null)
      if (before?.domain !== custom_domain) {
        await sql`select release_domain()`.execute(context.tx)
        await changeOwnLook(context.tx, {
          custom_domain,
          domain_token: randomBytes(20).toString('hex'),
          domain_verified_at: null,
        })
        context.afterCommit(() => context.services.tenancy.forget())
      }
      return shown(context)
    },
  }),
  verify: operation({
    name: 'tenant.verify_domain',
    method: 'POST',
    path: '/v1/tenant/domain/verify',
    summary:
      'Look for the record in DNS, or for the same text on the page it leads to; from then on the domain leads here',
    input: z.strictObject({ by: z.enum(['dns', 'page']).default('dns') }),
    output,
    async run(context, { by }) {
      await requireFeature(context.tx, 'custom_domain')
      const { domain, token } = await wanted(context)
      const { resolveTxt, fetchPage } = context.services.tenancy
      // Both, so that whoever holds the domain by one proof isn't overlooked when another is claimed.
      const found = (
        await Promise.all([findProofs(resolveTxt, domain), by === 'page' ? findPageProofs(fetchPage, domain) : []])
      ).flat()
      const { rows } = await sql<{ claimed: boolean }>`select claim_domain(${found}::text[]) as claimed`.execute(
        context.tx,
      )
      const { name, value } = proofOf(domain, token)
      if (!rows[0]?.claimed) {
        throw found.includes(token)
          ? new Problem(409, 'domain_taken', `${domain} is another tenant's, whose record stands there too.`)
          : new Problem(
              409,
              'domain_unproved',
              by === 'dns'
                ? `There is no TXT record at ${name} that says ${value}.`
                : `${pageOf(domain)} does not say ${value}.`,
              {
                record: proofOf(domain, token),
                found: found.length,
              },
            )
      }
      context.afterCommit(() => context.services.tenancy.forget())
      return shown(context)
    },
  }),
  remove: operation({
    name: 'tenant.remove_domain',
    method: 'DELETE',
    path: '/v1/tenant/domain',
    summary: 'Give up your own domain',
    input: none,
    output: z.object({ domain: z.string() }),
    async run(context) {
      const { domain } = await wanted(context)
      await sql`select release_domain()`.execute(context.tx)
      await changeOwnLook(context.tx, { custom_domain: null, domain_token: null, domain_verified_at: null })
      context.afterCommit(() => context.services.tenancy.forget())
      return { domain }
    },
  }),
}
