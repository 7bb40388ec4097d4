import { type RawBuilder, sql } from 'kysely'
import { z } from 'zod'
import type { Tx } from '../../kit/database.ts'
import { Problem, notFound } from '../../kit/errors.ts'
import { type Context, operation } from '../../kit/operation.ts'
import { page, pageOf } from '../../kit/resource.ts'
import { Id, email } from '../../kit/table.ts'
import { AnyId } from './resolve-tenant.ts'
import { states } from './standing.ts'
import { tiers } from './tenancy.table.ts'

/** What a reseller, and the platform, see of a tenant: the account, and none of what is in it. */
const account = z
  .object({
    id: Id,
    name: z.string(),
    slug: z.string(),
    domain: z.string().nullable(),
    /** The tenant of a reseller's own people. */
    is_office: z.boolean(),
    reseller_id: Id.nullable(),
    pending_reseller_id: Id.nullable(),
    subscription_plan_id: Id.nullable(),
    plan: z.enum(tiers),
    subscription_status: z.enum(states),
    standing: z.enum(states),
    trial_ends_at: z.string().nullable(),
    current_period_ends_at: z.string().nullable(),
    branding_configuration_id: Id.nullable(),
    stripe_customer_id: z.string().nullable(),
    subscription_id: z.string().nullable(),
    suspended_at: z.string().nullable(),
    suspended_reason: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'account' })
type Account = z.output<typeof account>

declare module '../../kit/events.ts' {
  interface EventPayloads {
    /** Committed in the new tenant: its first administrator is to be invited. */
    'tenant.created': { email: string; origin: string }
  }
}

const slug = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be a part of a domain name: a-z, 0-9 and hyphens')
  .refine((name) => !reserved.has(name), 'is taken')
/** Names that people take for the operator's. */
const reserved = new Set([
  'www',
  'api',
  'app',
  'admin',
  'mail',
  'smtp',
  'ftp',
  'status',
  'docs',
  'help',
  'support',
  'billing',
  'login',
  'auth',
  'cdn',
  'static',
  'assets',
])
const byId = z.object({ id: AnyId })
const time = z.iso.datetime({ offset: true })

async function show(tx: Tx, id: string): Promise<Account> {
  const { rows } = await sql<Account>`select * from managed_accounts(${id}, null, 1, null)`.execute(tx)
  if (!rows[0]) throw notFound('account')
  return rows[0]
}

/** Runs one function of the second door, which writes down on the account's side who used it, and shows the account. */
async function through(
  { tx, services, afterCommit }: Context,
  id: string,
  call: RawBuilder<unknown>,
): Promise<Account> {
  await sql`select ${call}`.execute(tx)
  afterCommit(() => services.tenancy.forget())
  return show(tx, id)
}

