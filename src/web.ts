import { fileURLToPath } from 'node:url'
import statics from '@fastify/static'
import Fastify, { type FastifyInstance } from 'fastify'
import { pagePolicy } from './kit/reply-headers.ts'

const folder = fileURLToPath(new URL('../web', import.meta.url))

/** The page at `/` and the API's reference at `/docs`; neither asks another host for anything. */
export async function serveWeb(server: FastifyInstance): Promise<void> {
  await server.register(statics, {
    root: folder,
    // A request for a file costs a look at its date; a new version is seen at the next one.
    cacheControl: false,
    setHeaders: (reply) =>
      void reply.header('cache-control', 'no-cache').header('content-security-policy', pagePolicy()),
  })
  // Scalar puts its style sheets into the page as it goes.
  const policy = pagePolicy({
    'script-src': "'self'",
    'style-src': "'self' 'unsafe-inline'",
    'font-src': "'self' data:",
  })
  server.get('/docs', (_, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', policy)
      .header('cache-control', 'no-cache')
      .send(referencePage),
  )
  server.get('/docs/start.js', (_, reply) =>
    reply.type('text/javascript; charset=utf-8').header('cache-control', 'no-cache').send(startReference),
  )
  let script: Promise<string> | undefined
  server.get('/docs/scalar.js', async (_, reply) => {
    script ??= readScalar()
    return reply
      .type('text/javascript; charset=utf-8')
      .header('cache-control', 'public, max-age=3600')
      .send(await script)
  })
}

const referencePage = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Voicepress API</title>
    <link rel="icon" href="/icon.svg" type="image/svg+xml">
  </head>
  <body>
    <div id="reference"></div>
    <noscript>The reference needs JavaScript; the description itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
    <script src="/docs/scalar.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`

/** All that would reach for another host is off: fonts, telemetry, the proxy, its agent and its hosted client. */
const reference = {
  url: '/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: 'never',
  agent: { disabled: true },
  mcp: { disabled: true },
  operationTitleSource: 'summary',
  defaultHttpClient: { targetKey: 'shell', clientKey: 'curl' },
}
const startReference = `Scalar.createApiReference('#reference', ${JSON.stringify(reference)})\n`

/** The script is a string of four megabytes inside the plugin: loaded when somebody first looks. */
async function readScalar(): Promise<string> {
  const { default: scalar } = await import('@scalar/fastify-api-reference')
  const shelf = Fastify()
  await shelf.register(scalar, { routePrefix: '/', configuration: { url: '/' } })
  const { body } = await shelf.inject('/js/scalar.js')
  await shelf.close()
  return body
}
