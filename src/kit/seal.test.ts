import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deriveKey, readSigned, seal, sign, unseal } from './seal.ts'

const key = deriveKey('a secret', 'tests')
const other = deriveKey('a secret', 'other tests')

test('what is sealed opens for its own row and under its own key only', () => {
  fc.assert(
    fc.property(fc.string(), fc.string({ minLength: 1 }), (text, row) => {
      const sealed = seal(key, text, row)
      expect(unseal(key, sealed, row)).toBe(text)
      expect(() => unseal(key, sealed, `${row}x`)).toThrow()
      expect(() => unseal(other, sealed, row)).toThrow()
      expect(seal(key, text, row)).not.toBe(sealed)
    }),
  )
})

test('any altered byte is noticed', () => {
  const sealed = seal(key, 'JBSWY3DPEHPK3PXP', 'row')
  const bytes = Buffer.from(sealed.slice(3), 'base64url')
  for (let at = 0; at < bytes.length; at++) {
    const altered = Buffer.from(bytes)
    altered[at] = (altered[at] as number) ^ 1
    expect(() => unseal(key, `v1.${altered.toString('base64url')}`, 'row')).toThrow()
  }
  expect(() => unseal(key, 'v1.', 'row')).toThrow()
  expect(() => unseal(key, sealed.slice(3), 'row')).toThrow()
})

test('a signed text is read back, and nothing else is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (text, noise) => {
      const signed = sign(key, text)
      expect(readSigned(key, signed)).toBe(text)
      expect(readSigned(other, signed)).toBeNull()
      expect(readSigned(key, noise)).toBeNull()
      expect(readSigned(key, `${signed}.`)).toBeNull()
      expect(readSigned(key, signed.replace(/\..*/, '.'))).toBeNull()
    }),
  )
})
