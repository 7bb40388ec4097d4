import type { Context } from '../../kit/operation.ts'

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/**
 * Scheme and host for links in letters and for what a browser signs. The host that a request names is believed only when it is the
 * server's own or a tenant's: a letter that led to any other would hand its token to whoever wrote it there.
 */
export async function siteOrigin({ services, request }: Pick<Context, 'services' | 'request'>): Promise<string> {
  const { VOICEPRESS_PUBLIC_URL: publicUrl, VOICEPRESS_HOST: listening, VOICEPRESS_PORT: port } = services.config
  if (!publicUrl)
    return loopback.test(new URL(request.origin).hostname) ? request.origin : `http://${listening}:${port}`
  const own = new URL(publicUrl)
  const named =
    request.host && URL.canParse(`${own.protocol}//${request.host}`) ? new URL(`${own.protocol}//${request.host}`) : own
  return named.host !== own.host && (await services.tenancy.resolver.serves(named.hostname)) ? named.origin : own.origin
}
