import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scoped } from '../../kit/database.ts'
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

const all = { principal: { op: 'All' }, action: { op: 'All' }, resource: { op: 'All' }, conditions: [] }
const resourceAttribute = (name: string) => ({ '.': { left: { Var: 'resource' }, attr: name } })
const addPolicy = (name: string, policy: string, by = admin) => by.call('POST', '/v1/access-control-policies', { name, policy_text: policy })
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
  admin.call('GET', `/v1/authorization/simulate?user_id=${user.id}&operation=${operation}${resource ? `&resource_id=${resource}` : ''}`)

describe('roles', () => {
  test('every tenant begins with those of the system, which nobody changes', async () => {
    const { items } = await admin.call('GET', '/v1/roles')
    expect(items.map(({ name }: { name: string }) => name).sort()).toEqual(['admin', 'analyst', 'creator', 'manager', 'validator', 'viewer'])
    const manager = items.find(({ name }: { name: string }) => name === 'manager')
    expect(manager).toMatchObject({ is_system: true, permissions: expect.arrayContaining(['projects.*']) })
    expect((await admin.request('PATCH', `/v1/roles/${manager.id}`, { permissions: ['*'] })).body.type).toContain('system_role')
    expect((await admin.request('DELETE', `/v1/roles/${manager.id}`)).status).toBe(409)
  })

  test('of a tenant grant operations and patterns, at once, to whoever has them', async () => {
    const role = await admin.call('POST', '/v1/roles', { name: 'listener', description: 'Listens', permissions: ['projects.list', 'me.*'] })
    const person = await app.addPerson(tenant, 'listener@example.com', ['listener'])
    expect((await person.request('GET', '/v1/projects')).status).toBe(200)
    expect((await person.request('POST', '/v1/projects', { title: 'x' })).status).toBe(403)
    await admin.call('PATCH', `/v1/roles/${role.id}`, { permissions: ['projects.*', 'me.*'] })
    expect((await person.request('POST', '/v1/projects', { title: 'x' })).status).toBe(200)
    expect(await person.call('GET', '/v1/me')).toMatchObject({ roles: ['listener'], permissions: ['me.*', 'projects.*'] })
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
    expect((await admin.request('POST', '/v1/users', { email: 'x@example.com', password: testPassword, roles: ['editor'] })).body).toMatchObject({ status: 400, field: 'roles', detail: expect.stringContaining('there is no role editor') })
    expect((await admin.request('POST', '/v1/roles', { name: 'broken', permissions: ['projects.fly'] })).body).toMatchObject({ status: 400, permission: 'projects.fly' })
  })

  test('cannot be made or given to hold more than their giver does', async () => {
    await admin.call('POST', '/v1/roles', { name: 'personnel', permissions: ['users.*', 'roles.*', 'user_roles.*', 'projects.list'] })
    const personnel = await app.addPerson(tenant, 'personnel@example.com', ['personnel'])
    expect((await personnel.request('POST', '/v1/roles', { name: 'wider', permissions: ['projects.*'] })).body).toMatchObject({ status: 403, permission: 'projects.*' })
    expect((await personnel.request('POST', '/v1/user-roles', { user_id: personnel.id, role: 'admin' })).status).toBe(403)
    expect((await personnel.request('PATCH', `/v1/users/${personnel.id}`, { roles: ['personnel', 'creator'] })).status).toBe(403)
    const made = await personnel.call('POST', '/v1/roles', { name: 'narrower', permissions: ['projects.list'] })
    expect((await personnel.request('PATCH', `/v1/roles/${made.id}`, { permissions: ['projects.list', 'costs.*'] })).status).toBe(403)
  })

  test('keep one administrator, whichever way one would go', async () => {
    const { items } = await admin.call('GET', `/v1/user-roles?user_id=${admin.id}`)
    await admin.call('POST', '/v1/user-roles', { user_id: admin.id, role: 'viewer' })
    expect((await admin.request('DELETE', `/v1/user-roles/${items[0].id}`)).body.type).toContain('last_administrator')
  })

  test('list what can be granted', async () => {
    const { items } = await admin.call('GET', '/v1/permissions')
    expect(items).toContainEqual({ name: 'projects.archive', resource_type: 'projects', action: 'archive', description: expect.any(String) })
    expect(items.map(({ name }: { name: string }) => name)).not.toContain('sessions.create')
  })
})

