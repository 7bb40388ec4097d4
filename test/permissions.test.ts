import { expect, test } from 'vitest'
import { domains } from '../src/app.ts'
import { covers, rolePermissions } from '../src/domains/identity/roles.ts'
import type { AnyOperation } from '../src/kit/operation.ts'

const operations = domains
  .flatMap((domain) => domain.operations.flatMap((room) => Object.values<AnyOperation>(room)))
  .toSorted((a, b) => (a.name < b.name ? -1 : 1))
const roles = Object.keys(rolePermissions)
const may = (role: string, name: string): boolean =>
  (rolePermissions[role] ?? []).some((pattern) => covers(pattern, name))

/** A line an operation, a column a role: x may, · may not, and what everybody may. */
function matrix(): string {
  const width = Math.max(...operations.map(({ name }) => name.length)) + 2
  const lines = operations.map(
    (operation) =>
      operation.name.padEnd(width) +
      (operation.public
        ? 'public'
        : roles
            .map((role) => (may(role, operation.name) ? 'x' : '·').padEnd(role.length + 2))
            .join('')
            .trimEnd()),
  )
  return `${[''.padEnd(width) + roles.join('  '), ...lines].join('\n')}\n`
}

test('who may do what is what was reviewed', async () => {
  await expect(matrix()).toMatchFileSnapshot('permissions.snapshot')
})

test('operations have names of their own', () => {
  const names = operations.map(({ name }) => name)
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
})

test('only administrators decide who may do what', () => {
  const deciding = operations.filter(({ name }) =>
    /^(roles|user_roles|access_control_policies|resource_ownership|access_logs|authorization)\./.test(name),
  )
  expect(deciding.length).toBeGreaterThan(15)
  for (const { name } of deciding)
    expect
      .soft(
        roles.filter((role) => may(role, name)),
        name,
      )
      .toEqual(['admin'])
})
