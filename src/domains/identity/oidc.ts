import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { z } from 'zod'
import type { Row } from '../../kit/database.ts'
import { Problem, notFound } from '../../kit/errors.ts'
import { type Context, type FileReply, file, operation } from '../../kit/operation.ts'
import { deriveKey, seal, unseal } from '../../kit/seal.ts'
import { actAsSystem, refuse } from './act-as.ts'
import { type Begun, type Claims, type Provider, authorizationUrl, readCallback } from './ask-provider.ts'
import { invalidChallenge, makeChallenge, takeChallenge } from './challenges.ts'
import type { oidcProviders } from './factors.table.ts'
import { matchPerson } from './match-person.ts'
import { clientSecretOf } from './oidc-providers.ts'
import { openSession } from './open-session.ts'
import { mustHaveSecondFactor, secondFactorsOf } from './second-factor.ts'
import { siteOrigin } from './site-origin.ts'
import { hashToken } from './tokens.ts'

/** 256 bits; as long as a code verifier has to be (RFC 7636, 4.1). */
const randomText = (): string => randomBytes(32).toString('base64url')

/** A path of this site and nothing that a browser would take for another one. */
const ownPath = z
  .string()
  .max(1000)
  .regex(/^\/(?![/\\])[^\\\p{Cc}]*$/u, 'must be a path of this site')
  .refine((path) => URL.canParse(path, 'http://a.invalid') && new URL(path, 'http://a.invalid').host === 'a.invalid')

const kept = z.object({
  provider: z.uuid(),
  nonce: z.string(),
  verifier: z.string(),
  redirectUri: z.string(),
  returnTo: z.string(),
  browser: z.string(),
})
const keyOf = ({ services }: Context): Buffer => deriveKey(services.config.secret, 'OpenID sign-ins')

const isSecure = ({ request }: Context): boolean => request.origin.startsWith('https:')
const cookieName = (context: Context): string => (isSecure(context) ? '__Host-voicepress-oidc' : 'voicepress-oidc')

const providerOf = (context: Context, row: Row<typeof oidcProviders>): Provider => ({
  issuer: row.issuer,
  clientId: row.client_id,
  clientSecret: clientSecretOf(context, row),
  scopes: row.scopes.includes('openid') ? row.scopes : ['openid', ...row.scopes],
  allowPrivate: context.services.config.VOICEPRESS_PRIVATE_ADDRESSES,
})

/** A page that leads on: the browser sends a cookie that is set here only with what it asks for from here. */
function leadOn(path: string): FileReply {
  const escaped = path.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
  const bytes = Buffer.from(
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=${escaped}"><title>Signed in</title></head><body><a href="${escaped}">Signed in</a></body></html>\n`,
  )
  return {
    filename: 'signed-in.html',
    mediaType: 'text/html; charset=utf-8',
    inline: true,
    size: bytes.length,
    etag: createHash('sha256').update(bytes).digest('base64url').slice(0, 27),
    open: async () => Readable.from([bytes]),
  }
}

const parameter = z.string().max(4000).optional()

export const oidcOperations = {
  list: operation({
    name: 'oidc.list',
    method: 'GET',
    path: '/v1/oidc',
    summary: 'List the providers that this tenant signs in through, for the page that offers them',
    public: true,
    input: z.object({}),
    output: z.object({ items: z.array(z.object({ key: z.string(), name: z.string() })) }),
    async run(context) {
      await actAsSystem(context)
      return {
        items: await context.tx
          .selectFrom('oidc_providers')
          .select(['key', 'name'])
          .where('enabled', '=', true)
          .orderBy('name')
          .execute(),
      }
    },
  }),
  begin: operation({
    name: 'oidc.begin',
    method: 'POST',
    path: '/v1/oidc/:key',
    summary: 'Begin to sign in through a provider: where to send the browser',
    public: true,
    input: z.strictObject({ key: z.string().max(63), return_to: ownPath.default('/') }),
    output: z.object({ url: z.string() }),
    async run(context, { key, return_to }) {
      await actAsSystem(context)
      const row = await context.tx
        .selectFrom('oidc_providers')
        .selectAll()
        .where('key', '=', key)
        .where('enabled', '=', true)
        .executeTakeFirstOrThrow(() => notFound('provider'))
      const browser = randomText()
      const begun: Omit<Begun, 'state'> = {
        nonce: randomText(),
        verifier: randomText(),
        redirectUri: `${await siteOrigin(context)}/v1/oidc/callback`,
      }
      const state = await makeChallenge(context, 'oidc', {
        seal: (challenge) =>
          seal(
            keyOf(context),
            JSON.stringify({
              provider: row.id,
              ...begun,
              returnTo: return_to,
              browser: hashToken(browser),
            } satisfies z.input<typeof kept>),
            challenge,
          ),
      })
      // The sign-in ends only in the browser in which it began: nobody is signed in to somebody else's account by a link.
      context.header(
        'set-cookie',
        `${cookieName(context)}=${browser}; Path=/; HttpOnly; SameSite=Lax; Max-Age=600${isSecure(context) ? '; Secure' : ''}`,
      )
      return { url: await authorizationUrl(providerOf(context, row), { ...begun, state }) }
    },
  }),
  finish: operation({
    name: 'oidc.finish',
    method: 'GET',
    path: '/v1/oidc/callback',
    summary: 'Where a provider sends the browser back to',
    public: true,
    writes: true,
    input: z.object({
      state: z.string().max(200),
      code: parameter,
      iss: parameter,
      error: parameter,
      error_description: parameter,
    }),
    output: file('text/html'),
    async run(context, { state, ...parameters }): Promise<FileReply> {
      const { tenant, sealed } = await takeChallenge(context, 'oidc', state)
      const held = kept.parse(JSON.parse(unseal(keyOf(context), sealed ?? '', state)))
      const browser = context.request.cookies?.[cookieName(context)]
      if (!browser || hashToken(browser) !== held.browser) return refuse(context, invalidChallenge())
      const row = await context.tx
        .selectFrom('oidc_providers')
        .selectAll()
        .where('id', '=', held.provider)
        .where('enabled', '=', true)
        .executeTakeFirst()
      if (!row) return refuse(context, invalidChallenge())
      const given = Object.fromEntries(
        Object.entries({ state, ...parameters }).filter((entry): entry is [string, string] => entry[1] !== undefined),
      )
      let claims: Claims
      try {
        claims = await readCallback(providerOf(context, row), { ...held, state }, given)
      } catch (error) {
        if (error instanceof Problem) return refuse(context, error)
        throw error
      }
      const user = await matchPerson(context, row, claims)
      const mustSetUp = !row.handles_second_factor && (await mustHaveSecondFactor(context.tx, user.roles))
      if (!row.handles_second_factor && (await secondFactorsOf(context.tx, user.id)).totp)
        return refuse(
          context,
          new Problem(
            401,
            'second_factor_needed',
            'This account has a second factor of its own: sign in with its password and a code, or with a passkey.',
            { methods: ['passkey'] },
          ),
        )
      await openSession(context, user, { kind: 'browser', method: 'oidc', tenant, mustSetUp })
      return leadOn(held.returnTo)
    },
  }),
}
