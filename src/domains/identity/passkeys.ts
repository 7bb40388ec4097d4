import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { sql } from 'kysely'
import { z } from 'zod'
import { Problem, notFound } from '../../kit/errors.ts'
import { type Context, operation } from '../../kit/operation.ts'
import { Id } from '../../kit/table.ts'
import { actAsBefore, actAsSystem } from './act-as.ts'
import { invalidChallenge, makeChallenge, takeChallenge } from './challenges.ts'
import { userCredentials } from './factors.table.ts'
import { ownRow } from './me.ts'
import { openSession, signedIn } from './open-session.ts'
import { signedInUser, userOf } from './person.ts'
import { siteOrigin } from './site-origin.ts'

/** As the browser's own interface takes and gives it (Web Authentication Level 3, 5.1 and 5.10, in JSON). */
const options = z.object({ options: z.record(z.string(), z.unknown()) })
const base64url = z
  .string()
  .max(10_000)
  .regex(/^[A-Za-z0-9_-]*$/)
const response = z.looseObject({
  id: base64url,
  rawId: base64url,
  type: z.literal('public-key'),
  response: z.looseObject({ clientDataJSON: base64url }),
  clientExtensionResults: z.record(z.string(), z.unknown()).default({}),
})
const none = z.object({})
const mostPasskeys = 20

/** Two hundred modules that most commands never need. */
const loadWebAuthn = () => import('@simplewebauthn/server')

const fromBase64url = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, 'base64url'))

async function site(context: Context): Promise<{ expectedOrigin: string; expectedRPID: string }> {
  const origin = await siteOrigin(context)
  return { expectedOrigin: origin, expectedRPID: new URL(origin).hostname }
}

/** The challenge that the authenticator says it signed; whether it did is verified after. */
function challengeIn(clientDataJson: string): string {
  try {
    const { challenge } = JSON.parse(Buffer.from(clientDataJson, 'base64url').toString()) as { challenge: string }
    return Buffer.from(challenge, 'base64url').toString()
  } catch {
    throw invalidChallenge()
  }
}

const refused = () => new Problem(401, 'wrong_credentials', 'This passkey does not open an account here.')