export const accountOperations = {
  list: operation({
    name: 'accounts.list',
    method: 'GET',
    path: '/v1/accounts',
    summary: 'List the tenants that you sell to, newest first; all of them for the platform',
    writes: true,
    input: z.object({
      limit: z.number().int().min(1).max(200).default(50),
      after: AnyId.optional(),
      standing: z.enum(states).optional(),
    }),
    output: page(account),
    async run({ tx }, { limit, after, standing }) {
      const { rows } =
        await sql<Account>`select * from managed_accounts(null, ${after ?? null}, ${limit + 1}, ${standing ?? null})`.execute(
          tx,
        )
      return pageOf(rows, limit)
    },
  }),
  get: operation({
    name: 'accounts.get',
    method: 'GET',
    path: '/v1/accounts/:id',
    summary: 'Show a tenant that you sell to',
    writes: true,
    input: byId,
    output: account,
    run: ({ tx }, { id }) => show(tx, id),
  }),
  usage: operation({
    name: 'accounts.usage',
    method: 'GET',
    path: '/v1/accounts/:id/usage',
    summary: 'Show how much of its limits a tenant uses',
    writes: true,
    input: byId,
    output: z.object({
      users: z.number(),
      projects: z.number(),
      storage_bytes: z.number(),
      processing_minutes: z.number(),
      limits: z.record(z.string(), z.number()),
    }),
    async run({ tx }, { id }) {
      const { rows } = await sql<{
        users: number
        projects: number
        storage_bytes: number
        processing_minutes: number
        limits: Record<string, number>
      }>`select * from account_usage(${id})`.execute(tx)
      if (!rows[0]) throw notFound('account')
      return rows[0]
    },
  }),
  create: operation({
    name: 'accounts.create',
    method: 'POST',
    path: '/v1/accounts',
    summary: 'Open a tenant for a customer; its first administrator is invited by mail',
    input: z.strictObject({
      name: z.string().min(1).max(255),
      slug,
      subscription_plan_id: Id.optional(),
      administrator_email: email().zod,
      trial_days: z.number().int().min(0).max(365).default(0),
      /** Only the platform opens tenants for others. */
      reseller_id: AnyId.optional(),
    }),
    output: account,
    async run({ tx, request }, input) {
      const { rows } = await sql<{ id: string }>`
        select open_account(${input.name}, ${input.slug}, ${input.subscription_plan_id ?? null}::uuid, ${input.administrator_email}, ${request.origin}, ${input.trial_days}, ${input.reseller_id ?? null}::uuid) as id`.execute(
        tx,
      )
      return show(tx, rows[0]?.id ?? '')
    },
  }),
  update: operation({
    name: 'accounts.update',
    method: 'PATCH',
    path: '/v1/accounts/:id',
    summary: "Change a tenant's name, plan, state or branding",
    input: z.strictObject({
      id: AnyId,
      name: z.string().min(1).max(255).optional(),
      subscription_plan_id: Id.optional(),
      subscription_status: z.enum(states).optional(),
      trial_ends_at: time.nullable().optional(),
      current_period_ends_at: time.nullable().optional(),
      branding_configuration_id: Id.nullable().optional(),
      stripe_customer_id: z.string().max(255).nullable().optional(),
      subscription_id: z.string().max(255).nullable().optional(),
    }),
    output: account,
    run: (context, { id, ...changes }) =>
      through(context, id, sql`change_account(${id}, ${JSON.stringify(changes)}::jsonb)`),
  }),
  suspend: operation({
    name: 'accounts.suspend',
    method: 'POST',
    path: '/v1/accounts/:id/suspend',
    summary: 'Suspend a tenant: nobody of it gets in, nothing is lost',
    input: byId.extend({ reason: z.string().min(1).max(1000) }),
    output: account,
    run: (context, { id, reason }) => through(context, id, sql`suspend_account(${id}, ${reason})`),
  }),
  resume: operation({
    name: 'accounts.resume',
    method: 'POST',
    path: '/v1/accounts/:id/resume',
    summary: 'Let a suspended tenant in again',
    input: byId,
    output: account,
    run: (context, { id }) => through(context, id, sql`suspend_account(${id}, null)`),
  }),
  handOver: operation({
    name: 'accounts.hand_over',
    method: 'POST',
    path: '/v1/accounts/:id/hand-over',
    summary: 'Offer a tenant to another reseller; null takes the offer back',
    input: byId.extend({ reseller_id: AnyId.nullable() }),
    output: account,
    run: (context, { id, reseller_id }) => through(context, id, sql`offer_account(${id}, ${reseller_id}::uuid)`),
  }),
  accept: operation({
    name: 'accounts.accept',
    method: 'POST',
    path: '/v1/accounts/:id/accept',
    summary: 'Take over a tenant that was offered to you; a plan is needed when it has one of the other reseller',
    input: byId.extend({ subscription_plan_id: Id.optional() }),
    output: account,
    async run(context, { id, subscription_plan_id }) {
      return through(context, id, sql`accept_account(${id}, ${subscription_plan_id ?? null}::uuid)`).catch(
        (error: { constraint?: string }) => {
          if (error.constraint !== 'plan_needed') throw error
          throw new Problem(
            400,
            'invalid_input',
            'subscription_plan_id: its plan was the other reseller’s; choose one of yours',
            { field: 'subscription_plan_id' },
          )
        },
      )
    },
  }),
}
