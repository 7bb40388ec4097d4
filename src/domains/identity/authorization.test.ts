import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { covers, rolePermissions } from './roles.ts'
import { type Person, type TestApp, openTestApp, testPassword } from '../../../test/app.ts'

let app: TestApp
let tenant: string
let admin: Person
let creator: Person

beforeAll(async () => {
  app = await openTestApp({ work: false })
  tenant = await app.addTenant('rules')
  admin = await app.addPerson(tenant, 'admin@example.com', ['admin'])
  creator = await app.addPerson(tenant, 'creator@example.com', ['creator'])
})
afterAll(() => app.close())

const addPolicy = (name: string, policy: string, by = admin) =>
  by.call('POST', '/v1/access-control-policies', { name, policy_text: policy })
/** With a policy that is taken away again. */
async function withPolicy<T>(policy: string, work: () => Promise<T>): Promise<T> {
  const { id } = await addPolicy(`policy ${crypto.randomUUID()}`, policy)
  try {
    return await work()
  } finally {
    await admin.call('DELETE', `/v1/access-control-policies/${id}`)
  }
}
const simulate = (user: Person, operation: string, resource?: string) =>
  admin.call(
    'GET',
    `/v1/authorization/simulate?user_id=${user.id}&operation=${operation}${resource ? `&resource_id=${resource}` : ''}`,
  )

describe('roles', () => {
  test('every tenant begins with those of the system, which nobody changes', async () => {
    const { items } = await admin.call('GET', '/v1/roles')
    expect(items.map(({ name }: { name: string }) => name).sort()).toEqual([
      'admin',
      'analyst',
      'creator',
      'manager',
      'validator',
      'viewer',
    ])
    const manager = items.find(({ name }: { name: string }) => name === 'manager')
    expect(manager).toMatchObject({ is_system: true, permissions: expect.arrayContaining(['projects.*']) })
    expect((await admin.request('PATCH', `/v1/roles/${manager.id}`, { permissions: ['*'] })).body.type).toContain(
      'system_role',
    )
    expect((await admin.request('DELETE', `/v1/roles/${manager.id}`)).status).toBe(409)
  })

  test('of a tenant grant operations and patterns, at once, to whoever has them', async () => {
    const role = await admin.call('POST', '/v1/roles', {
      name: 'listener',
      description: 'Listens',
      permissions: ['projects.list', 'me.*'],
    })
    const person = await app.addPerson(tenant, 'listener@example.com', ['listener'])
    expect((await person.request('GET', '/v1/projects')).status).toBe(200)
    expect((await person.request('POST', '/v1/projects', { title: 'x' })).status).toBe(403)
    await admin.call('PATCH', `/v1/roles/${role.id}`, { permissions: ['projects.*', 'me.*'] })
    expect((await person.request('POST', '/v1/projects', { title: 'x' })).status).toBe(200)
    expect(await person.call('GET', '/v1/me')).toMatchObject({
      roles: ['listener'],
      permissions: ['me.*', 'projects.*'],
    })
    expect((await admin.request('DELETE', `/v1/roles/${role.id}`)).body).toMatchObject({ status: 409, people: 1 })
  })

  test('are given and taken one by one, and the user row names them', async () => {
    const person = await app.addPerson(tenant, 'several@example.com', ['viewer'])
    const given = await admin.call('POST', '/v1/user-roles', { user_id: person.id, role: 'analyst' })
    expect((await admin.call('GET', `/v1/users/${person.id}`)).roles.sort()).toEqual(['analyst', 'viewer'])
    expect((await person.request('GET', '/v1/costs')).status).toBe(200)
    await admin.call('DELETE', `/v1/user-roles/${given.id}`)
    expect((await admin.call('GET', `/v1/users/${person.id}`)).roles).toEqual(['viewer'])
    expect((await person.request('GET', '/v1/costs')).status).toBe(403)
    await admin.call('PATCH', `/v1/users/${person.id}`, { roles: ['creator', 'validator'] })
    const { items } = await admin.call('GET', `/v1/user-roles?user_id=${person.id}`)
    expect(items).toHaveLength(2)
    await admin.call('DELETE', `/v1/user-roles/${items[0].id}`)
    expect((await admin.request('DELETE', `/v1/user-roles/${items[1].id}`)).body.type).toContain('last_role')
  })

  test('that do not exist, and permissions that do not, are named', async () => {
    expect(
      (await admin.request('POST', '/v1/users', { email: 'x@example.com', password: testPassword, roles: ['editor'] }))
        .body,
    ).toMatchObject({ status: 400, field: 'roles', detail: expect.stringContaining('there is no role editor') })
    expect(
      (await admin.request('POST', '/v1/roles', { name: 'broken', permissions: ['projects.fly'] })).body,
    ).toMatchObject({ status: 400, permission: 'projects.fly' })
  })

  test('cannot be made or given to hold more than their giver does', async () => {
    await admin.call('POST', '/v1/roles', {
      name: 'personnel',
      permissions: ['users.*', 'roles.*', 'user_roles.*', 'projects.list'],
    })
    const personnel = await app.addPerson(tenant, 'personnel@example.com', ['personnel'])
    expect(
      (await personnel.request('POST', '/v1/roles', { name: 'wider', permissions: ['projects.*'] })).body,
    ).toMatchObject({ status: 403, permission: 'projects.*' })
    expect((await personnel.request('POST', '/v1/user-roles', { user_id: personnel.id, role: 'admin' })).status).toBe(
      403,
    )
    expect(
      (await personnel.request('PATCH', `/v1/users/${personnel.id}`, { roles: ['personnel', 'creator'] })).status,
    ).toBe(403)
    const made = await personnel.call('POST', '/v1/roles', { name: 'narrower', permissions: ['projects.list'] })
    expect(
      (await personnel.request('PATCH', `/v1/roles/${made.id}`, { permissions: ['projects.list', 'costs.*'] })).status,
    ).toBe(403)
  })

  test('keep one administrator, whichever way one would go', async () => {
    const { items } = await admin.call('GET', `/v1/user-roles?user_id=${admin.id}`)
    await admin.call('POST', '/v1/user-roles', { user_id: admin.id, role: 'viewer' })
    expect((await admin.request('DELETE', `/v1/user-roles/${items[0].id}`)).body.type).toContain('last_administrator')
  })

  test('keep one of two administrators who take it from each other at once', async () => {
    const other = await app.addTenant('duel')
    const [one, two] = await Promise.all(
      ['one', 'two'].map((name) => app.addPerson(other, `${name}@example.com`, ['admin'])),
    )
    const replies = await Promise.all([
      one!.request('PATCH', `/v1/users/${two!.id}`, { roles: ['viewer'] }),
      two!.request('PATCH', `/v1/users/${one!.id}`, { roles: ['viewer'] }),
    ])
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409])
  })

  test('of the system but the administrator do not decide who may do what', () => {
    const deciding = /^(roles|user_roles|access_control_policies|resource_ownership|access_logs|authorization)\./
    const names = [...app.kernel.operations.keys()].filter((name) => deciding.test(name))
    expect(names.length).toBeGreaterThan(15)
    const granted = Object.entries(rolePermissions).flatMap(([role, patterns]) => (role === 'admin' ? [] : patterns))
    expect(names.filter((name) => granted.some((pattern) => covers(pattern, name)))).toEqual([])
  })

  test('list what can be granted', async () => {
    const { items } = await admin.call('GET', '/v1/permissions')
    expect(items).toContainEqual({
      name: 'projects.archive',
      resource_type: 'projects',
      action: 'archive',
      description: expect.any(String),
    })
    expect(items.map(({ name }: { name: string }) => name)).not.toContain('sessions.create')
  })
})

