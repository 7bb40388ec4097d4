import type { Readable } from 'node:stream'
import { z } from 'zod'
import type { Tx } from './database.ts'
import type { EventName, EventPayloads } from './events.ts'
import type { Job } from './jobs.ts'

/** Engines and settings that operations and jobs use; the app fills it, each room that provides one declares it by merging. */
export interface Services {}

/** Who asks. */
export interface Principal {
  tenant: string
  user: string | null
  email: string | null
  roles: string[]
  /** Names of operations, or `stories.*`, or `*`. */
  permissions: string[]
  /** Sees every project of the tenant. */
  seesAll: boolean
  via: 'session' | 'api_key' | 'local' | 'anonymous'
  /** Row of sessions or api_keys. */
  credential: string | null
}

export interface Request {
  id: string
  address: string | null
  userAgent: string | null
  /** Scheme and host as the caller wrote it. */
  origin: string
  /** What a browser sends back of what it was given. */
  cookies?: Readonly<Record<string, string | undefined>>
  /** Host and port as the caller wrote them; anybody can write anything. */
  host?: string
}

export interface Context {
  tx: Tx
  principal: Principal
  request: Request
  services: Services
  /** Written to the outbox in this transaction; subscribers run after it has committed. */
  emit<N extends EventName>(name: N, payload: EventPayloads[N]): Promise<void>
  /** Starts background work when this transaction commits; gives the id of its row in `jobs`. */
  enqueue<P extends z.ZodType>(
    job: Job<P>,
    payload: z.input<P>,
    options?: { priority?: number; key?: string },
  ): Promise<string>
  /** For what must not happen when the transaction is rolled back: a cookie, a blob's removal. */
  afterCommit(work: () => void | Promise<void>): void
  /** Sets a reply header; the command line ignores it. */
  header(name: string, value: string): void
}

/** A file that came with a request, on this machine until the reply is sent. */
export interface Upload {
  filename: string
  mediaType: string
  path: string
  size: number
}
/** An input field that is a file: multipart/form-data over HTTP, a path on the command line. */
export const upload = () =>
  z
    .custom<Upload>((value) => typeof (value as Upload)?.path === 'string', 'a file is needed')
    .meta({ format: 'binary', type: 'string' })

/** What a file operation answers; ranges and conditional requests are the door's affair. */
export interface FileReply {
  filename: string
  mediaType: string
  size: number
  /** Strong validator; files that never change under their name use their hash. */
  etag: string
  inline?: boolean
  open(range?: { start: number; end: number }): Promise<Readable>
}
export interface FileOutput {
  kind: 'file'
  mediaType: string
}
export const file = (mediaType = 'application/octet-stream'): FileOutput => ({ kind: 'file', mediaType })

/** Server-sent events; ends when the iterable does. */
export interface EventsOutput<Z extends z.ZodType = z.ZodType> {
  kind: 'events'
  schema: Z
}
export const events = <Z extends z.ZodType>(schema: Z): EventsOutput<Z> => ({ kind: 'events', schema })

type Output = z.ZodType | FileOutput | EventsOutput
type Reply<O> = O extends FileOutput
  ? FileReply
  : O extends EventsOutput<infer Z>
    ? (signal: AbortSignal) => AsyncIterable<z.input<Z>>
    : O extends z.ZodType
      ? z.input<O>
      : never

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'

export interface Operation<I extends z.ZodObject = z.ZodObject, O extends Output = Output> {
  /** `stories.publish`: permission, audit action, command-line verb and OpenAPI operationId. */
  name: string
  method: Method
  /** `/v1/stories/:id/publish`; a `:name` is a field of the input. */
  path: string
  summary: string
  input: I
  output: O
  /** Asked of everyone but `public` ones: a role or key that grants `name`. */
  public?: boolean
  /** A GET that changes something all the same, since another site sends the browser there: the end of an OpenID sign-in; or is written down, since it crosses tenants. */
  writes?: boolean
  /** Taken as application/x-www-form-urlencoded too. What a form of any page can send must not trust the cookie. */
  form?: boolean
  run(context: Context, input: z.output<I>): Promise<Reply<O>>
}

export const operation = <I extends z.ZodObject, O extends Output>(declared: Operation<I, O>): Operation<I, O> =>
  declared

// A list of operations over different inputs; `run` is called only with what its own `input` has parsed.
export type AnyOperation = Operation<any, any>

export const isReadOnly = (of: AnyOperation): boolean => of.method === 'GET' && !of.writes
export const isFileOutput = (output: Output): output is FileOutput => (output as FileOutput).kind === 'file'
export const isEventsOutput = (output: Output): output is EventsOutput => (output as EventsOutput).kind === 'events'

export const mayRun = (principal: Principal, name: string): boolean =>
  principal.permissions.some(
    (pattern) =>
      pattern === '*' || pattern === name || (pattern.endsWith('.*') && name.startsWith(pattern.slice(0, -1))),
  )
