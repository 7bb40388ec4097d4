import type { SchemaJson, TypeOfAttribute } from '@cedar-policy/cedar-wasm/nodejs'
import { type AnyOperation, isReadOnly } from '../../kit/operation.ts'
import { type Resource, subjectOf } from './describe-resources.ts'

type Attribute = TypeOfAttribute<string>

/** The groups an operation lies in: `projects.*`, and `reads` or `changes`. */
export const groupsOf = (operation: AnyOperation): string[] => [
  `${operation.name.split('.')[0]}.*`,
  isReadOnly(operation) ? 'reads' : 'changes',
]

const setOfPeople: Attribute = { type: 'Set', element: { type: 'Entity', name: 'User' } }

function shapeOf(resource: Resource): Record<string, Attribute> {
  const shape: Record<string, Attribute> = {}
  for (const [name, { type, optional }] of resource.attributes) {
    const required = !optional
    if (type === 'datetime') shape[name] = { type: 'Extension', name: 'datetime', required }
    else if (type === 'Set') shape[name] = { type: 'Set', element: { type: 'String' }, required }
    else shape[name] = { type, required }
  }
  shape.owner = { type: 'Entity', name: 'User', required: false }
  if (resource.shares)
    for (const name of ['shared_with', ...resource.shares.rights]) shape[name] = { ...setOfPeople, required: true }
  return shape
}

/** The Cedar schema (JSON form) of everything that is declared: people, roles, rows of tables, and operations as actions. Public operations ask nobody. */
export function makeCedarSchema(
  resources: Map<string, Resource>,
  operations: Iterable<AnyOperation>,
): SchemaJson<string> {
  const all = [...resources.values()]
  const entityTypes: SchemaJson<string>[string]['entityTypes'] = {
    Tenant: { shape: { type: 'Record', attributes: {} } },
  }
  for (const resource of all) {
    const above = [
      ...new Set([
        'Tenant',
        ...resource.parents.map(({ resource: parent }) => resources.get(parent)?.type ?? 'Tenant'),
        ...(resource.table === 'users' ? ['Role'] : []),
      ]),
    ]
    entityTypes[resource.type] = {
      memberOfTypes: above,
      shape: { type: 'Record', attributes: shapeOf(resource) },
      ...(resource.table === 'users' && { tags: { type: 'String' } }),
    }
  }
  const actions: SchemaJson<string>[string]['actions'] = {}
  for (const operation of operations) {
    if (operation.public) continue
    const subject = subjectOf(operation, resources)
    const groups = groupsOf(operation)
    for (const group of groups) actions[group] ??= {}
    const resourceTypes = [
      ...(subject ? [subject.resource.type] : []),
      ...(!subject || subject.isOptional ? ['Tenant'] : []),
    ]
    actions[operation.name] = {
      memberOf: groups.map((id) => ({ id })),
      appliesTo: {
        principalTypes: ['User'],
        resourceTypes,
        context: {
          type: 'Record',
          attributes: {
            via: { type: 'String', required: true },
            now: { type: 'Extension', name: 'datetime', required: true },
            address: { type: 'Extension', name: 'ipaddr', required: false },
          },
        },
      },
    }
  }
  return { '': { entityTypes, actions } }
}
