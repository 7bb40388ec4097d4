import type { FastifyInstance } from 'fastify'
import type { App } from './app.ts'
import { answerProxies } from './domains/tenancy/answer-proxies.ts'
import { openHttp } from './kit/http.ts'
import { serveWeb } from './web.ts'

export interface Server {
  http: FastifyInstance
  /** Where it listens. */
  url: string
}

/** Opens the HTTP door of an open app. */
export async function startServer({ kernel }: App): Promise<Server> {
  const { VOICEPRESS_HOST: host, VOICEPRESS_PORT: port } = kernel.config
  const http = await openHttp(kernel, {
    authenticate: (credentials) => kernel.services.authenticator.authenticate(credentials),
    extend: serveWeb,
  })
  kernel.closing.push(() => http.close())
  const { VOICEPRESS_INTERNAL_PORT: internal, VOICEPRESS_INTERNAL_HOST: internalHost } = kernel.config
  if (internal !== undefined) {
    const proxies = await answerProxies(kernel.services.tenancy.resolver, { host: internalHost, port: internal })
    kernel.closing.push(() => void proxies.close())
  }
  const url = await http.listen({ host, port })
  return { http, url }
}
