import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import cookies from '@fastify/cookie'
import multipart from '@fastify/multipart'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { z } from 'zod'
import { allowedMethods } from './allowed-methods.ts'
import { coerceStrings } from './coerce.ts'
import { Problem } from './errors.ts'
import { admit, perform } from './invoke.ts'
import type { Kernel } from './kernel.ts'
import { observeRequest, renderMetrics } from './metrics.ts'
import { openApi } from './openapi.ts'
import {
  type AnyOperation,
  type FileReply,
  type Principal,
  type Request,
  type Upload,
  isEventsOutput,
  isFileOutput,
  isReadOnly,
} from './operation.ts'
import { parseJson } from './parse-json.ts'
import { setReplyHeaders } from './reply-headers.ts'
import { sendFile } from './send-file.ts'

export interface Credentials {
  authorization: string | undefined
  cookie: string | undefined
  host: string
  tenant: string | undefined
}

export interface HttpOptions {
  /** Throws `Problem` 401 for credentials that do not hold; without any it answers the anonymous principal. */
  authenticate(credentials: Credentials): Promise<Principal>
  /** Further routes that are not operations: the web app, the reference. */
  extend?(server: FastifyInstance): void | Promise<void>
}

/** Browsers keep a `__Host-` cookie only over https; a plain server on this machine has to do without the prefix. */
export const cookieName = (secure: boolean): string => (secure ? '__Host-voicepress' : 'voicepress')

export async function openHttp(kernel: Kernel, { authenticate, extend }: HttpOptions): Promise<FastifyInstance> {
  const { config } = kernel
  const server = Fastify({
    // Requests are logged below, in one line each and without what headers may hold.
    logger: false,
    trustProxy: config.VOICEPRESS_TRUST_PROXY,
    bodyLimit: 8 * 1024 * 1024,
    requestIdHeader: false,
    genReqId: () => crypto.randomUUID(),
    routerOptions: { maxParamLength: 200 },
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    // What cannot be routed at all comes past every hook.
    frameworkErrors(error, request, reply) {
      setReplyHeaders(request, reply)
      sendProblem(kernel, request, reply, error)
    },
  })
  await server.register(cookies)
  await server.register(multipart, {
    limits: { files: 1, fields: 50, fieldSize: 1024 * 1024, fileSize: config.VOICEPRESS_MAX_UPLOAD_MB * 1024 * 1024 },
  })
  // Read by default, and ignored: a request that any page can send would have run with what is left.
  server.removeContentTypeParser('text/plain')
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (_, body, done) => {
    try {
      done(null, body === '' ? {} : parseJson(body as string))
    } catch (error) {
      done(error as Error)
    }
  })
  server.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (request, body, done) => {
    if ((request.routeOptions.config as { form?: boolean }).form)
      done(null, Object.fromEntries(new URLSearchParams(body as string)))
    else done(new Problem(415, 'unsupported_media_type', 'Send JSON.'))
  })
  server.setErrorHandler((error, request, reply) => sendProblem(kernel, request, reply, error))
  const allowed = allowedMethods(kernel.operations.values())
  server.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? ''
    const methods = allowed(path)
    if (methods.length === 0)
      return sendProblem(
        kernel,
        request,
        reply,
        new Problem(404, 'not_found', `There is nothing at ${request.method} ${path}.`),
      )
    reply.header('allow', methods.join(', '))
    if (request.method === 'OPTIONS') return reply.code(204).send()
    return sendProblem(
      kernel,
      request,
      reply,
      new Problem(405, 'method_not_allowed', `${path} knows ${methods.join(', ')}.`, { methods }),
    )
  })
  server.addHook('onRequest', async (request, reply) => setReplyHeaders(request, reply))
  server.addHook('onResponse', async (request, reply) => {
    observeRequest(request.routeOptions.url ?? 'unknown', request.method, reply.statusCode, reply.elapsedTime)
    kernel.log.info(
      {
        request: request.id,
        method: request.method,
        url: request.url.split('?')[0],
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      'request',
    )
  })

  for (const operation of kernel.operations.values()) addRoute(server, kernel, operation, authenticate)

  const document = openApi(kernel)
  server.get('/openapi.json', () => document)
  server.get('/healthz', () => ({ status: 'ok' }))
  server.get('/readyz', async (_, reply) => {
    const ready = await kernel.pool.query('select 1').then(
      () => true,
      () => false,
    )
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'database unreachable' })
  })
  server.get('/metrics', async (_, reply) => reply.type('text/plain; version=0.0.4').send(await renderMetrics(kernel)))
  await extend?.(server)
  return server
}

