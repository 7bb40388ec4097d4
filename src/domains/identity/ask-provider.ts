import type * as OpenId from 'openid-client'
import { Problem } from '../../kit/errors.ts'
import { openPublicFetch } from '../../kit/fetch-public.ts'

export interface Provider {
  issuer: string
  clientId: string
  clientSecret?: string
  scopes: string[]
  allowPrivate: boolean
}

/** What has to come back with the browser, and what it is checked against. */
export interface Begun {
  state: string
  nonce: string
  verifier: string
  redirectUri: string
}

/** Who the provider says it is. */
export interface Claims {
  subject: string
  email: string | null
  emailVerified: boolean
  name: string | null
  givenName: string | null
  familyName: string | null
  locale: string | null
}

/** Not loaded where nobody signs in through a provider. */
const loadOpenId = () => import('openid-client')

const cacheMilliseconds = 10 * 60_000
const discovered = new Map<string, { configuration: Promise<OpenId.Configuration>; until: number }>()
/** Sign-ins that wait for a provider at once; more would hold the connections that others need. */
const mostWaiting = 4
let waiting = 0

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (waiting >= mostWaiting)
    throw new Problem(503, 'busy', 'Many people are signing in through providers; try again in a moment.')
  waiting++
  try {
    return await work()
  } catch (error) {
    if (error instanceof Problem) throw error
    const { cause } = error as { cause?: unknown }
    if (cause instanceof Problem) throw cause
    throw new Problem(
      401,
      'provider_refused',
      `The provider did not vouch for this sign-in (${(error as { error?: string; code?: string }).error ?? (error as { code?: string }).code ?? 'no answer'}).`,
      {},
      { cause: error },
    )
  } finally {
    waiting--
  }
}

/** OpenID Connect Discovery 1.0; `issuer` may also be the full address of the metadata, as Azure AD B2C needs it. */
async function discover({ issuer, clientId, clientSecret, allowPrivate }: Provider): Promise<OpenId.Configuration> {
  const openid = await loadOpenId()
  const key = JSON.stringify([issuer, clientId, clientSecret, allowPrivate])
  const known = discovered.get(key)
  if (known && known.until > Date.now()) return known.configuration
  if (discovered.size > 1000) discovered.clear()
  const configuration = openid.discovery(
    new URL(issuer),
    clientId,
    undefined,
    clientSecret === undefined ? openid.None() : openid.ClientSecretPost(clientSecret),
    {
      [openid.customFetch]: openPublicFetch({ allowPrivate }) as OpenId.CustomFetch,
      timeout: 5,
      // Signatures are checked too where TLS alone would do (OpenID Connect Core 1.0, 3.1.3.7): behind a proxy it doesn't.
      execute: [
        openid.enableNonRepudiationChecks,
        ...(allowPrivate && issuer.startsWith('http:') ? [openid.allowInsecureRequests] : []),
      ],
    },
  )
  discovered.set(key, { configuration, until: Date.now() + cacheMilliseconds })
  configuration.catch(() => discovered.delete(key))
  return configuration
}

/** Where the browser goes: authorization code flow with PKCE (S256), state and nonce. */
export const authorizationUrl = (provider: Provider, { state, nonce, verifier, redirectUri }: Begun): Promise<string> =>
  inTurn(async () => {
    const openid = await loadOpenId()
    const configuration = await discover(provider)
    const url = openid.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: provider.scopes.join(' '),
      state,
      nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    return url.href
  })

/**
 * Changes the code for an ID token and checks its signature, issuer, audience, time, nonce, and the state.
 * @throws Problem 401 provider_refused
 */
export const readCallback = (
  provider: Provider,
  { state, nonce, verifier, redirectUri }: Begun,
  parameters: Record<string, string>,
): Promise<Claims> =>
  inTurn(async () => {
    const openid = await loadOpenId()
    const configuration = await discover(provider)
    const came = new URL(redirectUri)
    came.search = new URLSearchParams(parameters).toString()
    const tokens = await openid.authorizationCodeGrant(configuration, came, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    })
    const idToken = tokens.claims()
    if (!idToken) throw new Problem(401, 'provider_refused', 'The provider sent no ID token.')
    const needsMore = idToken.email === undefined && configuration.serverMetadata().userinfo_endpoint !== undefined
    const claims: Record<string, unknown> = needsMore
      ? { ...idToken, ...(await openid.fetchUserInfo(configuration, tokens.access_token, idToken.sub)) }
      : idToken
    const text = (name: string, most: number): string | null =>
      typeof claims[name] === 'string' && claims[name] ? claims[name].slice(0, most) : null
    // Azure AD B2C lists addresses.
    const listed = Array.isArray(claims.emails) && typeof claims.emails[0] === 'string' ? claims.emails[0] : null
    return {
      subject: idToken.sub,
      email: (text('email', 254) ?? listed)?.toLowerCase() ?? null,
      emailVerified: claims.email_verified === true || claims.email_verified === 'true',
      name: text('name', 255),
      givenName: text('given_name', 100),
      familyName: text('family_name', 100),
      locale: text('locale', 35),
    }
  })
