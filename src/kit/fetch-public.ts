import { lookup } from 'node:dns'
import { request as overHttp } from 'node:http'
import { request as overHttps } from 'node:https'
import { BlockList, type LookupFunction, isIP } from 'node:net'
import { Problem } from './errors.ts'

/** IANA's special-purpose registries (RFC 6890): all that isn't somebody's address on the Internet, and what wraps one of those. */
const special = { 4: new BlockList(), 6: new BlockList() }
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  special[4].addSubnet(network, bits, 'ipv4')
// Of IPv6 only 2000::/3 is given out; within it Teredo, 6to4 and documentation lead elsewhere.
for (const [network, bits] of [
  ['::', 3],
  ['4000::', 2],
  ['8000::', 1],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  special[6].addSubnet(network, bits, 'ipv6')

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/** Whether a packet to this address leaves for the Internet. */
export function isPublicAddress(address: string): boolean {
  const plain = mapped.exec(address)?.[1] ?? address
  const family = isIP(plain)
  return family === 4 ? !special[4].check(plain, 'ipv4') : family === 6 && !special[6].check(plain, 'ipv6')
}

export interface FetchLimits {
  /** Lets it reach this network too: for installations whose own servers stand there. */
  allowPrivate: boolean
  /** Of the reply's body. */
  maximumBytes?: number
  milliseconds?: number
}

const refused = (host: string) =>
  new Problem(400, 'address_refused', `${host} is not an address on the Internet.`, { host })

/**
 * A fetch for addresses that somebody else chose. The name is looked up once and the connection goes to what was found and judged, so that a second
 * answer of a name server (DNS rebinding) changes nothing. Follows no redirects; bodies are texts, and bounded.
 */
export function openPublicFetch({ allowPrivate, maximumBytes = 1024 * 1024, milliseconds = 5000 }: FetchLimits) {
  const judged: LookupFunction = (hostname, options, done) =>
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return done(error, '', 0)
      const allowed = allowPrivate ? found : found.filter(({ address }) => isPublicAddress(address))
      const [first] = allowed
      if (!first) return done(refused(hostname), '', 0)
      return options.all ? done(null, allowed) : done(null, first.address, first.family)
    })
  return async (
    address: string | URL,
    {
      method = 'GET',
      headers,
      body,
      signal,
    }: { method?: string; headers?: HeadersInit; body?: string | URLSearchParams; signal?: AbortSignal | null } = {},
  ): Promise<Response> => {
    const url = new URL(address)
    if (!['https:', 'http:'].includes(url.protocol) || (url.protocol === 'http:' && !allowPrivate))
      throw new Problem(400, 'address_refused', `${url.protocol}// is not fetched; https:// is.`)
    const host = url.hostname.replace(/^\[|\]$/g, '')
    // An address that is written out is never looked up.
    if (isIP(host) && !allowPrivate && !isPublicAddress(host)) throw refused(host)
    const limit = AbortSignal.timeout(milliseconds)
    return new Promise((resolve, reject) => {
      const open = url.protocol === 'https:' ? overHttps : overHttp
      const request = open(
        url,
        {
          method,
          headers: Object.fromEntries(new Headers(headers)),
          lookup: judged,
          agent: false,
          signal: signal ? AbortSignal.any([signal, limit]) : limit,
        },
        (reply) => {
          const chunks: Buffer[] = []
          let size = 0
          reply.on('data', (chunk: Buffer) => {
            size += chunk.length
            chunks.push(chunk)
            if (size <= maximumBytes) return
            reject(new Problem(502, 'reply_too_large', `${host} answered more than ${maximumBytes} bytes.`))
            request.destroy()
          })
          reply.on('error', reject)
          reply.on('end', () => {
            const { statusCode: status = 502, headersDistinct } = reply
            const fields = Object.entries(headersDistinct).flatMap(([name, values]) =>
              (values ?? []).map((value): [string, string] => [name, value]),
            )
            resolve(
              new Response([204, 205, 304].includes(status) || status < 200 ? null : Buffer.concat(chunks), {
                status: Math.max(status, 200),
                headers: fields,
              }),
            )
          })
        },
      )
      request.on('error', reject)
      request.end(body === undefined ? undefined : String(body))
    })
  }
}
