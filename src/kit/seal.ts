import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

/** A key of its own for each purpose, of 32 bytes, from the installation's secret (HKDF with SHA-256, RFC 5869). */
export const deriveKey = (secret: string, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, '', `voicepress ${purpose}`, 32))

/**
 * Encrypts a short text so that only this installation reads it (AES-256-GCM, NIST SP 800-38D). `bound` names what it belongs to, a
 * row say: what is sealed for one row doesn't open in another.
 */
export function seal(key: Buffer, text: string, bound: string): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(bound))
  const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return `v1.${sealed.toString('base64url')}`
}

/** Throws when it was altered, belongs to something else, or was sealed under another secret. */
export function unseal(key: Buffer, sealed: string, bound: string): string {
  const bytes = Buffer.from(sealed.replace(/^v1\./, ''), 'base64url')
  if (!sealed.startsWith('v1.') || bytes.length < 28) throw new Error('not a sealed text')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
  decipher.setAAD(Buffer.from(bound)).setAuthTag(bytes.subarray(-16))
  return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8')
}

/** A text with its HMAC-SHA256, fit for an address; it is signed, not hidden. */
export const sign = (key: Buffer, text: string): string =>
  `${Buffer.from(text).toString('base64url')}.${createHmac('sha256', key).update(text).digest('base64url')}`

/** The text, or null when the signature isn't ours. */
export function readSigned(key: Buffer, signed: string): string | null {
  const [body = '', signature = '', ...rest] = signed.split('.')
  const text = Buffer.from(body, 'base64url').toString('utf8')
  const expected = createHmac('sha256', key).update(text).digest()
  const given = Buffer.from(signature, 'base64url')
  return rest.length === 0 && given.length === expected.length && timingSafeEqual(given, expected) ? text : null
}
