import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scoped } from '../../kit/database.ts'
import { type Person, type TestApp, openTestApp } from '../../../test/app.ts'

let app: TestApp
let tenant: string
let admin: Person
let creator: Person

beforeAll(async () => {
  app = await openTestApp({ work: false })
  tenant = await app.addTenant('policies')
  admin = await app.addPerson(tenant, 'admin@example.com', ['admin'])
  creator = await app.addPerson(tenant, 'creator@example.com', ['creator'])
})
afterAll(() => app.close())

const all = { principal: { op: 'All' }, action: { op: 'All' }, resource: { op: 'All' }, conditions: [] }
const resourceAttribute = (name: string) => ({ '.': { left: { Var: 'resource' }, attr: name } })
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
describe('policies', () => {
  test('that forbid win over every role', async () => {
    const project = await creator.call('POST', '/v1/projects', { title: 'Settled' })
    await withPolicy(
      'forbid(principal, action == Action::"projects.update", resource is Project) when { resource.title == "Settled" };',
      async () => {
        expect((await creator.request('PATCH', `/v1/projects/${project.id}`, { subtitle: 'x' })).body).toMatchObject({
          status: 403,
          permission: 'projects.update',
        })
        expect((await admin.request('PATCH', `/v1/projects/${project.id}`, { subtitle: 'x' })).status).toBe(403)
        expect((await creator.request('GET', `/v1/projects/${project.id}`)).status).toBe(200)
      },
    )
    expect((await creator.request('PATCH', `/v1/projects/${project.id}`, { subtitle: 'x' })).status).toBe(200)
  })

  test('that permit under conditions narrow what a role grants, and widen nothing', async () => {
    const project = await creator.call('POST', '/v1/projects', { title: 'Reviewed' })
    await withPolicy(
      'permit(principal in Role::"creator", action == Action::"projects.archive", resource) when { principal.hasTag("department") && principal.getTag("department") == "audio" };',
      async () => {
        expect((await creator.request('POST', `/v1/projects/${project.id}/archive`)).status).toBe(403)
        await admin.call('PATCH', `/v1/users/${creator.id}`, { attributes: { department: 'audio' } })
        expect((await creator.request('POST', `/v1/projects/${project.id}/archive`)).status).toBe(200)
        expect((await admin.request('POST', `/v1/projects/${project.id}/restore`)).status).toBe(200)
        expect(
          (await admin.request('POST', `/v1/projects/${project.id}/archive`)).status,
          'its head does not name administrators',
        ).toBe(200)
      },
    )
    await withPolicy('permit(principal, action, resource);', async () => {
      expect((await creator.request('GET', '/v1/users')).status).toBe(403)
    })
  })

  test('see owners, shares and what a thing lies in', async () => {
    const validator = await app.addPerson(tenant, 'validator@example.com', ['creator'])
    const project = await creator.call('POST', '/v1/projects', { title: 'Shared' })
    await scoped(app.kernel.pool, { tenant, user: creator.id, seesAll: false }, (tx) =>
      tx
        .insertInto('project_shares')
        .values({ project_id: project.id, user_id: validator.id, can_edit: true })
        .execute(),
    )
    await withPolicy(
      'permit(principal, action in [Action::"projects.update"], resource is Project) when { resource has owner && resource.owner == principal };',
      async () => {
        expect((await creator.request('PATCH', `/v1/projects/${project.id}`, { subtitle: 'x' })).status).toBe(200)
        expect((await validator.request('PATCH', `/v1/projects/${project.id}`, { subtitle: 'x' })).status).toBe(403)
      },
    )
    await withPolicy(
      'forbid(principal, action in Action::"changes", resource is Project) when { resource.can_edit.contains(principal) };',
      async () => {
        expect((await creator.request('PATCH', `/v1/projects/${project.id}`, { subtitle: 'x' })).status).toBe(200)
        expect((await validator.request('PATCH', `/v1/projects/${project.id}`, { subtitle: 'x' })).status).toBe(403)
      },
    )
    await withPolicy(
      `forbid(principal, action in Action::"packages.*", resource) when { resource in Project::"${project.id}" };`,
      async () => {
        expect((await creator.request('GET', `/v1/packages?project_id=${project.id}`)).status).toBe(403)
        expect((await creator.request('GET', '/v1/packages')).status).toBe(200)
      },
    )
  })

  test('see whose a thing is that does not say so itself', async () => {
    const key = await creator.call('POST', '/v1/api-keys', { name: 'mine', scopes: ['projects.list'] })
    const role = await admin.call('POST', '/v1/roles', { name: 'kept', permissions: [] })
    await admin.call('POST', '/v1/resource-ownership', {
      resource_type: 'roles',
      resource_id: role.id,
      owner_id: creator.id,
    })
    expect(
      (
        await admin.request('POST', '/v1/resource-ownership', {
          resource_type: 'projects',
          resource_id: role.id,
          owner_id: creator.id,
        })
      ).body.type,
    ).toContain('owned_already')
    expect(
      (
        await admin.request('POST', '/v1/resource-ownership', {
          resource_type: 'sessions',
          resource_id: crypto.randomUUID(),
          owner_id: creator.id,
        })
      ).status,
    ).toBe(404)
    await withPolicy(
      'forbid(principal, action == Action::"roles.get", resource) when { resource has owner && resource.owner != principal };',
      async () => {
        expect((await admin.request('GET', `/v1/roles/${role.id}`)).status).toBe(403)
      },
    )
    expect(key.key).toBeTruthy()
  })

  test('see how and when somebody comes', async () => {
    const key = await creator.call('POST', '/v1/api-keys', { name: 'key', scopes: ['projects.*'] })
    const byKey = () => fetch(`${app.url}/v1/projects`, { headers: { authorization: `Bearer ${key.key}` } })
    await withPolicy(
      'forbid(principal, action in Action::"reads", resource) when { context.via == "api_key" };',
      async () => {
        expect((await byKey()).status).toBe(403)
        expect((await creator.request('GET', '/v1/projects')).status).toBe(200)
      },
    )
    await withPolicy(
      'forbid(principal, action in Action::"projects.*", resource) when { context.now > datetime("2020-01-01T00:00:00Z") && context has address && context.address.isLoopback() };',
      async () => {
        expect((await creator.request('GET', '/v1/projects')).status).toBe(403)
      },
    )
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
    const refused = async (body: object) =>
      (await admin.request('POST', '/v1/access-control-policies', { name: 'wrong', ...body })).body
    expect(
      await refused({ policy_text: 'forbid(principal, action, resource is Project) when { resource.titel == "x" };' }),
    ).toMatchObject({
      status: 400,
      type: 'urn:voicepress:problem:invalid_policy',
      field: 'policy_definition',
      issues: [
        {
          excerpt: 'resource.titel',
          message: expect.stringContaining('titel'),
          help: expect.stringContaining('title'),
        },
      ],
    })
    expect(
      await refused({ policy_text: 'forbid(principal, action == Action::"projects.fly", resource);' }),
    ).toMatchObject({ status: 400, issues: [{ excerpt: 'Action::"projects.fly"' }] })
    expect(await refused({ policy_text: 'forbid(principal in Role::"editor", action, resource);' })).toMatchObject({
      status: 400,
      issues: [{ path: 'principal.entity', message: 'there is no role editor' }],
    })
    expect(await refused({ policy_text: 'forbid(principal, action,\n resource) when { 1 + };' })).toMatchObject({
      status: 400,
      line: 2,
    })
    expect(await refused({ policy_definition: { ...all, effect: 'forbit' } })).toMatchObject({
      status: 400,
      issues: [{ path: 'effect' }],
    })
    expect(
      await refused({
        policy_definition: {
          ...all,
          effect: 'forbid',
          conditions: [
            { kind: 'when', body: { '==': { left: resourceAttribute('title'), right: { Var: 'resorce' } } } },
          ],
        },
      }),
    ).toMatchObject({
      status: 400,
      issues: [{ path: expect.stringContaining('conditions[0].body'), message: expect.stringContaining('resorce') }],
    })
    expect(await refused({})).toMatchObject({ status: 400, field: 'policy_definition' })
    let deep: object = { Value: true }
    for (let depth = 0; depth < 500; depth++) deep = { '!': { arg: deep } }
    expect(
      await refused({ policy_definition: { ...all, effect: 'forbid', conditions: [{ kind: 'when', body: deep }] } }),
    ).toMatchObject({ status: 400, detail: expect.stringContaining('nested') })
  })

  test('are judged by a schema of everything declared', async () => {
    const { text, schema } = await admin.call('GET', '/v1/access-control-policies/schema')
    const types = [...app.kernel.services.authorization.resources.values()].map(({ type }) => type)
    expect(types.length).toBe(new Set(types).size)
    expect(text).toContain('entity Project')
    expect(Object.keys(schema[''].actions)).toEqual(
      expect.arrayContaining(['projects.archive', 'projects.*', 'reads', 'changes']),
    )
    expect(Object.keys(schema[''].entityTypes.Project.shape.attributes)).not.toContain('manuscript_blob')
  })

  test('that cannot be evaluated refuse', async () => {
    await scoped(app.kernel.pool, { tenant, user: null, seesAll: true }, (tx) =>
      tx
        .insertInto('access_control_policies')
        .values({ name: 'unreadable', policy_definition: {} as never })
        .execute(),
    )
    app.kernel.services.authorization.forget(tenant)
    expect((await creator.request('GET', '/v1/projects')).status).toBe(403)
    const [{ id }] = (await admin.call('GET', '/v1/access-control-policies')).items
    await admin.call('DELETE', `/v1/access-control-policies/${id}`)
    expect((await creator.request('GET', '/v1/projects')).status).toBe(200)
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
