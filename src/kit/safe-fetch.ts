import { lookup } from 'node:dns/promises'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import { Readable, Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { Problem } from './errors.ts'
import { isPublicAddress } from './public-address.ts'

export interface SafeFetchOptions {
  method?: 'GET' | 'HEAD' | 'POST'
  /** Names in lower case. Kept from other hosts when a redirect leads to one: `authorization` and `cookie`. */
  headers?: Record<string, string>
  /** Sent whole; never to a place that a redirect names, unless that keeps method and body (307, 308). */
  body?: string | Uint8Array
  /** Of the body as it is read, after decompression. */
  maxBytes: number
  /** Of everything, from the first question to the name server to the last byte. */
  milliseconds?: number
  /** 0: a redirect is an answer like any other. */
  maxRedirects?: number
  /** Media types that are taken, as `image/png` or `image/*`; any, without. */
  types?: readonly string[]
  signal?: AbortSignal
  /** For tests and for installations that really mean their own network: all addresses of a name, and whether one may be asked. */
  resolve?: (host: string) => Promise<string[]>
  isAllowed?: (address: string) => boolean
}

export interface SafeReply {
  status: number
  headers: IncomingMessage['headers']
  /** Where the last redirect led. */
  url: string
  /** Without parameters, in lower case; '' when nothing was said. */
  mediaType: string
  body: Readable
  /** The whole body. Throws what reading it throws. */
  bytes(): Promise<Buffer>
}

const refuse = (detail: string, extra: Record<string, unknown> = {}) =>
  new Problem(400, 'address_refused', detail, extra)
const unreachable = (host: string, cause: unknown) =>
  new Problem(
    502,
    'address_unreachable',
    `${host} does not answer: ${(cause as Error).message}`,
    {},
    { cause: cause as Error },
  )
const tooSlow = (host: string) => new Problem(504, 'address_too_slow', `${host} takes too long.`)

/** Ports of services that take a request line for a command of theirs lie below 1024. */
const lowPorts = ['80', '443']

const resolveAll = async (host: string): Promise<string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address)

/**
 * An address that somebody else wrote down, as what may be asked at all. Throws Problem 400 address_refused. `http://0x7f.1`, `http://2130706433`
 * and full-width digits have become what they mean by then (WHATWG URL, 3.5).
 */
export function parsePublicUrl(text: string | URL): URL {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw refuse('This is not an address.')
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refuse('Only http and https addresses are fetched.')
  if (url.username || url.password) throw refuse('An address with a user or a password in it is not fetched.')
  if (url.port && !lowPorts.includes(url.port) && Number(url.port) < 1024)
    throw refuse(`Port ${url.port} is not asked.`)
  url.hash = ''
  return url
}

const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '')

/** The one address that is connected to. Every address of the name has to be public, so that a name of two faces has none. */
async function pickAddress(
  url: URL,
  resolve: (host: string) => Promise<string[]>,
  isAllowed: (address: string) => boolean,
): Promise<string> {
  const host = hostOf(url)
  const addresses = isIP(host)
    ? [host]
    : await resolve(host).catch((error) => {
        throw unreachable(host, error)
      })
  const [first] = addresses
  if (!first || !addresses.every(isAllowed)) throw refuse(`${host} is not an address of the public internet.`)
  return first
}

interface Hop {
  url: URL
  method: string
  headers: Record<string, string>
  body: string | Uint8Array | undefined
}

/** The name is asked for once; what is connected to is the address that was looked at, whatever the name means by then. */
function ask({ url, method, headers, body }: Hop, address: string, signal: AbortSignal): Promise<IncomingMessage> {
  const family = isIP(address)
  return new Promise((done, failed) => {
    const asking = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      method,
      headers: { 'user-agent': 'voicepress', accept: '*/*', 'accept-encoding': 'gzip, deflate, br', ...headers },
      signal,
      agent: false,
      lookup: (_, options, found) => (options.all ? found(null, [{ address, family }]) : found(null, address, family)),
    })
    asking.once('response', done).once('error', failed)
    asking.end(body)
  })
}

/**
 * Fetches from an address that a person wrote down, without ever reaching what only this machine can reach (OWASP, SSRF prevention): each
 * redirect is judged like the first address, names are resolved once, and size, time and type are limited while it streams.
 * @throws Problem 400 address_refused, 502 address_unreachable, 504 address_too_slow, 502 reply_too_large, 415 unsupported_media_type; those of size and
 * time also while the body is read
 */
