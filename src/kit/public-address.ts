import { BlockList, isIP } from 'node:net'

/** IPv4 that leads nowhere public: IANA's special-purpose registry (RFC 6890 and updates), multicast (RFC 5771) and class E. */
const refusedV4: [network: string, prefix: number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]

/**
 * Of IPv6 only global unicast is let through (RFC 4291, 2.4). Outside of it lie loopback, link-local, unique local, multicast, IPv4 mapped and
 * compatible addresses, and NAT64 (RFC 6052, RFC 8215). Inside of it these are refused: protocol assignments with Teredo, documentation, 6to4 and
 * the AS112 service, since behind them may be an IPv4 address of any kind, or nothing.
 */
const allowedV6: [network: string, prefix: number] = ['2000::', 3]
const refusedV6: [network: string, prefix: number][] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
]

const listOf = (networks: [string, number][], family: 'ipv4' | 'ipv6'): BlockList => {
  const list = new BlockList()
  for (const [network, prefix] of networks) list.addSubnet(network, prefix, family)
  return list
}
const v4 = listOf(refusedV4, 'ipv4')
const v6 = listOf(refusedV6, 'ipv6')
const globalV6 = listOf([allowedV6], 'ipv6')

/** Whether an address, as `node:net` writes them, is one of the public internet. What is no address is not. */
export function isPublicAddress(address: string): boolean {
  // A zone belongs to a link.
  if (address.includes('%')) return false
  const family = isIP(address)
  if (family === 4) return !v4.check(address, 'ipv4')
  return family === 6 && globalV6.check(address, 'ipv6') && !v6.check(address, 'ipv6')
}
