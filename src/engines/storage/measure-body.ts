import { Readable } from 'node:stream'

export interface MeasuredBody {
  stream: Readable
  size(): number
  /** Why the source broke off, if it did: client libraries may report what they failed at afterwards instead. */
  failure(): unknown
}

/**
 * The body as a stream that counts its bytes. A source that is destroyed before its end fails here, also where
 * a client library would wait for it for ever.
 */
export function measureBody(body: Uint8Array | Readable): MeasuredBody {
  let size = 0
  let failure: unknown
  async function* pass() {
    try {
      for await (const chunk of body instanceof Uint8Array ? [body] : body) {
        const bytes: Uint8Array = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
        size += bytes.byteLength
        yield bytes
      }
    } catch (error) {
      failure = error
      throw error
    }
  }
  return { stream: Readable.from(pass(), { objectMode: false }), size: () => size, failure: () => failure }
}
