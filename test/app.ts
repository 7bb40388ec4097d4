import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { type App, openApp } from '../src/app.ts'
import { hashPassword } from '../src/domains/identity/passwords.ts'
import { hashToken, makeToken } from '../src/domains/identity/tokens.ts'
import { closeKernel } from '../src/kit/kernel.ts'
import { startServer } from '../src/server.ts'
import pg from 'pg'
import { cloneDatabase } from './database.ts'
import { testSecret } from './global-postgres.ts'

export interface Person {
  id: string
  tenant: string
  email: string
  token: string
  /** Calls the API as this person; throws on a status that is not 2xx unless it is asked for the response. */
  call<T = any>(method: string, path: string, body?: unknown): Promise<T>
  request(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: any; headers: Record<string, string> }>
  upload(
    path: string,
    name: string,
    bytes: Uint8Array | string,
    fields?: Record<string, string>,
  ): Promise<{ status: number; body: any }>
}

export interface TestApp extends App {
  http: FastifyInstance
  url: string
  admin: Person
  addTenant(slug: string): Promise<string>
  addPerson(tenant: string, email: string, roles: string[]): Promise<Person>
  waitForJob(person: Person, id: string): Promise<any>
  close(): Promise<void>
}

export const testPassword = 'correct horse battery'

/** The whole app on a database of its own: real server, real worker, files in a temporary folder. */
export async function openTestApp({
  work = true,
  environment = {},
}: {
  work?: boolean
  environment?: Record<string, string>
} = {}): Promise<TestApp> {
  const database = await cloneDatabase()
  const data = await mkdtemp(join(tmpdir(), 'voicepress-data-'))
  const app = await openApp({
    work,
    environment: {
      VOICEPRESS_DATA: data,
      DATABASE_URL: database.url,
      VOICEPRESS_SECRET: testSecret,
      VOICEPRESS_PORT: '0',
      VOICEPRESS_RATE_LIMITS: 'false',
      VOICEPRESS_LOG_LEVEL: process.env.TEST_LOG ?? 'silent',
      ...environment,
    },
  })
  const { http, url } = await startServer(app)
  const hash = await hashPassword(testPassword)

  const asOwner = async (tenant: string, work: (client: pg.Client) => Promise<void>) => {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    await client.query(`set role voicepress_owner; begin; select set_tenant_context('${tenant}', null, true)`)
    await work(client)
    await client.query('commit')
    await client.end()
  }

  const addPerson: TestApp['addPerson'] = async (tenant, email, roles) => {
    const id = crypto.randomUUID()
    const token = makeToken('vs')
    await asOwner(tenant, async (client) => {
      await client.query('insert into users (id, email, roles, password_hash) values ($1, $2, $3, $4)', [
        id,
        email,
        roles,
        hash,
      ])
      await client.query(
        `insert into sessions (user_id, token_hash, expires_at) values ($1, $2, now() + interval '1 day')`,
        [id, hashToken(token)],
      )
    })
    return personOf(url, { id, tenant, email, token })
  }

  const addTenant: TestApp['addTenant'] = async (slug) => {
    const id = crypto.randomUUID()
    await asOwner(id, async (client) => void (await client.query('select make_tenant($1, $1, $2)', [slug, id])))
    return id
  }

  return {
    ...app,
    http,
    url,
    admin: await addPerson('00000000-0000-0000-0000-000000000001', 'owner@example.com', ['admin']),
    addTenant,
    addPerson,
    async waitForJob(person, id) {
      for (;;) {
        const job = await person.call('GET', `/v1/jobs/${id}`)
        if (['completed', 'failed', 'cancelled'].includes(job.status)) return job
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    async close() {
      await closeKernel(app.kernel)
      await database.drop()
      await rm(data, { recursive: true, force: true })
    },
  }
}

function personOf(url: string, who: Pick<Person, 'id' | 'tenant' | 'email' | 'token'>): Person {
  const send = async (method: string, path: string, init: RequestInit = {}) => {
    const response = await fetch(url + path, {
      ...init,
      method,
      headers: { authorization: `Bearer ${who.token}`, ...init.headers },
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json')
    return {
      status: response.status,
      body: isJson ? JSON.parse(text) : text,
      headers: Object.fromEntries(response.headers),
    }
  }
  const request: Person['request'] = (method, path, body, headers) =>
    send(
      method,
      path,
      body === undefined
        ? { headers }
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } },
    )
  return {
    ...who,
    request,
    async call(method, path, body) {
      const response = await request(method, path, body)
      if (response.status >= 300)
        throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(response.body)}`)
      return response.body
    },
    upload(path, name, bytes, fields = {}) {
      const form = new FormData()
      for (const [field, value] of Object.entries(fields)) form.set(field, value)
      form.set('file', new Blob([bytes as BlobPart]), name)
      return send('POST', path, { body: form })
    },
  }
}
