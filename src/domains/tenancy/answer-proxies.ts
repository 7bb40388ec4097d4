import { createServer, type Server } from 'node:http'
import type { TenantResolver } from './resolve-tenant.ts'

/**
 * The internal door: a proxy asks here before it gets a certificate (Caddy's on-demand TLS: `ask http://127.0.0.1:PORT/ask`).
 * 200 for a name that leads to a tenant, 404 for every other, so that nobody can make it ask for certificates without end.
 * It answers this one question, and listens on this machine or a private network.
 */
export async function answerProxies(
  resolver: TenantResolver,
  { host, port }: { host: string; port: number },
): Promise<Server> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://internal')
    const domain = url.searchParams.get('domain') ?? ''
    const asked =
      request.method === 'GET' && url.pathname === '/ask' && domain.length <= 253
        ? resolver.serves(domain)
        : Promise.resolve(false)
    asked.then(
      (serves) => response.writeHead(serves ? 200 : 404).end(),
      () => response.writeHead(503).end(),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return server
}