describe('policies', () => {
  test('that forbid win over every role', async () => {
    const project = await creator.call('POST', '/v1/projects', { title: 'Settled' })
    await withPolicy('forbid(principal, action == Action::"projects.update", resource is Project) when { resource.title == "Settled" };', async () => {
      expect((await creator.request('PATCH', `/v1/projects/${project.id}`, { subtitle: 'x' })).body).toMatchObject({ status: 403, permission: 'projects.update' })
      expect((await admin.request('PATCH', `/v1/projects/${project.id}`, { subtitle: 'x' })).status).toBe(403)
      expect((await creator.request('GET', `/v1/projects/${project.id}`)).status).toBe(200)
    })
    expect((await creator.request('PATCH', `/v1/projects/${project.id}`, { subtitle: 'x' })).status).toBe(200)
  })

  test('that permit under conditions narrow what a role grants, and widen nothing', async () => {
    const project = await creator.call('POST', '/v1/projects', { title: 'Reviewed' })
    await withPolicy('permit(principal in Role::"creator", action == Action::"projects.archive", resource) when { principal.hasTag("department") && principal.getTag("department") == "audio" };', async () => {
      expect((await creator.request('POST', `/v1/projects/${project.id}/archive`)).status).toBe(403)
      await admin.call('PATCH', `/v1/users/${creator.id}`, { attributes: { department: 'audio' } })
      expect((await creator.request('POST', `/v1/projects/${project.id}/archive`)).status).toBe(200)
      expect((await admin.request('POST', `/v1/projects/${project.id}/restore`)).status).toBe(200)
      expect((await admin.request('POST', `/v1/projects/${project.id}/archive`)).status, 'its head does not name administrators').toBe(200)
    })
    await withPolicy('permit(principal, action, resource);', async () => {
      expect((await creator.request('GET', '/v1/users')).status).toBe(403)
    })
  })

  test('see owners, shares and what a thing lies in', async () => {
    const validator = await app.addPerson(tenant, 'validator@example.com', ['creator'])
    const project = await creator.call('POST', '/v1/projects', { title: 'Shared' })
    await scoped(app.kernel.pool, { tenant, user: creator.id, seesAll: false }, (tx) => tx.insertInto('project_shares').values({ project_id: project.id, user_id: validator.id, can_edit: true }).execute())
    await withPolicy('permit(principal, action in [Action::"projects.update"], resource is Project) when { resource has owner && resource.owner == principal };', async () => {
      expect((await creator.request('PATCH', `/v1/projects/${project.id}`, { subtitle: 'x' })).status).toBe(200)
      expect((await validator.request('PATCH', `/v1/projects/${project.id}`, { subtitle: 'x' })).status).toBe(403)
    })
    await withPolicy('forbid(principal, action in Action::"changes", resource is Project) when { resource.can_edit.contains(principal) };', async () => {
      expect((await creator.request('PATCH', `/v1/projects/${project.id}`, { subtitle: 'x' })).status).toBe(200)
      expect((await validator.request('PATCH', `/v1/projects/${project.id}`, { subtitle: 'x' })).status).toBe(403)
    })
    await withPolicy(`forbid(principal, action in Action::"packages.*", resource) when { resource in Project::"${project.id}" };`, async () => {
      expect((await creator.request('GET', `/v1/packages?project_id=${project.id}`)).status).toBe(403)
      expect((await creator.request('GET', '/v1/packages')).status).toBe(200)
    })
  })

  test('see whose a thing is that does not say so itself', async () => {
    const key = await creator.call('POST', '/v1/api-keys', { name: 'mine', scopes: ['projects.list'] })
    const role = await admin.call('POST', '/v1/roles', { name: 'kept', permissions: [] })
    await admin.call('POST', '/v1/resource-ownership', { resource_type: 'roles', resource_id: role.id, owner_id: creator.id })
    expect((await admin.request('POST', '/v1/resource-ownership', { resource_type: 'projects', resource_id: role.id, owner_id: creator.id })).body.type).toContain('owned_already')
    expect((await admin.request('POST', '/v1/resource-ownership', { resource_type: 'sessions', resource_id: crypto.randomUUID(), owner_id: creator.id })).status).toBe(404)
    await withPolicy('forbid(principal, action == Action::"roles.get", resource) when { resource has owner && resource.owner != principal };', async () => {
      expect((await admin.request('GET', `/v1/roles/${role.id}`)).status).toBe(403)
    })
    expect(key.key).toBeTruthy()
  })

  test('see how and when somebody comes', async () => {
    const key = await creator.call('POST', '/v1/api-keys', { name: 'key', scopes: ['projects.*'] })
    const byKey = () => fetch(`${app.url}/v1/projects`, { headers: { authorization: `Bearer ${key.key}` } })
    await withPolicy('forbid(principal, action in Action::"reads", resource) when { context.via == "api_key" };', async () => {
      expect((await byKey()).status).toBe(403)
      expect((await creator.request('GET', '/v1/projects')).status).toBe(200)
    })
    await withPolicy('forbid(principal, action in Action::"projects.*", resource) when { context.now > datetime("2020-01-01T00:00:00Z") && context has address && context.address.isLoopback() };', async () => {
      expect((await creator.request('GET', '/v1/projects')).status).toBe(403)
    })
    expect((await byKey()).status).toBe(200)
  })

  test('cannot shut out the administrator who would undo them', async () => {
    await withPolicy('forbid(principal, action, resource);', async () => {
      expect((await admin.request('GET', '/v1/projects')).status).toBe(403)
      expect((await admin.request('GET', '/v1/access-control-policies')).status).toBe(200)
    })
    expect((await admin.request('GET', '/v1/projects')).status).toBe(200)
  })

  test('that are wrong are refused with the place', async () => {
    const refused = async (body: object) => (await admin.request('POST', '/v1/access-control-policies', { name: 'wrong', ...body })).body
    expect(await refused({ policy_text: 'forbid(principal, action, resource is Project) when { resource.titel == "x" };' })).toMatchObject({
      status: 400, type: 'urn:voicepress:problem:invalid_policy', field: 'policy_definition', issues: [{ excerpt: 'resource.titel', message: expect.stringContaining('titel'), help: expect.stringContaining('title') }],
    })
    expect(await refused({ policy_text: 'forbid(principal, action == Action::"projects.fly", resource);' })).toMatchObject({ status: 400, issues: [{ excerpt: 'Action::"projects.fly"' }] })
    expect(await refused({ policy_text: 'forbid(principal in Role::"editor", action, resource);' })).toMatchObject({ status: 400, issues: [{ path: 'principal.entity', message: 'there is no role editor' }] })
    expect(await refused({ policy_text: 'forbid(principal, action,\n resource) when { 1 + };' })).toMatchObject({ status: 400, line: 2 })
    expect(await refused({ policy_definition: { ...all, effect: 'forbit' } })).toMatchObject({ status: 400, issues: [{ path: 'effect' }] })
    expect(await refused({ policy_definition: { ...all, effect: 'forbid', conditions: [{ kind: 'when', body: { '==': { left: resourceAttribute('title'), right: { Var: 'resorce' } } } }] } })).toMatchObject({ status: 400, issues: [{ path: expect.stringContaining('conditions[0].body'), message: expect.stringContaining('resorce') }] })
    expect(await refused({})).toMatchObject({ status: 400, field: 'policy_definition' })
    let deep: object = { Value: true }
    for (let depth = 0; depth < 500; depth++) deep = { '!': { arg: deep } }
    expect(await refused({ policy_definition: { ...all, effect: 'forbid', conditions: [{ kind: 'when', body: deep }] } })).toMatchObject({ status: 400, detail: expect.stringContaining('nested') })
  })

  test('are judged by a schema of everything declared', async () => {
    const { text, schema } = await admin.call('GET', '/v1/access-control-policies/schema')
    expect(text).toContain('entity Project')
    expect(Object.keys(schema[''].actions)).toEqual(expect.arrayContaining(['projects.archive', 'projects.*', 'reads', 'changes']))
    expect(Object.keys(schema[''].entityTypes.Project.shape.attributes)).not.toContain('manuscript_blob')
  })

  test('of another tenant are not seen and do not hold', async () => {
    const stranger = await app.addPerson(await app.addTenant('elsewhere'), 'stranger@example.com', ['admin'])
    const { id } = await addPolicy('closed', 'forbid(principal, action in Action::"projects.*", resource);')
    expect((await stranger.request('GET', '/v1/projects')).status).toBe(200)
    expect((await stranger.call('GET', '/v1/access-control-policies')).items).toEqual([])
    expect((await stranger.request('DELETE', `/v1/access-control-policies/${id}`)).status).toBe(404)
    await admin.call('PATCH', `/v1/access-control-policies/${id}`, { enabled: false })
    expect((await admin.request('GET', '/v1/projects')).status).toBe(200)
    await admin.call('DELETE', `/v1/access-control-policies/${id}`)
  })
})

