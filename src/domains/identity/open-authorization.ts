import type { Context as CedarContext, EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import type { Authorizer, Question } from '../../kit/authorize.ts'
import type { Tx } from '../../kit/database.ts'
import { Problem, notFound } from '../../kit/errors.ts'
import type { Kernel } from '../../kit/kernel.ts'
import type { AnyOperation, Principal } from '../../kit/operation.ts'
import type { Fields, Table } from '../../kit/table.ts'
import { type AccessLog, keepAccessLogs, openAccessLog } from './access-log.ts'
import { type Resource, type Subject, describeResources, subjectOf } from './describe-resources.ts'
import { type Asked, type Slice, type Verdict, evaluate } from './evaluate-policies.ts'
import { loadPrincipal, loadResource, principalWithRoles } from './load-entities.ts'
import { groupsOf } from './make-cedar-schema.ts'
import { covers } from './roles.ts'
import { synchronizePermissions } from './synchronize-permissions.ts'
import { type RuleBook, type TenantRules, openRuleBook } from './tenant-rules.ts'

export interface Authorization extends Authorizer {
  rules: RuleBook
  log: AccessLog
  /** Declared tables as rules see them. */
  resources: Map<string, Resource>
  /** What the roles of a tenant grant, as patterns. */
  permissionsOf(tenant: string, roles: readonly string[]): Promise<string[]>
  /** What the tenant's policies make of it; undefined where none speaks about it. Throws `Problem` 404 for a row that the caller does not see. */
  judge(
    tx: Tx,
    rules: TenantRules,
    principal: Principal,
    operation: AnyOperation,
    input: unknown,
    address: string | null,
  ): Promise<Verdict | undefined>
  /** After a change of roles or policies, so that it holds here at once. */
  forget(tenant: string): void
}

/** Granted or not, somebody may want to know later who did it. */
const sensitive = [
  'roles.create',
  'roles.update',
  'roles.remove',
  'user_roles.create',
  'user_roles.remove',
  'users.create',
  'users.update',
  'users.remove',
  'api_keys.create',
  'access_control_policies.create',
  'access_control_policies.update',
  'access_control_policies.remove',
  'resource_ownership.*',
  'authorization.simulate',
  'audit_logs.*',
  'access_logs.*',
  'security_events.*',
  'gdpr_requests.*',
]

/** An administrator can always undo a policy, also one that forbids everything. */
const isWayOut = (principal: Principal, { name }: AnyOperation): boolean =>
  principal.roles.includes('admin') && name.startsWith('access_control_policies.')

const decisionsKept = 20_000
/** The longest that a decision outlives a change of its row in another process, in milliseconds. */
const believed = 2_000
const keep = <T>(kept: Map<string, T>, key: string, value: T): void => {
  if (kept.size >= decisionsKept) kept.clear()
  kept.set(key, value)
}
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Brings what this version declares into the database, and opens what decides by it. */
export async function openAuthorization(kernel: Kernel): Promise<Authorization> {
  await synchronizePermissions(kernel.urls.owner, kernel.operations.values())
  const stopKeeping = await keepAccessLogs(kernel.urls.owner, kernel.log)
  const resources = describeResources(kernel.domains.flatMap((domain) => domain.tables as Table<string, Fields>[]))
  const rules = openRuleBook(kernel.pool)
  const log = openAccessLog(kernel.pool, kernel.log)
  kernel.closing.push(stopKeeping, () => log.close())
  const subjects = new Map(
    [...kernel.operations.values()].map((operation) => [
      operation.name,
      { subject: subjectOf(operation, resources), groups: groupsOf(operation) },
    ]),
  )
  const delicate = new Set(
    [...kernel.operations.keys()].filter((name) => sensitive.some((pattern) => covers(pattern, name))),
  )
  const isSensitive = (name: string): boolean => delicate.has(name)
  /** By everything that a decision hangs on. */
  const decisions = new Map<string, Verdict>()
  /** By who and what, without looking at the row again. */
  const recently = new Map<string, { verdict: Verdict; until: number; writes: number | undefined }>()
  /** Counts what changed a tenant's rows in this process, after which nothing is believed without looking. */
  const writes = new Map<string, number>()

  function resourceOf(operation: AnyOperation, input: unknown): { subject: Subject; id: string } | undefined {
    const subject = subjects.get(operation.name)?.subject
    const id = subject && (input as Record<string, unknown> | null)?.[subject.field]
    return subject && typeof id === 'string' && uuidPattern.test(id) ? { subject, id } : undefined
  }

  function write({ principal, operation, input, request }: Question, allowed: boolean, reason: string): void {
    const named = resourceOf(operation, input)
    log.write({
      tenant: principal.tenant,
      user_id: principal.user,
      action: operation.name,
      resource_type: named?.subject.resource.table ?? operation.name.split('.')[0] ?? null,
      resource_id: named?.id ?? null,
      allowed,
      reason,
      ip_address: request.address,
      user_agent: request.userAgent,
      request_id: request.id,
    })
  }

  async function judge(
    tx: Tx,
    known: TenantRules,
    principal: Principal,
    operation: AnyOperation,
    input: unknown,
    address: string | null,
  ): Promise<Verdict | undefined> {
    const { tenant, user, roles } = principal
    const { groups } = subjects.get(operation.name) ?? { groups: groupsOf(operation) }
    if (!user || isWayOut(principal, operation)) return undefined
    const asked: Asked = { action: operation.name, groups, user, tenant, roles }
    const slice = known.slice(asked)
    if (!slice) return undefined
    const named = resourceOf(operation, input)
    const context = contextOf(slice, principal, address)
    const moment = `${slice.key} ${user} ${named?.id ?? ''} ${JSON.stringify(context)}`
    const recent = recently.get(moment)
    if (recent && recent.until > Date.now() && recent.writes === writes.get(tenant)) return recent.verdict
    const before = writes.get(tenant)
    const { resource, entities } = await entitiesFor(tx, slice, asked, named)
    const shape = `${slice.key} ${JSON.stringify([resource, entities, context])}`
    const verdict = decisions.get(shape) ?? (await evaluate(slice, asked, resource, entities, context))
    keep(decisions, shape, verdict)
    keep(recently, moment, { verdict, until: Date.now() + believed, writes: before })
    return verdict
  }

  async function entitiesFor(
    tx: Tx,
    slice: Slice,
    { user, tenant, roles }: Asked,
    named: ReturnType<typeof resourceOf>,
  ): Promise<{ resource: EntityJson['uid']; entities: EntityJson[] }> {
    const users = resources.get('users')
    const ofTenant = { type: 'Tenant', id: tenant }
    const [principal, found] = await Promise.all([
      users ? loadPrincipal(tx, users, user, slice.words, tenant, roles) : principalWithRoles(user, tenant, roles),
      slice.asksResource && named
        ? loadResource(tx, named.subject.resource, named.id, slice.words, resources, tenant)
        : undefined,
    ])
    if (!named) return { resource: ofTenant, entities: [principal] }
    if (!slice.asksResource)
      return { resource: { type: named.subject.resource.type, id: named.id }, entities: [principal] }
    if (!found) throw notFound(named.subject.resource.singular)
    // One thing is described once, also to whom it is themselves.
    return {
      resource: found.uid,
      entities:
        named.id === user && named.subject.resource.table === 'users'
          ? [{ ...principal, attrs: { ...found.attrs, ...principal.attrs } }]
          : [principal, found],
    }
  }

  return {
    rules,
    log,
    resources,
    judge,
    async permissionsOf(tenant, roles) {
      const { roles: granted } = await rules.of(tenant)
      return [...new Set(roles.flatMap((role) => granted.get(role) ?? []))]
    },
    authorize(question) {
      const { principal, operation } = question
      // The command line is the operator of this machine: the way out when a policy has shut everyone out.
      if (principal.via === 'local') return undefined
      const known = rules.known(principal.tenant)
      if (known?.policies.length === 0) {
        if (isSensitive(operation.name)) write(question, true, `role ${principal.roles.join(', ')}`)
        return undefined
      }
      return decide(question, known)
    },
    changed: (tenant) => void writes.set(tenant, (writes.get(tenant) ?? 0) + 1),
    refused: (question) => write(question, false, `no role grants ${question.operation.name}`),
    forget: (tenant) => rules.forget(tenant),
  }

  async function decide(question: Question & { tx: Tx }, known: TenantRules | undefined): Promise<void> {
    const { tx, principal, operation, input, request } = question
    const verdict = await judge(
      tx,
      known ?? (await rules.of(principal.tenant, tx)),
      principal,
      operation,
      input,
      request.address,
    )
    if (!verdict || verdict.allowed) {
      if (isSensitive(operation.name))
        write(question, true, verdict?.by === 'policy' ? namesOf(verdict) : `role ${principal.roles.join(', ')}`)
      return
    }
    write(question, false, namesOf(verdict))
    throw new Problem(403, 'forbidden', `A policy of your organisation does not allow ${operation.name} here.`, {
      permission: operation.name,
    })
  }
}

const namesOf = ({ policies }: Verdict): string =>
  policies.map(({ name, outcome }) => `policy ${name}: ${outcome}`).join('; ')

/** Times are given to the minute, so that a decision can be used again within it. Only what a policy asks for. */
function contextOf({ asksTime, asksAddress }: Slice, { via }: Principal, address: string | null): CedarContext {
  const now = asksTime ? `${new Date().toISOString().slice(0, 16)}:00.000Z` : '1970-01-01T00:00:00.000Z'
  return {
    via,
    now: { __extn: { fn: 'datetime', arg: now } },
    ...(asksAddress && address && { address: { __extn: { fn: 'ip', arg: address } } }),
  }
}