export async function safeFetch(address: string | URL, options: SafeFetchOptions): Promise<SafeReply> {
  const {
    maxBytes,
    milliseconds = 10_000,
    maxRedirects = 5,
    types,
    resolve = resolveAll,
    isAllowed = isPublicAddress,
  } = options
  const timeout = AbortSignal.timeout(milliseconds)
  const signal = options.signal ? AbortSignal.any([timeout, options.signal]) : timeout
  let hop: Hop = {
    url: parsePublicUrl(address),
    method: options.method ?? 'GET',
    headers: { ...options.headers },
    body: options.body,
  }
  for (let redirects = 0; ; redirects++) {
    const host = hostOf(hop.url)
    const picked = await raced(pickAddress(hop.url, resolve, isAllowed), signal, () => failure(signal, timeout, host))
    const reply = await ask(hop, picked, signal).catch((error) => {
      throw signal.aborted ? failure(signal, timeout, host) : unreachable(host, error)
    })
    const location = reply.headers.location
    if (maxRedirects > 0 && location !== undefined && [301, 302, 303, 307, 308].includes(reply.statusCode ?? 0)) {
      reply.destroy()
      if (redirects >= maxRedirects) throw refuse(`${host} redirects too often.`)
      hop = follow(hop, location, reply.statusCode ?? 0)
      continue
    }
    const mediaType = (reply.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
    try {
      if (
        types &&
        !types.some((type) => type === mediaType || (type.endsWith('/*') && mediaType.startsWith(type.slice(0, -1))))
      )
        throw new Problem(
          415,
          'unsupported_media_type',
          `${host} sends ${mediaType || 'something unnamed'}; ${types.join(', ')} is needed.`,
          { mediaType },
        )
      // What is announced needs no reading.
      if (Number(reply.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(host, maxBytes)
    } catch (error) {
      reply.destroy()
      throw error
    }
    const body = readBody(reply, maxBytes, host, () => (signal.aborted ? failure(signal, timeout, host) : undefined))
    return {
      status: reply.statusCode ?? 0,
      headers: reply.headers,
      url: hop.url.href,
      mediaType,
      body,
      bytes: async () => Buffer.concat(await body.toArray()),
    }
  }
}

const failure = (signal: AbortSignal, timeout: AbortSignal, host: string): Error =>
  timeout.aborted ? tooSlow(host) : signal.reason instanceof Error ? signal.reason : new Error('aborted')
const tooLarge = (host: string, maxBytes: number) =>
  new Problem(502, 'reply_too_large', `${host} sends more than ${maxBytes} bytes.`, { limit: maxBytes, unit: 'bytes' })

function raced<T>(work: Promise<T>, signal: AbortSignal, reason: () => Error): Promise<T> {
  const stopped = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(reason())
    signal.addEventListener('abort', () => reject(reason()), { once: true })
  })
  stopped.catch(() => {})
  return Promise.race([work, stopped])
}

/** As browsers do (Fetch, 4.4): 303, and 301 and 302 after a POST, ask again with GET and without the body. */
function follow({ url, method, headers, body }: Hop, location: string, status: number): Hop {
  const next = parsePublicUrl(URL.canParse(location, url) ? new URL(location, url) : location)
  if (url.protocol === 'https:' && next.protocol === 'http:') throw refuse('A redirect leads from https to http.')
  const kept = { ...headers }
  if (next.origin !== url.origin)
    for (const name of ['authorization', 'cookie', 'proxy-authorization']) delete kept[name]
  if (status === 307 || status === 308 || method === 'GET' || method === 'HEAD')
    return { url: next, method, headers: kept, body }
  for (const name of ['content-type', 'content-length']) delete kept[name]
  return { url: next, method: 'GET', headers: kept, body: undefined }
}

const decoders: Record<string, () => Transform> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
}

/** Counts after decompression: a small reply may unfold into an endless one. */
function readBody(reply: IncomingMessage, maxBytes: number, host: string, stopped: () => Error | undefined): Readable {
  let size = 0
  const counted = new Transform({
    transform(chunk: Buffer, _, done) {
      size += chunk.length
      if (size > maxBytes) done(tooLarge(host, maxBytes))
      else done(null, chunk)
    },
  })
  const decoder = decoders[(reply.headers['content-encoding'] ?? '').trim().toLowerCase()]?.()
  const steps = [reply, ...(decoder ? [decoder] : []), counted]
  for (const [index, step] of steps.entries()) {
    const next = steps[index + 1]
    if (next) step.pipe(next as Transform)
    if (step !== counted) step.once('error', (error) => counted.destroy(stopped() ?? unreachable(host, error)))
  }
  reply.once('close', () => {
    if (!reply.complete) counted.destroy(stopped() ?? unreachable(host, new Error('it ended early')))
  })
  // What is not wanted any more is not fetched any further.
  counted.once('close', () => {
    reply.destroy()
    decoder?.destroy()
  })
  return counted
}
