import type { PolicyJson, SchemaJson } from '@cedar-policy/cedar-wasm/nodejs'
import { sql } from 'kysely'
import { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import { type Context, operation } from '../../kit/operation.ts'
import { resource } from '../../kit/resource.ts'
import { Id } from '../../kit/table.ts'
import { accessControlPolicies, accessLogs } from './authorization.table.ts'
import { checkPolicy, loadCedar } from './check-policy.ts'
import { changesRights } from './grant-roles.ts'
import { makeCedarSchema } from './make-cedar-schema.ts'

/** As many as are measured to be decided upon quickly (bench/authorization.ts). */
const mostPolicies = 2_000

const byId = z.object({ id: Id })
const policyText = z
  .string()
  .max(32_000)
  .optional()
  .meta({ description: "The policy in Cedar's own language, instead of policy_definition" })
/** Judged by Cedar and not by its declared form, which could not say as much. */
const policyInput = {
  policy_definition: z.record(z.string().max(100), z.unknown()).optional(),
  policy_text: policyText,
}
const { list, get, remove } = resource(accessControlPolicies)

let schema: SchemaJson<string> | undefined
const schemaOf = ({ services }: Context): SchemaJson<string> =>
  (schema ??= makeCedarSchema(services.authorization.resources, services.kernel.operations.values()))

/** Policies are kept as JSON; whoever prefers to write Cedar's language may. */
async function definitionOf(context: Context, definition: unknown, text: string | undefined): Promise<PolicyJson> {
  if ((definition === undefined) === (text === undefined))
    throw new Problem(400, 'invalid_input', 'policy_definition: send it, or policy_text instead', {
      field: 'policy_definition',
    })
  const { roles } = await context.services.authorization.rules.of(context.principal.tenant, context.tx)
  return checkPolicy(text === undefined ? definition : await parseText(text), schemaOf(context), new Set(roles.keys()))
}

async function parseText(text: string): Promise<PolicyJson> {
  const answer = (await loadCedar()).policyToJson(text)
  if (answer.type === 'success') return answer.json
  const [error] = answer.errors
  const start = error?.sourceLocations?.[0]?.start ?? 0
  const before = Buffer.from(text).subarray(0, start).toString().split('\n')
  const [line, column] = [before.length, (before.at(-1)?.length ?? 0) + 1]
  throw new Problem(
    400,
    'invalid_policy',
    `policy_text: line ${line}, column ${column}: ${error?.message ?? 'not one policy'}`,
    { field: 'policy_text', line, column, help: error?.help ?? undefined },
  )
}

export const policyOperations = {
  list,
  get,
  create: operation({
    name: 'access_control_policies.create',
    method: 'POST',
    path: '/v1/access-control-policies',
    summary: 'Make an access policy: a rule about attributes that narrows what roles grant',
    input: accessControlPolicies.create.extend(policyInput),
    output: accessControlPolicies.row,
    async run(context, { policy_definition, policy_text, ...input }) {
      const definition = await definitionOf(context, policy_definition, policy_text)
      const made = await context.tx
        .insertInto('access_control_policies')
        .values({ ...input, policy_definition: definition as never })
        .returningAll()
        .executeTakeFirstOrThrow()
      const { rows } = await sql<{ count: number }>`select count(*) from access_control_policies`.execute(context.tx)
      if (Number(rows[0]?.count) > mostPolicies)
        throw new Problem(403, 'quota_exceeded', `A tenant has at most ${mostPolicies} policies.`, {
          limit: mostPolicies,
          unit: 'policies',
        })
      changesRights(context)
      return made
    },
  }),
  update: operation({
    name: 'access_control_policies.update',
    method: 'PATCH',
    path: '/v1/access-control-policies/:id',
    summary: 'Change an access policy, or switch it off and on',
    input: accessControlPolicies.update.extend({ ...byId.shape, ...policyInput }),
    output: accessControlPolicies.row,
    async run(context, { id, policy_definition, policy_text, ...changes }) {
      const definition =
        policy_definition || policy_text !== undefined
          ? { policy_definition: (await definitionOf(context, policy_definition, policy_text)) as never }
          : {}
      const changed = await context.tx
        .updateTable('access_control_policies')
        .set({ ...changes, ...definition, updated_at: sql`now()` })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow(() => notFound('access policy'))
      changesRights(context)
      return changed
    },
  }),
  remove: operation({
    ...remove,
    async run(context, input) {
      const removed = await remove.run(context, input)
      changesRights(context)
      return removed
    },
  }),
  schema: operation({
    name: 'access_control_policies.schema',
    method: 'GET',
    path: '/v1/access-control-policies/schema',
    summary: 'Show what policies can speak about: the Cedar schema of all resources and operations',
    input: z.object({}),
    output: z.object({ schema: z.record(z.string(), z.unknown()), text: z.string() }),
    async run(context) {
      const declared = schemaOf(context)
      const answer = (await loadCedar()).schemaToText(declared)
      if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('; '))
      return { schema: declared, text: answer.text }
    },
  }),
}

const log = resource(accessLogs)
export const accessLogOperations = {
  list: operation({
    ...log.list,
    input: log.list.input.extend({
      user_id: Id.optional(),
      action: z.string().max(100).optional(),
    }) as unknown as typeof log.list.input,
  }),
}
