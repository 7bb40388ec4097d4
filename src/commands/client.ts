import { openAsBlob } from 'node:fs'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { type App, domains, openApp, openLog } from '../app.ts'
import { defaultTenant } from '../domains/identity/authenticate.ts'
import type { Client } from '../kit/cli.ts'
import { scoped } from '../kit/database.ts'
import { Problem } from '../kit/errors.ts'
import { invoke } from '../kit/invoke.ts'
import { closeKernel } from '../kit/kernel.ts'
import type { AnyOperation, FileReply, Principal, Upload } from '../kit/operation.ts'
import { startQueue } from '../kit/queue.ts'

export const operations = new Map<string, AnyOperation>(
  domains
    .flatMap((domain) => domain.operations.flatMap((room) => Object.values<AnyOperation>(room)))
    .map((operation) => [operation.name, operation]),
)

function named(name: string): AnyOperation {
  const operation = operations.get(name)
  if (!operation) throw new Error(`no operation ${name}`)
  return operation
}

export interface LocalClient extends Client {
  app: App
  /** Background work begins only when it is asked for, so that a verb that lists things starts none. */
  work(): Promise<void>
}

/** Opens the app in this process, as the first administrator of the default tenant. */
export async function openLocal(environment: Record<string, string | undefined> = process.env): Promise<LocalClient> {
  const quiet = { VOICEPRESS_LOG_LEVEL: 'error', ...environment }
  const app = await openApp({
    environment: quiet,
    log: openLog({ VOICEPRESS_LOG_LEVEL: quiet.VOICEPRESS_LOG_LEVEL as 'error' }),
  })
  const { kernel } = app
  const principal = await firstAdministrator(app)
  const invocation = () => ({
    principal,
    request: {
      id: crypto.randomUUID(),
      address: null,
      userAgent: 'voicepress command line',
      origin: 'http://localhost',
    },
  })
  const call = (name: string, input: Record<string, unknown> = {}) => invoke(kernel, named(name), input, invocation())
  const stopping = new AbortController()
  return {
    app,
    call: call as Client['call'],
    async open(name, input) {
      const reply = (await call(name, input)) as FileReply
      return { filename: reply.filename, body: await reply.open() }
    },
    async *follow<T>(name: string, input?: Record<string, unknown>) {
      const events = (await call(name, input)) as (signal: AbortSignal) => AsyncIterable<T>
      yield* events(stopping.signal)
    },
    work: () => startQueue(kernel, { alone: kernel.config.DATABASE_URL === undefined }),
    async close() {
      stopping.abort()
      await closeKernel(kernel)
    },
  }
}

async function firstAdministrator({ kernel }: App): Promise<Principal> {
  const base: Principal = {
    tenant: defaultTenant,
    user: null,
    email: null,
    roles: ['admin'],
    permissions: ['*'],
    seesAll: true,
    via: 'local',
    credential: null,
  }
  const user = await scoped(
    kernel.pool,
    { tenant: defaultTenant, user: null, seesAll: true },
    (tx) =>
      tx.selectFrom('users').select(['id', 'email', 'roles']).where('deleted_at', 'is', null).orderBy('id').execute(),
    true,
  )
  const admin = user.find(({ roles }) => roles.includes('admin'))
  return { ...base, user: admin?.id ?? null, email: admin?.email ?? null }
}

/** Speaks to a server with an API key. */
export function openRemote(server: string, key: string): Client {
  async function send(operation: AnyOperation, input: Record<string, unknown> = {}): Promise<Response> {
    const rest = { ...input }
    const path = operation.path.replaceAll(/:([a-z_]+)/g, (_, name: string) => {
      const value = encodeURIComponent(String(rest[name]))
      delete rest[name]
      return value
    })
    const url = new URL(path, server)
    const init: RequestInit & { headers: Record<string, string> } = {
      method: operation.method,
      headers: { authorization: `Bearer ${key}` },
    }
    const file = Object.entries(rest).find(([, value]) => typeof (value as Upload)?.path === 'string')
    if (file) {
      const form = new FormData()
      for (const [name, value] of Object.entries(rest))
        if (name !== file[0])
          if (value !== undefined) form.set(name, typeof value === 'object' ? JSON.stringify(value) : String(value))
      form.set(file[0], await openAsBlob((file[1] as Upload).path), (file[1] as Upload).filename)
      init.body = form
    } else if (operation.method === 'GET' || operation.method === 'DELETE')
      for (const [name, value] of Object.entries(rest)) url.searchParams.set(name, String(value))
    else {
      init.body = JSON.stringify(rest)
      init.headers['content-type'] = 'application/json'
    }
    const response = await fetch(url, init).catch((error: Error) => {
      throw new Problem(
        502,
        'server_unreachable',
        `${server} does not answer: ${(error.cause as Error)?.message ?? error.message}`,
      )
    })
    if (response.ok) return response
    const problem = (await response.json().catch(() => ({}))) as { type?: string; detail?: string }
    throw new Problem(
      response.status,
      problem.type?.replace('urn:voicepress:problem:', '') ?? 'server_error',
      problem.detail ?? `${server} answered ${response.status}.`,
      problem,
    )
  }
  const body = (response: Response): Readable => Readable.fromWeb(response.body as never)
  return {
    call: async (name, input) => (await send(named(name), input)).json() as never,
    async open(name, input) {
      const response = await send(named(name), input)
      const filename = decodeURIComponent(
        /filename\*=UTF-8''([^;]+)/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? 'download',
      )
      return { filename: basename(filename), body: body(response) }
    },
    async *follow<T>(name: string, input?: Record<string, unknown>) {
      let rest = ''
      for await (const chunk of body(await send(named(name), input)).setEncoding('utf8')) {
        const frames = (rest + chunk).split('\n\n')
        rest = frames.pop() ?? ''
        for (const frame of frames) if (frame.startsWith('data: ')) yield JSON.parse(frame.slice(6)) as T
      }
    },
    close: async () => {},
  }
}

/** A server when VOICEPRESS_URL names one, otherwise this process. */
export async function openClient(): Promise<Client & { work?: () => Promise<void> }> {
  const { VOICEPRESS_URL: server, VOICEPRESS_API_KEY: key } = process.env
  if (!server) return openLocal()
  if (!key) throw new Problem(400, 'usage', 'VOICEPRESS_URL is set: VOICEPRESS_API_KEY is needed too.')
  return openRemote(server, key)
}
