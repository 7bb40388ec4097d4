import { Problem } from './errors.ts'
import { isPublicAddress } from './public-address.ts'
import { parsePublicUrl, safeFetch } from './safe-fetch.ts'

export interface FetchLimits {
  /** Lets it reach this network too, and over http: for installations whose own servers stand there. */
  allowPrivate: boolean
  /** Of the reply's body. */
  maximumBytes?: number
  milliseconds?: number
}

interface FetchInit {
  method?: string
  headers?: HeadersInit
  body?: string | URLSearchParams
  signal?: AbortSignal | null
}

/** `safeFetch` in the form of the platform's own fetch, for libraries that want one. Follows no redirects; bodies are read whole. */
export function openPublicFetch({ allowPrivate, maximumBytes = 1024 * 1024, milliseconds = 5000 }: FetchLimits) {
  return async (
    address: string | URL,
    { method = 'GET', headers, body, signal }: FetchInit = {},
  ): Promise<Response> => {
    const url = parsePublicUrl(address)
    if (url.protocol === 'http:' && !allowPrivate)
      throw new Problem(400, 'address_refused', 'http:// is not fetched; https:// is.')
    const reply = await safeFetch(url, {
      method: method as 'GET',
      headers: Object.fromEntries(new Headers(headers)),
      ...(body !== undefined && { body: String(body) }),
      ...(signal && { signal }),
      maxBytes: maximumBytes,
      milliseconds,
      maxRedirects: 0,
      isAllowed: allowPrivate ? () => true : isPublicAddress,
    })
    const bytes = await reply.bytes()
    const fields = Object.entries(reply.headers).flatMap(([name, value]) =>
      // The body has been unpacked by now.
      ['content-encoding', 'content-length'].includes(name)
        ? []
        : [value ?? []].flat().map((one): [string, string] => [name, one]),
    )
    const isBare = [204, 205, 304].includes(reply.status) || reply.status < 200
    return new Response(isBare ? null : new Uint8Array(bytes), { status: Math.max(reply.status, 200), headers: fields })
  }
}
