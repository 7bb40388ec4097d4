import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fork } from 'node:child_process'
import pg from 'pg'
import { openApp } from '../src/app.ts'
import { defaultTenant } from '../src/domains/identity/authenticate.ts'
import { makeFirstPassword } from '../src/domains/identity/first-start.ts'
import { closeKernel } from '../src/kit/kernel.ts'
import { startServer } from '../src/server.ts'

const tenants = 200
const rows = 1_000_000

/**
 * What row security costs, by class of query, against the same query of the owner with the tenant in its where clause; and requests a second of
 * an operation against the same query in the same pipelined transaction in bare Fastify and pg. Ratios of medians, in turns, in one run.
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
  const { urls } = app.kernel
  const owner = new pg.Client({ connectionString: urls.owner })
  await owner.connect()
  try {
    await fill(owner)
    await rowSecurity(owner, urls.app)
    await requests(app)
  } finally {
    await owner.end()
    await closeKernel(app.kernel)
    await rm(data, { recursive: true, force: true })
  }
}

const tenantOf = (index: number): string => `00000000-0000-0000-0001-${String(index).padStart(12, '0')}`

async function fill(owner: pg.Client): Promise<void> {
  console.log(`${rows.toLocaleString('en')} usage records of ${tenants} tenants …`)
  // As the superuser: row security, forced on the owner too, does not hold here.
  await owner.query(
    `insert into tenants (id, name, slug) select ('00000000-0000-0000-0001-' || lpad(i::text, 12, '0'))::uuid, 'Tenant ' || i, 't' || i from generate_series(1, ${tenants}) i`,
  )
  await owner.query(`
    insert into usage_records (tenant_id, resource_type, amount, unit, recorded_at)
    select ('00000000-0000-0000-0001-' || lpad((1 + i % ${tenants})::text, 12, '0'))::uuid, (array['storage', 'narration', 'transcription'])[1 + i % 3], i % 100, 'minutes', now() - i * interval '1 second'
    from generate_series(1, ${rows}) i`)
  await owner.query('vacuum analyze usage_records')
}

const classes: Record<string, string> = {
  'one row by id': 'select * from usage_records where id = $ID',
  'first page of 50': 'select * from usage_records order by id desc limit 50',
  'count of a tenant': 'select count(*) from usage_records',
  'sum of one kind': "select sum(amount) from usage_records where resource_type = 'narration'",
  'last day by kind':
    "select resource_type, sum(amount) from usage_records where recorded_at > now() - interval '1 day' group by 1",
}

async function rowSecurity(owner: pg.Client, appUrl: string): Promise<void> {
  const app = new pg.Client({ connectionString: appUrl })
  await app.connect()
  const tenant = tenantOf(7)
  const {
    rows: [one],
  } = await owner.query('select id from usage_records where tenant_id = $1 offset 100 limit 1', [tenant])
  console.log('\nQuery class             without    with row security   ratio')
  for (const [name, sql] of Object.entries(classes)) {
    const query = sql.replace('$ID', `'${one.id}'`)
    const plain = /\bwhere\b/.test(query)
      ? query.replace('where', `where tenant_id = '${tenant}' and`)
      : query.replace('from usage_records', `from usage_records where tenant_id = '${tenant}'`)
    const bare: number[] = []
    const secured: number[] = []
    await owner.query('begin')
    await app.query(`begin; select set_tenant_context('${tenant}', null)`)
    for (let round = 0; round < 60; round++) {
      bare.push(await time(() => owner.query(plain)))
      secured.push(await time(() => app.query(query)))
    }
    await owner.query('commit')
    await app.query('commit')
    console.log(
      `${name.padEnd(20)}${median(bare).toFixed(2).padStart(9)} ms${median(secured).toFixed(2).padStart(17)} ms${(median(secured) / median(bare)).toFixed(2).padStart(9)}`,
    )
  }
  await app.end()
}

async function requests(app: Awaited<ReturnType<typeof openApp>>): Promise<void> {
  const { url } = await startServer(app)
  const credentials = { ...(await makeFirstPassword(app.kernel.urls.owner)), kind: 'program' }
  const login = await fetch(`${url}/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(credentials),
  })
  const { access_token: token } = (await login.json()) as { access_token: string }
  const bare = fork(new URL('./bare-server.ts', import.meta.url), [app.kernel.urls.app, defaultTenant], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const bareUrl = await new Promise<string>((resolve) => bare.once('message', (message) => resolve(String(message))))
  const ours: number[] = []
  const floor: number[] = []
  for (let round = 0; round < 7; round++) {
    floor.push(await load(`${bareUrl}/tenant`, ''))
    ours.push(await load(`${url}/v1/tenant`, token))
  }
  bare.kill()
  console.log(
    `\nGET /v1/tenant: ${median(ours).toFixed(0)} requests/s; bare Fastify and pg, same transaction: ${median(floor).toFixed(0)} requests/s; ratio ${(median(ours) / median(floor)).toFixed(2)} (reach ≥ 0.90)`,
  )
}

/** Requests a second at 32 connections for 2 s, from a process of its own. */
function load(url: string, token: string): Promise<number> {
  return new Promise((resolve) => {
    const child = fork(new URL('./bare-load.ts', import.meta.url), [url, token], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    child.once('message', (message) => resolve(Number(message)))
  })
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