function addRoute(
  server: FastifyInstance,
  kernel: Kernel,
  operation: AnyOperation,
  authenticate: HttpOptions['authenticate'],
): void {
  const takesFile = Object.values(operation.input.shape as Record<string, z.ZodType>).some(
    (field) => field.meta()?.format === 'binary',
  )
  server.route({
    method: operation.method,
    url: operation.path,
    config: { form: operation.form },
    async handler(request, reply) {
      let asking: Principal | undefined
      reply.raw.once('close', () => {
        if (asking)
          for (const witness of kernel.witnesses)
            witness({ operation, principal: asking, status: reply.statusCode, milliseconds: reply.elapsedTime })
      })
      const cookie = request.cookies[cookieName(true)] ?? request.cookies[cookieName(false)]
      const principal = (asking = await authenticate({
        authorization: request.headers.authorization,
        cookie,
        host: request.hostname,
        tenant: request.headers['x-tenant-id'] as string | undefined,
      }))
      if (cookie && !request.headers.authorization && !isReadOnly(operation)) refuseForgery(kernel, request)
      const query = coerceStrings(operation.input, { ...(request.query as object), ...(request.params as object) })
      const invocation = {
        principal,
        request: describe(kernel, request),
        idempotencyKey: isReadOnly(operation) ? undefined : (request.headers['idempotency-key'] as string | undefined),
        header: (name: string, value: string) => void reply.header(name, value),
      }
      // Before a file is received: nobody fills the disk who may not.
      await admit(kernel, operation, query, invocation)
      if (!takesFile && request.isMultipart()) throw new Problem(415, 'unsupported_media_type', 'Send JSON.')
      const received = takesFile ? await receiveFile(request) : undefined
      try {
        const body = received ? coerceStrings(operation.input, received.input) : (request.body as object | undefined)
        const output = await perform(
          kernel,
          operation,
          { ...(body && typeof body === 'object' && !Array.isArray(body) ? body : {}), ...query },
          invocation,
        )
        return await answer(operation, request, reply, output)
      } finally {
        await received?.discard()
      }
    },
  })
}

const describe = (kernel: Kernel, request: FastifyRequest): Request => ({
  id: request.id,
  // A proxy that is believed may pass on anything as an address.
  address: isIP(request.ip) ? request.ip.replace(/%.*/, '') : null,
  userAgent: request.headers['user-agent'] ?? null,
  host: request.host,
  cookies: request.cookies,
  origin: kernel.config.VOICEPRESS_PUBLIC_URL?.replace(/\/$/, '') ?? `${request.protocol}://${request.host}`,
})

/** A page of another site can make the browser send our cookie; it can't make it lie about where the request comes from (Fetch Metadata, and Origin for older browsers). */
function refuseForgery(kernel: Kernel, request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site']
  const { origin } = request.headers
  const own = describe(kernel, request).origin
  if ((site && site !== 'same-origin' && site !== 'none') || (!site && origin && origin !== own))
    throw new Problem(403, 'cross_site_request', 'This request came from another site.')
}

async function answer(
  operation: AnyOperation,
  request: FastifyRequest,
  reply: FastifyReply,
  output: unknown,
): Promise<unknown> {
  if (isFileOutput(operation.output)) return sendFile(request, reply, output as FileReply)
  if (isEventsOutput(operation.output))
    return sendEvents(request, reply, output as (signal: AbortSignal) => AsyncIterable<unknown>)
  reply.type('application/json; charset=utf-8').header('cache-control', 'no-store')
  return reply.send(JSON.stringify(output ?? null))
}

function sendEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  open: (signal: AbortSignal) => AsyncIterable<unknown>,
): FastifyReply {
  const gone = new AbortController()
  request.raw.on('close', () => gone.abort())
  async function* frames() {
    // A comment now and then keeps proxies from cutting a quiet stream.
    yield ': open\n\n'
    for await (const event of open(gone.signal))
      yield event === undefined ? ': alive\n\n' : `data: ${JSON.stringify(event)}\n\n`
  }
  return reply
    .type('text/event-stream')
    .header('cache-control', 'no-store')
    .header('x-accel-buffering', 'no')
    .send(Readable.from(frames()))
}

async function receiveFile(
  request: FastifyRequest,
): Promise<{ input: Record<string, unknown>; discard(): Promise<void> }> {
  if (!request.isMultipart()) throw new Problem(415, 'multipart_needed', 'Send the file as multipart/form-data.')
  const folder = await mkdtemp(join(tmpdir(), 'voicepress-upload-'))
  const discard = () => rm(folder, { recursive: true, force: true })
  try {
    const input: Record<string, unknown> = {}
    for await (const part of request.parts()) {
      if (part.type === 'field') {
        input[part.fieldname] = part.value
        continue
      }
      const path = join(folder, 'upload')
      await pipeline(part.file, createWriteStream(path))
      if (part.file.truncated)
        throw new Problem(413, 'file_too_large', 'The file is larger than this server accepts.', {
          field: part.fieldname,
        })
      input[part.fieldname] = {
        filename: basename(part.filename).slice(0, 255),
        mediaType: part.mimetype,
        path,
        size: (await stat(path)).size,
      } satisfies Upload
    }
    return { input, discard }
  } catch (error) {
    await discard()
    throw error
  }
}

function sendProblem(kernel: Kernel, request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const problem = toProblem(error)
  if (problem.status >= 500)
    kernel.log.error({ err: error, request: request.id, url: request.url.split('?')[0] }, 'request failed')
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .header('cache-control', 'no-store')
    .send(JSON.stringify({ ...problem.toJSON(), request_id: request.id }))
}

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  const { statusCode, message, code } = error as { statusCode?: number; message: string; code?: string }
  if (statusCode === 413) return new Problem(413, 'too_large', 'The request is larger than this server accepts.')
  if (statusCode && statusCode >= 400 && statusCode < 500)
    return new Problem(statusCode, code?.toLowerCase() ?? 'bad_request', message)
  return new Problem(500, 'internal', 'Something went wrong on our side; it is in the log under this request_id.')
}
