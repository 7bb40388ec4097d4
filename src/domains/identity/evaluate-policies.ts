import type { Context, EntityJson, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs'
import { loadCedar } from './check-policy.ts'

export interface KeptPolicy {
  id: string
  name: string
  definition: PolicyJson
}

/** The policies that may speak about one action of one kind of person; most actions have none. */
export interface Slice {
  policies: KeptPolicy[]
  asksResource: boolean
  /** Everything that the conditions call by a name: attributes, among them. */
  words: ReadonlySet<string>
  asksTime: boolean
  asksAddress: boolean
  /** Of this slice among all: names its parsed form. */
  key: string
}

export interface Verdict {
  allowed: boolean
  /** `policy`: one forbids, or none of those that permit under conditions has them met. `error`: one could not be evaluated. */
  by: 'role' | 'policy' | 'error'
  /** Those that decided. */
  policies: {
    id: string
    name: string
    effect: 'permit' | 'forbid'
    outcome: 'forbids' | 'permits' | 'condition not met' | 'error'
    message?: string
  }[]
}

export interface Asked {
  action: string
  groups: readonly string[]
  user: string
  tenant: string
  roles: readonly string[]
}

/** Parsed policies stay in Cedar's memory under a name for good, so names are used again. */
const places = 200
const parsed = new Map<string, string>()

function idsOf(constraint: PolicyJson['principal'] | PolicyJson['action']): { type?: string; id: string }[] {
  const found: { type?: string; id: string }[] = []
  const visit = (value: unknown): void => {
    if (!value || typeof value !== 'object') return
    const { id, type } = value as { id?: unknown; type?: string }
    if (typeof id === 'string') found.push({ type, id })
    else Object.values(value).forEach(visit)
  }
  visit(constraint)
  return found
}

function speaksTo({ definition: { action, principal } }: KeptPolicy, asked: Asked): boolean {
  // One that no version of this software has written; it is heard, and refuses because it can't be evaluated.
  if (!action || !principal) return true
  const isAbout =
    action.op === 'All' || idsOf(action).some(({ id }) => id === asked.action || asked.groups.includes(id))
  if (!isAbout) return false
  const named = idsOf(principal)
  return named.every(({ type, id }) =>
    type === 'Role' ? asked.roles.includes(id) : id === asked.user || id === asked.tenant,
  )
}

/** People whom a policy's head names: their slices are their own. */
export const peopleNamed = (policies: KeptPolicy[]): Set<string> =>
  new Set(
    policies.flatMap(({ definition }) =>
      idsOf(definition.principal).flatMap(({ type, id }) => (type === 'User' ? [id] : [])),
    ),
  )

export function sliceFor(policies: KeptPolicy[], asked: Asked, key: string): Slice | null {
  const about = policies.filter((policy) => speaksTo(policy, asked))
  if (about.length === 0) return null
  const text = JSON.stringify(about.map(({ definition: { conditions } }) => conditions))
  const asks = (variable: string) => text.includes(`"Var":"${variable}"`)
  const asksContext = (name: string) => asks('context') && text.includes(`"${name}"`)
  return {
    policies: about,
    words: new Set(Array.from(text.matchAll(/"([A-Za-z_]\w*)"/g), ([, word]) => word as string)),
    asksResource: asks('resource') || about.some(({ definition }) => definition.resource?.op !== 'All'),
    asksTime: asksContext('now'),
    asksAddress: asksContext('address'),
    key,
  }
}

const granted = 'granted by role'
const head = 'head of '

type Cedar = Awaited<ReturnType<typeof loadCedar>>

/** Not asynchronous, nor is what uses its answer: the name may stand for other policies a moment later. */
function parse({ preparsePolicySet }: Cedar, slice: Slice): { place: string } | { error: string } {
  const known = parsed.get(slice.key)
  if (known) return { place: known }
  const oldest = parsed.size < places ? undefined : (parsed.entries().next().value as [string, string])
  const place = oldest?.[1] ?? `slice ${parsed.size}`
  const staticPolicies: Record<string, PolicyJson | string> = { [granted]: 'permit(principal, action, resource);' }
  for (const { id, definition } of slice.policies) {
    staticPolicies[id] = definition
    // What it speaks about, whether or not its conditions hold.
    if (definition.effect === 'permit') staticPolicies[head + id] = { ...definition, conditions: [] }
  }
  const answer = preparsePolicySet(place, { staticPolicies })
  if (answer.type === 'failure') return { error: answer.errors.map(({ message }) => message).join('; ') }
  if (oldest) parsed.delete(oldest[0])
  parsed.set(slice.key, place)
  return { place }
}

/**
 * What policies make of a call that a role has granted already. They only narrow: one that forbids wins; where one permits under conditions what its
 * head names, the conditions of at least one such must hold; and what can't be evaluated is refused.
 */
export async function evaluate(
  slice: Slice,
  asked: Asked,
  resource: EntityJson['uid'],
  entities: EntityJson[],
  context: Context,
): Promise<Verdict> {
  const cedar = await loadCedar()
  const ready = parse(cedar, slice)
  const unfit = (message = ''): Verdict => ({
    allowed: false,
    by: 'error',
    policies: slice.policies.map(({ id, name, definition: { effect } }) => ({
      id,
      name,
      effect,
      outcome: 'error',
      message,
    })),
  })
  if ('error' in ready) return unfit(ready.error)
  const action = { type: 'Action', id: asked.action }
  const answer = cedar.statefulIsAuthorized({
    principal: { type: 'User', id: asked.user },
    action,
    resource,
    context,
    preparsedPolicySetId: ready.place,
    entities: [...entities, { uid: action, attrs: {}, parents: asked.groups.map((id) => ({ type: 'Action', id })) }],
  })
  if (answer.type === 'failure') return unfit(answer.errors[0]?.message)
  const { decision, diagnostics } = answer.response
  const mention = (ids: string[], outcome: Verdict['policies'][number]['outcome']): Verdict['policies'] =>
    slice.policies.flatMap(({ id, name, definition: { effect } }) =>
      ids.includes(id) ? [{ id, name, effect, outcome }] : [],
    )
  if (decision === 'deny') return { allowed: false, by: 'policy', policies: mention(diagnostics.reason, 'forbids') }
  if (diagnostics.errors.length) {
    const messages = new Map(
      diagnostics.errors.map(({ policyId, error }) => [policyId.replace(head, ''), error.message]),
    )
    return {
      allowed: false,
      by: 'error',
      policies: mention([...messages.keys()], 'error').map((one) => ({ ...one, message: messages.get(one.id) })),
    }
  }
  const heads = diagnostics.reason.flatMap((id) => (id.startsWith(head) ? [id.slice(head.length)] : []))
  const met = heads.filter((id) => diagnostics.reason.includes(id))
  if (heads.length && !met.length)
    return { allowed: false, by: 'policy', policies: mention(heads, 'condition not met') }
  return { allowed: true, by: heads.length ? 'policy' : 'role', policies: mention(met, 'permits') }
}
