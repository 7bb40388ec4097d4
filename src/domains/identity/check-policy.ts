import type { Clause, DetailedError, Expr, PolicyJson, SchemaJson } from '@cedar-policy/cedar-wasm/nodejs'
import { z } from 'zod'
import { Problem } from '../../kit/errors.ts'

type Cedar = typeof import('@cedar-policy/cedar-wasm/nodejs')

let cedar: Promise<Cedar> | undefined
/** WebAssembly of 4 MB, loaded when the first rule is met. */
export const loadCedar = (): Promise<Cedar> => (cedar ??= import('@cedar-policy/cedar-wasm/nodejs'))

/** Deeper ones would leave the evaluator's stack; nobody writes them by hand. */
const maxDepth = 40
const maxLength = 32_000

const scope = z.looseObject({ op: z.enum(['All', '==', 'in', 'is']) })
const actionScope = z.looseObject({ op: z.enum(['All', '==', 'in']) })
const policy = z.strictObject({
  effect: z.enum(['permit', 'forbid']),
  principal: scope,
  action: actionScope,
  resource: scope,
  conditions: z
    .array(z.strictObject({ kind: z.enum(['when', 'unless']), body: z.record(z.string(), z.unknown()) }))
    .max(20),
  annotations: z.record(z.string(), z.string().nullable()).optional(),
})

export interface PolicyIssue {
  /** Into the JSON: `conditions[0].body`. */
  path?: string
  /** Cedar's text of the part that is wrong. */
  excerpt?: string
  message: string
  help?: string
}

const refuse = (issues: PolicyIssue[]): Problem => {
  const [{ path = '', excerpt, message, help }] = issues as [PolicyIssue]
  const where = excerpt ? `at ${excerpt}: ` : path ? `at ${path}: ` : ''
  return new Problem(400, 'invalid_policy', `policy_definition: ${where}${message}${help ? ` (${help})` : ''}`, {
    field: 'policy_definition',
    issues,
  })
}

function depthOf(value: unknown): number {
  let depth = 0
  for (let level: unknown[] = [value]; level.length && depth <= maxDepth; depth++)
    level = level.flatMap((one) => (one && typeof one === 'object' ? Object.values(one) : []))
  return depth
}

/**
 * A policy as it may be kept.
 * @throws Problem 400 invalid_policy with `issues`: where, what, and what was perhaps meant
 */
export async function checkPolicy(
  definition: unknown,
  schema: SchemaJson<string>,
  roles: ReadonlySet<string>,
): Promise<PolicyJson> {
  if (JSON.stringify(definition).length > maxLength)
    throw refuse([{ message: `a policy has at most ${maxLength} characters` }])
  if (depthOf(definition) > maxDepth) throw refuse([{ message: `a policy is nested at most ${maxDepth} deep` }])
  const parsed = policy.safeParse(definition)
  if (!parsed.success) throw refuse(parsed.error.issues.map(({ path, message }) => ({ path: pathOf(path), message })))
  const cedar = await loadCedar()
  const given = parsed.data as PolicyJson
  const broken = parses(cedar, given)
  if (broken) throw refuse([{ path: findBroken(cedar, given), message: plain(broken) }])

  const unknown = rolesNamed(given).find(({ role }) => !roles.has(role) && !z.uuid().safeParse(role).success)
  if (unknown) throw refuse([{ path: unknown.path, message: `there is no role ${unknown.role}` }])

  // As text, because only errors in text come with their place.
  const text = cedar.policyToText(given)
  if (text.type === 'failure') throw refuse(text.errors.map(({ message }) => ({ message })))
  const judged = cedar.validate({ schema, policies: { staticPolicies: { policy: text.text } } })
  if (judged.type === 'failure') throw refuse(judged.errors.map(({ message }) => ({ message })))
  // One that can never apply protects nothing, and looks as if it did.
  const impossible = judged.validationWarnings.filter(({ error }) => /impossible|applicable action/.test(error.message))
  const issues = (judged.validationErrors.length ? judged.validationErrors : impossible).map(({ error }) =>
    issueOf(error, text.text),
  )
  if (issues.length) throw refuse(issues)
  return given
}

const pathOf = (path: PropertyKey[]): string =>
  path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index ? '.' : ''}${String(part)}`)).join('')

const plain = (error: DetailedError): string =>
  error.message.replace(
    /^(for policy `[^`]*`, |failed to parse policy with id `[^`]*` from JSON: |error deserializing a policy\/template from JSON: )+/,
    '',
  )

function issueOf(error: DetailedError, text: string): PolicyIssue {
  const [place] = error.sourceLocations ?? []
  // Cedar counts bytes.
  const excerpt = place && Buffer.from(text).subarray(place.start, place.end).toString()
  return {
    ...(excerpt && { excerpt }),
    message: plain(error),
    ...(error.help && { help: error.help.replace(/^for policy `[^`]*`, /, '') }),
  }
}

function parses(cedar: Cedar, given: PolicyJson): DetailedError | undefined {
  const answer = cedar.checkParsePolicySet({ staticPolicies: { policy: given } })
  return answer.type === 'failure' ? answer.errors[0] : undefined
}

const empty: PolicyJson = {
  effect: 'permit',
  principal: { op: 'All' },
  action: { op: 'All' },
  resource: { op: 'All' },
  conditions: [],
}

/** The innermost part that does not parse on its own: Cedar does not say where in the JSON. */
function findBroken(cedar: Cedar, given: PolicyJson): string {
  for (const part of ['principal', 'action', 'resource'] as const)
    if (parses(cedar, { ...empty, [part]: given[part] })) return part
  const isBroken = (body: unknown): boolean =>
    parses(cedar, { ...empty, conditions: [{ kind: 'when', body: body as Expr }] satisfies Clause[] }) !== undefined
  const descend = (value: unknown, path: string): string => {
    if (!value || typeof value !== 'object') return path
    for (const [name, inner] of Object.entries(value)) {
      const at = Array.isArray(value) ? `${path}[${name}]` : `${path}.${name}`
      if (
        inner &&
        typeof inner === 'object' &&
        !Array.isArray(inner) &&
        Object.keys(inner).length === 1 &&
        isBroken(inner)
      )
        return descend(inner, at)
      if (
        inner &&
        typeof inner === 'object' &&
        (Array.isArray(inner) || ['left', 'right', 'arg', 'if', 'then', 'else'].some((key) => key in inner))
      ) {
        const deeper = descend(inner, at)
        if (deeper !== at) return deeper
      }
    }
    return path
  }
  const index = given.conditions.findIndex(({ body }) => isBroken(body))
  return index < 0 ? '' : descend(given.conditions[index]?.body, `conditions[${index}].body`)
}

/** `{ "type": "Role", "id": "editor" }`, wherever it stands. */
function rolesNamed(value: unknown, path: PropertyKey[] = []): { role: string; path: string }[] {
  if (!value || typeof value !== 'object') return []
  const { type, id } = value as { type?: unknown; id?: unknown }
  if (type === 'Role' && typeof id === 'string') return [{ role: id, path: pathOf(path) }]
  return Object.entries(value).flatMap(([name, inner]) =>
    rolesNamed(inner, [...path, Array.isArray(value) ? Number(name) : name]),
  )
}
