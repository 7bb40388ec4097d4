import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A provider's server on this machine, as tests need one. */
export interface Loopback {
  url: string
  /** What was asked, in order. */
  calls: { method: string; path: string; headers: IncomingMessage['headers']; body: string; at: number }[]
  /** The next answers before the provider's own, each once. */
  instead: ((response: ServerResponse) => void)[]
  close(): Promise<void>
}

export type Answer = (call: Loopback['calls'][number], response: ServerResponse) => void

export async function serveLoopback(answer: Answer): Promise<Loopback> {
  const calls: Loopback['calls'] = []
  const instead: Loopback['instead'] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      const call = {
        method: request.method!,
        path: request.url!,
        headers: request.headers,
        body,
        at: performance.now(),
      }
      calls.push(call)
      const other = instead.shift()
      if (other) other(response)
      else answer(call, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    instead,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

/** A WAV file of silence. */
export function silentWav(seconds: number, rate = 24_000): Buffer {
  const bytes = Math.round(seconds * rate) * 2
  const header = Buffer.alloc(44)
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + bytes, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(rate, 24)
  header.writeUInt32LE(rate * 2, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36)
  header.writeUInt32LE(bytes, 40)
  return Buffer.concat([header, Buffer.alloc(bytes)])
}
