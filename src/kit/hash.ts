import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** SHA-256 in hex of a value's JSON: the key of work that depends on nothing else. */
export const hashOf = (...values: unknown[]): string => createHash('sha256').update(JSON.stringify(values)).digest('hex')

/** SHA-256 in hex of a file's bytes. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

/** A file as a stream that is hashed as it is read; `digest` gives its SHA-256 in hex once it was read to the end. */
export function hashedFile(path: string): { stream: Readable; digest: () => string } {
  const hash = createHash('sha256')
  async function* pass() {
    for await (const bytes of createReadStream(path, { highWaterMark: 1 << 20 })) {
      hash.update(bytes as Buffer)
      yield bytes as Buffer
    }
  }
  return { stream: Readable.from(pass(), { objectMode: false }), digest: () => hash.digest('hex') }
}
