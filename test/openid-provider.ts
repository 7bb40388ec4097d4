import { type Server, createServer } from 'node:http'
import Provider from 'oidc-provider'
import type { TestApp } from './app.ts'
import { type Reply, ask } from './sign-in.ts'

export interface OpenIdProvider {
  issuer: string
  /** Who signs in there next. */
  claims: Record<string, unknown>
  /** What it was asked for last. */
  asked: URLSearchParams
  close(): void
}

/** A real OpenID provider whose people consent to all. */
export async function openOpenIdProvider(client: {
  id: string
  secret: string
  redirectUri: string
}): Promise<OpenIdProvider> {
  const listening: Server = createServer()
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(listening.address() as { port: number }).port}`
  const open: OpenIdProvider = {
    issuer,
    claims: {},
    asked: new URLSearchParams(),
    close() {
      listening.closeAllConnections()
      listening.close()
    },
  }
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: [client.redirectUri],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'given_name', 'family_name', 'locale'],
    },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    findAccount: (_, sub) => ({ accountId: sub, claims: async () => ({ sub, ...open.claims }) }),
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    cookies: { keys: ['for tests'] },
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client?.clientId,
        accountId: ctx.oidc.session?.accountId,
      })
      grant.addOIDCScope('openid email profile')
      await grant.save()
      return grant
    },
  })
  const answer = provider.callback()
  listening.on('request', (request, reply) => {
    const url = new URL(request.url ?? '/', issuer)
    if (url.pathname === '/auth') open.asked = url.searchParams
    if (!url.pathname.startsWith('/interaction/')) return void answer(request, reply)
    void provider.interactionFinished(request, reply, { login: { accountId: String(open.claims.sub) } })
  })
  return open
}

/** A browser without pages: it keeps cookies of each site apart, and goes where it is sent. */
export class Browser {
  readonly app: TestApp
  readonly cookies = new Map<string, string>()
  constructor(app: TestApp) {
    this.app = app
  }
  async go(address: string | URL, method = 'GET', body?: unknown): Promise<Reply> {
    const url = new URL(address, this.app.url)
    const mine = [...this.cookies]
      .filter(([name]) => name.startsWith(`${url.origin} `))
      .map(([name, value]) => `${name.split(' ')[1]}=${value}`)
    const reply = await ask(this.app, method, url.href, body, mine.length ? { cookie: mine.join('; ') } : {})
    for (const line of reply.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      const at = pair.indexOf('=')
      this.cookies.set(`${url.origin} ${pair.slice(0, at)}`, pair.slice(at + 1))
    }
    return reply
  }

  begin = async (key = 'corp', more: object = {}) => (await this.go(`/v1/oidc/${key}`, 'POST', more)).body.url as string

  /** Follows the provider's pages until it sends us home; answers the address that it sends us to. */
  async signInThere(url: string): Promise<string> {
    for (let step = 0; step < 10; step++) {
      const reply = await this.go(url)
      const next = new URL(reply.headers.get('location') ?? '', url).href
      if (next.startsWith(this.app.url)) return next
      url = next
    }
    throw new Error('the provider never came to an end')
  }

  me = async () => (await this.go('/v1/me')).body
}