describe('the simulator', () => {
  test('says which rule decides', async () => {
    const project = await creator.call('POST', '/v1/projects', { title: 'Simulated' })
    expect(await simulate(creator, 'users.list')).toMatchObject({ allowed: false, decided_by: 'role' })
    expect(await simulate(creator, 'projects.update', project.id)).toMatchObject({ allowed: true, decided_by: 'role', roles: [{ role: 'creator', permission: 'projects.*' }] })
    const viewer = await app.addPerson(tenant, 'simulated@example.com', ['creator'])
    expect(await simulate(viewer, 'projects.update', project.id)).toMatchObject({ allowed: false, decided_by: 'visibility', resource: { visible: false } })
    await withPolicy('forbid(principal, action == Action::"projects.update", resource) when { resource.title like "Sim*" };', async () => {
      const decision = await simulate(creator, 'projects.update', project.id)
      expect(decision).toMatchObject({ allowed: false, decided_by: 'policy', policies: [{ effect: 'forbid', outcome: 'forbids' }] })
      expect(decision.explanation).toContain(decision.policies[0].name)
    })
    expect(await simulate(creator, 'sessions.create')).toMatchObject({ allowed: true, decided_by: 'public' })
    expect((await creator.request('GET', `/v1/authorization/simulate?user_id=${creator.id}&operation=users.list`)).status).toBe(403)
  })
})

describe('the access log', () => {
  test('tells administrators what was refused, and what was granted of what is delicate', async () => {
    const project = await creator.call('POST', '/v1/projects', { title: 'Logged' })
    await creator.request('GET', '/v1/users')
    await withPolicy('forbid(principal, action == Action::"projects.get", resource);', () => creator.request('GET', `/v1/projects/${project.id}`))
    await app.kernel.services.authorization.log.flush()
    const { items } = await admin.call('GET', `/v1/access-logs?user_id=${creator.id}&allowed=false&limit=200`)
    expect(items).toContainEqual(expect.objectContaining({ action: 'users.list', reason: 'no role grants users.list', ip_address: '127.0.0.1' }))
    expect(items).toContainEqual(expect.objectContaining({ action: 'projects.get', resource_type: 'projects', resource_id: project.id, reason: expect.stringContaining('forbids') }))
    const granted = await admin.call('GET', `/v1/access-logs?user_id=${admin.id}&action=access_control_policies.create`)
    expect(granted.items[0]).toMatchObject({ allowed: true, reason: 'role admin, viewer' })
  })
})
