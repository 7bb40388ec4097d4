import { deriveKey } from '../../kit/seal.ts'

export const accessTokenMinutes = 15

interface AccessClaims {
  tenant: string
  user: string
  session: string
}

export interface AccessTokens {
  sign(claims: AccessClaims): Promise<string>
  /** null for what we didn't sign, what has expired, and what is signed in any other way. */
  verify(token: string): Promise<AccessClaims | null>
}

/** Not loaded by commands that meet no token. */
const loadJose = () => import('jose')

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Access tokens after RFC 9068, signed with HS256 and a key that only this installation can derive: who signs them is who reads them. */
export function openAccessTokens(secret: string): AccessTokens {
  const key = new Uint8Array(deriveKey(secret, 'access tokens'))
  return {
    async sign({ tenant, user, session }) {
      const { SignJWT } = await loadJose()
      return new SignJWT({ tid: tenant, sid: session })
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
        .setSubject(user)
        .setIssuer('voicepress')
        .setAudience('voicepress')
        .setIssuedAt()
        .setExpirationTime(`${accessTokenMinutes}m`)
        .setJti(crypto.randomUUID())
        .sign(key)
    },
    async verify(token) {
      const { jwtVerify } = await loadJose()
      try {
        // The algorithm is ours to name and not the token's (RFC 8725, 3.1).
        const { payload } = await jwtVerify(token, key, {
          algorithms: ['HS256'],
          typ: 'at+jwt',
          issuer: 'voicepress',
          audience: 'voicepress',
          requiredClaims: ['exp', 'iat', 'sub', 'sid', 'tid'],
        })
        const claims = { tenant: String(payload.tid), user: String(payload.sub), session: String(payload.sid) }
        return Object.values(claims).every((claim) => uuid.test(claim)) ? claims : null
      } catch {
        return null
      }
    },
  }
}

/** Three parts of base64url: anything else is no JWT and need not be looked at. */
export const looksLikeJwt = (token: string): boolean =>
  token.length < 2000 && /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/.test(token)