describe('the simulator', () => {
  test('says which rule decides', async () => {
    const project = await creator.call('POST', '/v1/projects', { title: 'Simulated' })
    expect(await simulate(creator, 'users.list')).toMatchObject({ allowed: false, decided_by: 'role' })
    expect(await simulate(creator, 'projects.update', project.id)).toMatchObject({
      allowed: true,
      decided_by: 'role',
      roles: [{ role: 'creator', permission: 'projects.*' }],
    })
    const viewer = await app.addPerson(tenant, 'simulated@example.com', ['creator'])
    expect(await simulate(viewer, 'projects.update', project.id)).toMatchObject({
      allowed: false,
      decided_by: 'visibility',
      resource: { visible: false },
    })
    await withPolicy(
      'forbid(principal, action == Action::"projects.update", resource) when { resource.title like "Sim*" };',
      async () => {
        const decision = await simulate(creator, 'projects.update', project.id)
        expect(decision).toMatchObject({
          allowed: false,
          decided_by: 'policy',
          policies: [{ effect: 'forbid', outcome: 'forbids' }],
        })
        expect(decision.explanation).toContain(decision.policies[0].name)
      },
    )
    expect(await simulate(creator, 'sessions.create')).toMatchObject({ allowed: true, decided_by: 'public' })
    expect(
      (await creator.request('GET', `/v1/authorization/simulate?user_id=${creator.id}&operation=users.list`)).status,
    ).toBe(403)
  })
})

describe('the access log', () => {
  test('tells administrators what was refused, and what was granted of what is delicate', async () => {
    const project = await creator.call('POST', '/v1/projects', { title: 'Logged' })
    await creator.request('GET', '/v1/users')
    await withPolicy('forbid(principal, action == Action::"projects.get", resource);', () =>
      creator.request('GET', `/v1/projects/${project.id}`),
    )
    await app.kernel.services.authorization.log.flush()
    const { items } = await admin.call('GET', `/v1/access-logs?user_id=${creator.id}&allowed=false&limit=200`)
    expect(items).toContainEqual(
      expect.objectContaining({ action: 'users.list', reason: 'no role grants users.list', ip_address: '127.0.0.1' }),
    )
    expect(items).toContainEqual(
      expect.objectContaining({
        action: 'projects.get',
        resource_type: 'projects',
        resource_id: project.id,
        reason: expect.stringContaining('forbids'),
      }),
    )
    const granted = await admin.call('GET', `/v1/access-logs?user_id=${admin.id}&action=access_control_policies.create`)
    expect(granted.items[0]).toMatchObject({ allowed: true, reason: 'role admin, viewer' })
  })
})
