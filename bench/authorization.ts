import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { openApp } from '../src/app.ts'
import { defaultTenant } from '../src/domains/identity/authenticate.ts'
import { hashToken, makeToken } from '../src/domains/identity/tokens.ts'
import { scoped } from '../src/kit/database.ts'
import { closeKernel } from '../src/kit/kernel.ts'
import type { AnyOperation, Principal } from '../src/kit/operation.ts'
import { startServer } from '../src/server.ts'

const many = 1_000
const rounds = 600

const turns = [
  ['bare', 'known', 'looked'],
  ['looked', 'bare', 'known'],
  ['known', 'looked', 'bare'],
] as const satisfies unknown[]

type App = Awaited<ReturnType<typeof openApp>>

/**
 * What it costs to ask roles and policies: decisions a second with 1,000 roles and 1,000 policies, and what that adds to a request, against the same
 * request that nobody judges. In turns, in one run; ratios of medians.
 */
export async function run(): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), 'voicepress-bench-'))
  const app = await openApp({
    environment: {
      VOICEPRESS_DATA: data,
      VOICEPRESS_PORT: '0',
      VOICEPRESS_LOG_LEVEL: 'silent',
      VOICEPRESS_RATE_LIMITS: 'false',
    },
  })
  const owner = new pg.Client({ connectionString: app.kernel.urls.owner })
  await owner.connect()
  try {
    const { url } = await startServer(app)
    const asking = await fill(owner)
    const judged = app.kernel.services.authorizer
    const measure = async (title: string) => {
      app.kernel.services.authorization.forget(defaultTenant)
      const times = { bare: [] as number[], known: [] as number[], looked: [] as number[] }
      for (let round = 0; round < rounds + 50; round++) {
        const one = { bare: 0, known: 0, looked: 0 }
        // Each takes each place as often.
        for (const which of turns[round % turns.length] as readonly (keyof typeof one)[]) {
          app.kernel.services.authorizer = which === 'bare' ? undefined : judged
          if (which === 'looked') judged?.changed(defaultTenant)
          one[which] = await request(`${url}/v1/projects/${asking.project}`, asking.token)
        }
        // The first ones warm up what is compiled and parsed once.
        if (round < 50) continue
        times.bare.push(one.bare)
        times.known.push(one.known - one.bare)
        times.looked.push(one.looked - one.bare)
      }
      const bare = median(times.bare)
      const added = (of: number[]): string =>
        `${median(of).toFixed(3)} ms ${((median(of) / bare) * 100).toFixed(1).padStart(5)} %`.padStart(20)
      console.log(`${title.padEnd(62)}${bare.toFixed(3).padStart(8)} ms${added(times.known)}${added(times.looked)}`)
    }
    console.log(
      `GET /v1/projects/:id, ${rounds} in turns                             not judged        judged adds    after a change adds`,
    )
    await measure('no policies')
    await addPolicies(owner, (index) => ({
      role: `role-${index}`,
      action: ['projects.*', 'packages.*', 'jobs.*', 'costs.*', 'users.*'][index % 5] as string,
    }))
    await measure(`${many} policies of ${many} roles, of which one speaks about it`)
    await decide(app, asking, `${many} policies of ${many} roles, of which one speaks about it`)
    await owner.query('delete from access_control_policies')
    await addPolicies(owner, (index) => ({
      role: `role-${index % 50}`,
      action: ['projects.*', 'packages.*', 'jobs.*', 'costs.*', 'users.*'][index % 5] as string,
    }))
    await measure(`${many} policies of 50 roles, of which 20 speak about it`)
    await decide(app, asking, `${many} policies of 50 roles, of which 20 speak about it`)
    await owner.query('delete from access_control_policies')
    await addPolicies(owner, () => ({ role: null, action: 'projects.*' }))
    await measure(`${many} policies, every one of which speaks about it`)
    await decide(app, asking, `${many} policies, every one of which speaks about it`)
  } finally {
    await owner.end()
    await closeKernel(app.kernel)
    await rm(data, { recursive: true, force: true })
  }
}

interface Asking {
  user: string
  project: string
  token: string
}

