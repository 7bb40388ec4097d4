import { sql } from 'kysely'
import { z } from 'zod'
import type { Tx } from '../../kit/database.ts'
import { Problem, notFound } from '../../kit/errors.ts'
import { type AnyOperation, type Context, type Principal, mayRun, operation } from '../../kit/operation.ts'
import { Id } from '../../kit/table.ts'
import type { Verdict } from './evaluate-policies.ts'
import { covers } from './roles.ts'
import { subjectOf } from './describe-resources.ts'

const decision = z
  .object({
    allowed: z.boolean(),
    decided_by: z.enum(['public', 'account', 'role', 'visibility', 'policy', 'error']),
    explanation: z.string(),
    roles: z.array(z.object({ role: z.string(), permission: z.string() })),
    policies: z.array(
      z.object({
        id: z.uuid(),
        name: z.string(),
        effect: z.enum(['permit', 'forbid']),
        outcome: z.string(),
        message: z.string().optional(),
      }),
    ),
    resource: z.object({ type: z.string(), id: z.uuid(), visible: z.boolean() }).nullable(),
  })
  .meta({ id: 'access_decision' })
type Decision = z.input<typeof decision>

export const simulationOperations = {
  simulate: operation({
    name: 'authorization.simulate',
    method: 'GET',
    path: '/v1/authorization/simulate',
    summary: 'May this person do this, on this resource, and which rule says so?',
    input: z.object({ user_id: Id, operation: z.string().max(100), resource_id: Id.optional() }),
    output: decision,
    async run(context, { user_id, operation: name, resource_id }): Promise<Decision> {
      const asked = context.services.kernel.operations.get(name)
      if (!asked)
        throw new Problem(400, 'invalid_input', `operation: there is no operation ${name}`, { field: 'operation' })
      const { tx, principal: asking, request } = context
      const user = await tx
        .selectFrom('users')
        .selectAll()
        .where('id', '=', user_id)
        .where('deleted_at', 'is', null)
        .executeTakeFirstOrThrow(() => notFound('user'))
      if (user.suspended_at && !asked.public)
        return { ...nothing, decided_by: 'account', explanation: `${user.email} is suspended.` }
      const { authorization } = context.services
      const { roles } = await authorization.rules.of(asking.tenant, tx)
      const permissions = user.roles.flatMap((role) => roles.get(role) ?? [])
      const principal: Principal = {
        ...asking,
        user: user.id,
        email: user.email,
        roles: user.roles,
        permissions,
        seesAll: user.roles.includes('admin'),
        via: 'session',
        credential: null,
      }
      // Their eyes, and then those of who asks again: what they do not see counts as not there.
      await become(tx, principal, request.id)
      try {
        return await simulate(
          context,
          principal,
          asked,
          resource_id,
          new Map(user.roles.map((role) => [role, roles.get(role) ?? []])),
        )
      } finally {
        await become(tx, asking, request.id)
      }
    },
  }),
}

const nothing: Omit<Decision, 'decided_by' | 'explanation'> = {
  allowed: false,
  roles: [],
  policies: [],
  resource: null,
}

const become = (tx: Tx, { tenant, user, seesAll }: Principal, request: string) =>
  sql`select set_tenant_context(${tenant}::uuid, ${user}::uuid, ${seesAll}, 'authorization.simulate', ${request})`.execute(
    tx,
  )

async function simulate(
  { tx, services, request }: Context,
  principal: Principal,
  asked: AnyOperation,
  id: string | undefined,
  granted: Map<string, readonly string[]>,
): Promise<Decision> {
  if (asked.public)
    return { ...nothing, allowed: true, decided_by: 'public', explanation: `Everyone may ${asked.name}.` }
  const roles = [...granted].flatMap(([role, patterns]) =>
    patterns.filter((pattern) => covers(pattern, asked.name)).map((permission) => ({ role, permission })),
  )
  if (!mayRun(principal, asked.name))
    return {
      ...nothing,
      decided_by: 'role',
      explanation: `None of the roles ${principal.roles.join(', ')} grants ${asked.name}.`,
    }
  const { authorization } = services
  const subject = subjectOf(asked, authorization.resources)
  if (id && !subject)
    throw new Problem(400, 'invalid_input', `resource_id: ${asked.name} is about the tenant, and not about one thing`, {
      field: 'resource_id',
    })
  let resource: Decision['resource'] = null
  if (id && subject) {
    const { rows } = await sql`select 1 from ${sql.table(subject.resource.table)} where id = ${id}::uuid`.execute(tx)
    resource = { type: subject.resource.table, id, visible: rows.length > 0 }
    if (!rows.length)
      return {
        ...nothing,
        roles,
        resource,
        decided_by: 'visibility',
        explanation: `This person sees no such ${subject.resource.singular}: it is not theirs, not shared with them, or not there.`,
      }
  }
  const rules = await authorization.rules.of(principal.tenant, tx)
  const verdict = await authorization.judge(
    tx,
    rules,
    principal,
    asked,
    subject && id ? { [subject.field]: id } : {},
    request.address,
  )
  const given = roles.map(({ role, permission }) => `${role} (${permission})`).join(', ')
  if (!verdict)
    return {
      allowed: true,
      decided_by: 'role',
      explanation: `Granted by ${given}; no policy speaks about it.`,
      roles,
      policies: [],
      resource,
    }
  return {
    allowed: verdict.allowed,
    decided_by: verdict.by,
    explanation: explain(verdict, given),
    roles,
    policies: verdict.policies,
    resource,
  }
}

function explain({ allowed, by, policies }: Verdict, given: string): string {
  const names = policies.map(({ name }) => `“${name}”`).join(', ')
  if (by === 'error') return `Refused, because ${names} could not be evaluated.`
  if (allowed)
    return policies.length
      ? `Granted by ${given}, and ${names} permits it.`
      : `Granted by ${given}; no policy is against it.`
  return policies.some(({ effect }) => effect === 'forbid')
    ? `Granted by ${given}, but ${names} forbids it.`
    : `Granted by ${given}, but only under the conditions of ${names}, which are not met.`
}
