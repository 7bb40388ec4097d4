import pg from 'pg'
import type { TestApp } from './app.ts'
import { testPassword } from './app.ts'

export interface Reply {
  status: number
  body: any
  headers: Headers
  /** `name=value` of the session's cookie. */
  cookie: string
}

/** One request by nobody, from an address of its own choice when the app trusts its proxy. */
export async function ask(
  app: TestApp,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const response = await fetch(new URL(path, app.url), {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
    redirect: 'manual',
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json')
  return {
    status: response.status,
    body: isJson ? JSON.parse(text) : text,
    headers: response.headers,
    cookie:
      (response.headers.getSetCookie().find((line) => /^(__Host-)?voicepress=/.test(line)) ?? '').split(';')[0] ?? '',
  }
}

export const signIn = (
  app: TestApp,
  email: string,
  more: object = {},
  headers: Record<string, string> = {},
): Promise<Reply> => ask(app, 'POST', '/v1/sessions', { email, password: testPassword, ...more }, headers)

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

/** What the owner of the server sees of it. */
export async function queryAsOwner<R extends pg.QueryResultRow>(
  app: TestApp,
  sql: string,
  values: unknown[] = [],
): Promise<R[]> {
  const client = new pg.Client({ connectionString: app.kernel.urls.owner })
  await client.connect()
  try {
    return (await client.query<R>(sql, values)).rows
  } finally {
    await client.end()
  }
}

export async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