/** A thousand roles, of which somebody has one. */
async function fill(owner: pg.Client): Promise<Asking> {
  const asking = { user: crypto.randomUUID(), project: crypto.randomUUID(), token: makeToken('vs') }
  await owner.query(`begin; select set_tenant_context('${defaultTenant}', null, true)`)
  await owner.query(`insert into roles (name) select 'role-' || i from generate_series(0, ${many - 1}) i`)
  await owner.query(
    `insert into role_permissions (role_id, permission) select id, p from roles cross join unnest('{projects.*,packages.*,jobs.*,costs.*,me.*}'::text[]) p where name like 'role-%'`,
  )
  await owner.query(`insert into users (id, email, roles) values ($1, 'bench@example.com', '{role-0}')`, [asking.user])
  await owner.query(
    `insert into sessions (user_id, token_hash, expires_at) values ($1, $2, now() + interval '1 day')`,
    [asking.user, hashToken(asking.token)],
  )
  await owner.query(`insert into projects (id, owner_id, title) values ($1, $2, 'A project')`, [
    asking.project,
    asking.user,
  ])
  await owner.query('commit')
  return asking
}

/** Each forbids what none of these projects is, so that all that speak have to be heard. */
async function addPolicies(
  owner: pg.Client,
  of: (index: number) => { role: string | null; action: string },
): Promise<void> {
  const policies = Array.from({ length: many }, (_, index) => {
    const { role, action } = of(index)
    const title = { '.': { left: { Var: 'resource' }, attr: 'title' } }
    const definition = {
      effect: 'forbid',
      principal: role ? { op: 'in', entity: { type: 'Role', id: role } } : { op: 'All' },
      action: { op: 'in', entity: { type: 'Action', id: action } },
      resource: { op: 'is', entity_type: 'Project' },
      conditions: [
        {
          kind: 'when',
          body: {
            '&&': {
              left: { '==': { left: title, right: { Value: `Title ${index}` } } },
              right: {
                '!=': { left: { Var: 'principal' }, right: { '.': { left: { Var: 'resource' }, attr: 'owner' } } },
              },
            },
          },
        },
      ],
    }
    return { name: `Policy ${index}`, definition }
  })
  await owner.query(
    `insert into access_control_policies (tenant_id, name, policy_definition) select $1, name, definition from jsonb_to_recordset($2) as policy (name text, definition jsonb)`,
    [defaultTenant, JSON.stringify(policies)],
  )
}

/** In this process, without a request: what is asked for the first time, and what was asked before. */
async function decide(app: App, { user, project }: Asking, title: string): Promise<void> {
  const { authorization } = app.kernel.services
  const principal: Principal = {
    tenant: defaultTenant,
    user,
    email: null,
    roles: ['role-0'],
    permissions: ['projects.*'],
    seesAll: false,
    via: 'session',
    credential: null,
  }
  const operation = app.kernel.operations.get('projects.get') as AnyOperation
  authorization.forget(defaultTenant)
  await scoped(
    app.kernel.pool,
    { tenant: defaultTenant, user, seesAll: false },
    async (tx) => {
      const rules = await authorization.rules.of(defaultTenant, tx)
      const judge = (times: number, fresh: boolean) =>
        time(async () => {
          for (let index = 0; index < times; index++)
            await authorization.judge(
              tx,
              rules,
              fresh ? { ...principal, via: `session ${index}` as 'session' } : principal,
              operation,
              { id: project },
              null,
            )
        })
      await judge(20, true)
      const first = await judge(200, true)
      await judge(20, false)
      const again = await judge(2000, false)
      console.log(
        `  ${title}: ${Math.round(200_000 / first).toLocaleString('en')} decisions/s asked for the first time, ${Math.round(2_000_000 / again).toLocaleString('en')} again`,
      )
    },
    true,
  )
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 })
const request = (url: string, token: string): Promise<number> =>
  time(
    () =>
      new Promise<void>((resolve, reject) => {
        get(url, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
          if (response.statusCode !== 200) reject(new Error(`${url}: ${response.statusCode}`))
          response.resume().on('end', resolve)
        }).on('error', reject)
      }),
  )

async function time(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
