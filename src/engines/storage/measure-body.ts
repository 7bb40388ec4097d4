import { Readable } from 'node:stream'

/**
 * The body as a stream that counts its bytes. A source that is destroyed before its end fails here, also where
 * a client library would wait for it for ever.
 */
export function measureBody(body: Uint8Array | Readable): { stream: Readable; size(): number } {
  let size = 0
  async function* pass() {
    for await (const chunk of body instanceof Uint8Array ? [body] : body) {
      const bytes: Uint8Array = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      size += bytes.byteLength
      yield bytes
    }
  }
  return { stream: Readable.from(pass(), { objectMode: false }), size: () => size }
}