export const passkeyOperations = {
  list: operation({
    name: 'me.passkeys',
    method: 'GET',
    path: '/v1/me/passkeys',
    summary: 'List your passkeys',
    input: none,
    output: z.object({ items: z.array(userCredentials.row) }),
    async run(context) {
      return {
        items: await context.tx
          .selectFrom('user_credentials')
          .selectAll()
          .where('user_id', '=', userOf(context))
          .orderBy('id')
          .execute(),
      }
    },
  }),
  begin: operation({
    name: 'me.begin_passkey',
    method: 'POST',
    path: '/v1/me/passkeys/options',
    summary: 'Begin to add a passkey: what the browser makes one from',
    input: none,
    output: options,
    async run(context) {
      const user = signedInUser(context)
      const { email, full_name } = await ownRow(context)
      const known = await context.tx
        .selectFrom('user_credentials')
        .select(['credential_id', 'transports'])
        .where('user_id', '=', user)
        .execute()
      if (known.length >= mostPasskeys)
        throw new Problem(409, 'too_many', `At most ${mostPasskeys} passkeys.`, { limit: mostPasskeys })
      const { expectedRPID } = await site(context)
      const { generateRegistrationOptions } = await loadWebAuthn()
      const made = await generateRegistrationOptions({
        rpName: 'Voicepress',
        rpID: expectedRPID,
        userName: email,
        userDisplayName: full_name ?? email,
        userID: new Uint8Array(Buffer.from(user.replaceAll('-', ''), 'hex')),
        challenge: await makeChallenge(context, 'add_passkey', { user }),
        attestationType: 'none',
        excludeCredentials: known.map(({ credential_id, transports }) => ({
          id: credential_id,
          transports: transports as never,
        })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      })
      return { options: made as unknown as Record<string, unknown> }
    },
  }),
  add: operation({
    name: 'me.add_passkey',
    method: 'POST',
    path: '/v1/me/passkeys',
    summary: 'Add the passkey that the browser made',
    input: z.strictObject({ name: z.string().min(1).max(100), response }),
    output: userCredentials.row,
    async run(context, { name, response }) {
      const user = signedInUser(context)
      const challenge = challengeIn(response.response.clientDataJSON)
      const begun = await takeChallenge(context, 'add_passkey', challenge)
      if (begun.user !== user || begun.tenant !== context.principal.tenant) throw invalidChallenge()
      await actAsBefore(context)
      const { verifyRegistrationResponse } = await loadWebAuthn()
      const { verified, registrationInfo } = await verifyRegistrationResponse({
        response: response as unknown as RegistrationResponseJSON,
        expectedChallenge: Buffer.from(challenge).toString('base64url'),
        ...(await site(context)),
        requireUserVerification: true,
      }).catch(() => ({ verified: false, registrationInfo: undefined }))
      if (!verified || !registrationInfo)
        throw new Problem(400, 'invalid_passkey', 'response: is not what a passkey for this site answers', {
          field: 'response',
        })
      const { credential, credentialBackedUp } = registrationInfo
      const row = await context.tx
        .insertInto('user_credentials')
        .values({
          user_id: user,
          name,
          credential_id: credential.id,
          public_key: Buffer.from(credential.publicKey).toString('base64url'),
          counter: credential.counter,
          transports: credential.transports ?? [],
          backed_up: credentialBackedUp,
        })
        .returningAll()
        .executeTakeFirstOrThrow()
      await context.emit('security.passkey_added', {
        user_id: user,
        severity: 'low',
        ip_address: context.request.address,
        details: { passkey_id: row.id },
      })
      return row
    },
  }),
  remove: operation({
    name: 'me.remove_passkey',
    method: 'DELETE',
    path: '/v1/me/passkeys/:id',
    summary: 'Remove a passkey',
    input: z.object({ id: Id }),
    output: z.object({ id: Id }),
    async run(context, { id }) {
      const user = signedInUser(context)
      await context.tx
        .deleteFrom('user_credentials')
        .where('id', '=', id)
        .where('user_id', '=', user)
        .returning('id')
        .executeTakeFirstOrThrow(() => notFound('passkey'))
      await context.emit('security.passkey_removed', {
        user_id: user,
        severity: 'low',
        ip_address: context.request.address,
        details: { passkey_id: id },
      })
      return { id }
    },
  }),
  beginSignIn: operation({
    name: 'sessions.begin_passkey',
    method: 'POST',
    path: '/v1/sessions/passkey/options',
    summary: 'Begin to sign in with a passkey; the browser knows whose it has, and nobody is asked for an address',
    public: true,
    input: none,
    output: options,
    async run(context) {
      await actAsSystem(context)
      const { expectedRPID } = await site(context)
      const { generateAuthenticationOptions } = await loadWebAuthn()
      const made = await generateAuthenticationOptions({
        rpID: expectedRPID,
        challenge: await makeChallenge(context, 'passkey'),
        userVerification: 'required',
      })
      return { options: made as unknown as Record<string, unknown> }
    },
  }),
  signIn: operation({
    name: 'sessions.create_with_passkey',
    method: 'POST',
    path: '/v1/sessions/passkey',
    summary: 'Sign in with a passkey',
    public: true,
    input: z.strictObject({ response, kind: z.enum(['browser', 'program']).default('browser') }),
    output: signedIn,
    async run(context, { response, kind }) {
      const { tx } = context
      const challenge = challengeIn(response.response.clientDataJSON)
      const { tenant } = await takeChallenge(context, 'passkey', challenge)
      const held = await tx
        .selectFrom('user_credentials')
        .selectAll()
        .where('credential_id', '=', response.id)
        .forUpdate()
        .executeTakeFirstOrThrow(refused)
      const { verifyAuthenticationResponse } = await loadWebAuthn()
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        response: response as unknown as AuthenticationResponseJSON,
        expectedChallenge: Buffer.from(challenge).toString('base64url'),
        ...(await site(context)),
        credential: {
          id: held.credential_id,
          publicKey: fromBase64url(held.public_key),
          counter: held.counter,
          transports: held.transports as never,
        },
        requireUserVerification: true,
      }).catch(() => ({ verified: false, authenticationInfo: undefined }))
      if (!verified || !authenticationInfo) throw refused()
      const user = await tx
        .selectFrom('users')
        .selectAll()
        .where('id', '=', held.user_id)
        .where('deleted_at', 'is', null)
        .where('suspended_at', 'is', null)
        .executeTakeFirstOrThrow(refused)
      await tx
        .updateTable('user_credentials')
        .set({ counter: authenticationInfo.newCounter, last_used_at: sql`now()` })
        .where('id', '=', held.id)
        .execute()
      return openSession(context, user, { kind, method: 'passkey', tenant })
    },
  }),
}
