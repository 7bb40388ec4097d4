import fc from 'fast-check'
import { isIP } from 'node:net'
import { expect, test } from 'vitest'
import { isPublicAddress } from './public-address.ts'
import { parsePublicUrl } from './safe-fetch.ts'

const run = { numRuns: 2_000 }
const byte = fc.integer({ min: 0, max: 255 })
const quad = fc.tuple(byte, byte, byte, byte)
const word = fc.integer({ min: 0, max: 0xffff })

const numberOf = (parts: number[]): number => parts.reduce((sum, part) => sum * 256 + part, 0)

/** What is not public, said a second time and in another way: first and last address of each network. */
const ranges = (
  [
    ['0.0.0.0', '0.255.255.255'],
    ['10.0.0.0', '10.255.255.255'],
    ['100.64.0.0', '100.127.255.255'],
    ['127.0.0.0', '127.255.255.255'],
    ['169.254.0.0', '169.254.255.255'],
    ['172.16.0.0', '172.31.255.255'],
    ['192.0.0.0', '192.0.0.255'],
    ['192.0.2.0', '192.0.2.255'],
    ['192.31.196.0', '192.31.196.255'],
    ['192.52.193.0', '192.52.193.255'],
    ['192.88.99.0', '192.88.99.255'],
    ['192.168.0.0', '192.168.255.255'],
    ['192.175.48.0', '192.175.48.255'],
    ['198.18.0.0', '198.19.255.255'],
    ['198.51.100.0', '198.51.100.255'],
    ['203.0.113.0', '203.0.113.255'],
    ['224.0.0.0', '255.255.255.255'],
  ] as const
).map(([first, last]) => [first, last].map((text) => numberOf(text.split('.').map(Number))) as [number, number])
const isSpecial = (parts: number[]): boolean =>
  ranges.some(([first, last]) => numberOf(parts) >= first && numberOf(parts) <= last)
const dotted = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.')

test('each network of IPv4 is refused from its first address to its last', () => {
  for (const [first, last] of ranges) {
    expect.soft(isPublicAddress(dotted(first))).toBe(false)
    expect.soft(isPublicAddress(dotted(last))).toBe(false)
    for (const beside of [first - 1, last + 1].filter((value) => value >= 0 && value <= 0xffffffff))
      expect
        .soft(isPublicAddress(dotted(beside)), dotted(beside))
        .toBe(!ranges.some(([from, to]) => beside >= from && beside <= to))
  }
})

test('every IPv4 address is public, or in one of them', () => {
  fc.assert(
    fc.property(quad, (parts) => isPublicAddress(parts.join('.')) === !isSpecial(parts)),
    { numRuns: 20_000 },
  )
})

test('what IPv6 wraps an IPv4 address in is never public, whichever it is and however it is written', () => {
  const hex = (high: number, low: number) => ((high << 8) | low).toString(16)
  fc.assert(
    fc.property(quad, word, (parts, rest) => {
      const [a, b, c, d] = parts
      const [text, high, low] = [parts.join('.'), hex(a, b), hex(c, d)]
      const forms = [
        `::ffff:${text}`,
        `::FFFF:${text}`,
        `::ffff:${high}:${low}`,
        `0:0:0:0:0:ffff:${high}:${low}`,
        `0000:0000:0000:0000:0000:ffff:${text}`,
        `::${text}`,
        `::${high}:${low}`,
        `::ffff:0:${text}`,
        `64:ff9b::${text}`,
        `64:ff9b::${high}:${low}`,
        `64:ff9b:1::${high}:${low}`,
        `64:ff9b:1:${rest.toString(16)}::${high}:${low}`,
        `2002:${high}:${low}::1`,
        `2002:${high}:${low}:${rest.toString(16)}::`,
        `2001:0:${high}:${low}::1`,
        `2001::${high}:${low}`,
      ]
      return forms.every((form) => isIP(form) === 6 && !isPublicAddress(form))
    }),
    run,
  )
})

test('of IPv6 all but global unicast is refused', () => {
  fc.assert(
    fc.property(fc.array(word, { minLength: 8, maxLength: 8 }), (words) => {
      const address = words.map((one) => one.toString(16)).join(':')
      const [first = 0, second = 0, third = 0] = words
      const isGlobal = first >= 0x2000 && first <= 0x3fff
      const isReserved =
        (first === 0x2001 && second < 0x200) ||
        (first === 0x2001 && second === 0xdb8) ||
        first === 0x2002 ||
        (first === 0x3fff && second < 0x1000) ||
        (first === 0x2620 && second === 0x4f && third === 0x8000)
      return isPublicAddress(address) === (isGlobal && !isReserved)
    }),
    run,
  )
  for (const address of [
    '::',
    '::1',
    'fe80::1',
    'fe80::1%eth0',
    '2600::1%eth0',
    'febf::1',
    'fec0::1',
    'fc00::1',
    'fdff::1',
    'ff02::1',
    '100::1',
    '2001:db8::1',
    '5f00::1',
    '4000::',
    '1fff:ffff::',
  ])
    expect.soft(isPublicAddress(address), address).toBe(false)
  for (const address of ['2606:4700:4700::1111', '2a00:1450::1', '2001:200::1', '2003::1', '3ffe::1'])
    expect.soft(isPublicAddress(address), address).toBe(true)
})

test('what is no address is not public', () => {
  fc.assert(
    fc.property(fc.string(), (text) => isIP(text) !== 0 || !isPublicAddress(text)),
    run,
  )
  for (const text of ['', 'localhost', '1.2.3', '0x7f.1', '127.0.0.1 ', '[::1]', '1.1.1.1/32', '01.1.1.1'])
    expect.soft(isPublicAddress(text), text).toBe(false)
})

test('an address in any other notation of the same number is read as that number', () => {
  fc.assert(
    fc.property(quad, (parts) => {
      const value = numberOf(parts)
      const [a = 0, b = 0, c = 0, d = 0] = parts
      const forms = [
        String(value),
        `0x${value.toString(16)}`,
        `0${value.toString(8)}`,
        parts.map((part) => `0x${part.toString(16)}`).join('.'),
        parts.map((part) => `0${part.toString(8)}`).join('.'),
        `${a}.${b * 65536 + c * 256 + d}`,
        `${a}.${b}.${c * 256 + d}`,
        `${parts.join('.')}.`,
        parts.join('\u3002'),
        [...parts.join('.')].map((one) => (/\d/.test(one) ? String.fromCodePoint(0xff10 + Number(one)) : one)).join(''),
        encodeURI(parts.join('.')).replace('1', '%31'),
      ]
      return forms.every((form) => parsePublicUrl(`http://${form}/`).hostname === parts.join('.'))
    }),
    run,
  )
})
