import { hashOf } from '../../kit/hash.ts'
import type { AnyOperation } from '../../kit/operation.ts'
import { roleDescriptions, rolePermissions } from './roles.ts'
import { withOwner } from './with-owner.ts'

/** Writes down what this version can do and what its roles grant, in every tenant, when that has changed. */
export async function synchronizePermissions(ownerUrl: string, operations: Iterable<AnyOperation>): Promise<void> {
  const permissions = [...operations].map(({ name, summary, public: isPublic = false }) => {
    const [resource_type = '', action = ''] = name.split('.')
    return { name, resource_type, action, description: summary, is_public: isPublic }
  })
  const roles = Object.entries(rolePermissions).map(([name, granted]) => ({
    name,
    description: roleDescriptions[name] ?? '',
    permissions: granted,
  }))
  const wanted = [JSON.stringify(permissions), JSON.stringify(roles)] as const
  await withOwner(ownerUrl, (client) =>
    client.query('select synchronize_permissions($1, $2, $3)', [...wanted, hashOf(wanted.join('\n'))]),
  )
}
