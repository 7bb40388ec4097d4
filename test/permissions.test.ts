import { afterAll, beforeAll, expect, test } from 'vitest'
import { domains } from '../src/app.ts'
import { rolePermissions } from '../src/domains/identity/roles.ts'
import { type Principal, mayRun } from '../src/kit/operation.ts'
import { type TestApp, openTestApp } from './app.ts'

let app: TestApp
beforeAll(async () => {
  app = await openTestApp({ work: false })
})
afterAll(() => app.close())

const roles = Object.keys(rolePermissions)
const holder = (role: string): Principal => ({
  tenant: '',
  user: null,
  email: null,
  roles: [role],
  permissions: [...(rolePermissions[role] ?? [])],
  seesAll: false,
  via: 'session',
  credential: null,
})

test('who may do what is as it is written down', async () => {
  const operations = [...app.kernel.operations.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const width = Math.max(...operations.map(({ name }) => name.length)) + 2
  const row = (name: string, cells: string[]) =>
    `${name.padEnd(width)}${cells.map((cell, index) => cell.padEnd((roles[index] ?? 'anyone').length + 2)).join('')}`.trimEnd()
  const lines = operations.map((operation) =>
    row(operation.name, [
      ...roles.map((role) => (operation.public || mayRun(holder(role), operation.name) ? 'yes' : '·')),
      operation.public ? 'yes' : '·',
    ]),
  )
  const table = [row('', [...roles, 'anyone']), ...lines, ''].join('\n')
  // After a change that is meant: npx vitest run --project unit test/permissions.test.ts --update
  await expect(table).toMatchFileSnapshot('permissions.snapshot')
})

test('every role grants operations that there are', () => {
  const names = [...app.kernel.operations.keys()]
  const grants = Object.entries(rolePermissions).flatMap(([role, granted]) => granted.map((name) => ({ role, name })))
  expect(
    grants.filter(({ name }) => !names.some((operation) => mayRun({ ...holder(''), permissions: [name] }, operation))),
  ).toEqual([])
})

const endsItsSession = ['sessions.remove', 'me.sign_out_everywhere']

test('the door opens to those who may, and to nobody else', async () => {
  for (const role of roles) {
    const person = await app.addPerson(app.admin.tenant, `${role}@roles.example.com`, [role])
    for (const { name, method, path, public: isPublic } of app.kernel.operations.values()) {
      if (isPublic || endsItsSession.includes(name)) continue
      const reply = await app.http.inject({
        method,
        url: path.replaceAll(/:[a-z_]+/g, crypto.randomUUID()),
        headers: { authorization: `Bearer ${person.token}` },
      })
      const refused = reply.statusCode === 403 && reply.json().permission === name
      expect.soft(refused, `${role} ${name}: ${reply.statusCode}`).toBe(!mayRun(holder(role), name))
    }
  }
})

test('operations have names of their own', () => {
  const names = domains.flatMap((domain) =>
    domain.operations.flatMap((room) => Object.values(room).map(({ name }) => name)),
  )
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
})
