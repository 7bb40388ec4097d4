import { Resolver } from 'node:dns/promises'
import { domainToASCII } from 'node:url'
import { Problem } from '../../kit/errors.ts'

/** Asks the name servers of the world; tests give one of their own. */
export type ResolveTxt = (name: string) => Promise<string[][]>

/** Not the machine's own cache and hosts file: `node:dns` asks the servers it is configured with. */
export const resolveTxt: ResolveTxt = (name) => new Resolver({ timeout: 3000, tries: 2 }).resolveTxt(name)

const label = '_voicepress'
const prefix = 'voicepress-verification='

/** The record that proves who holds a domain. */
export const proofOf = (domain: string, token: string): { name: string; type: 'TXT'; value: string } => ({
  name: `${label}.${domain}`,
  type: 'TXT',
  value: prefix + token,
})

/** Tokens that stand at the domain now; none when there is no such record. Throws Problem 502 dns_unreachable. */
export async function findProofs(resolve: ResolveTxt, domain: string): Promise<string[]> {
  const records = await resolve(`${label}.${domain}`).catch((error: { code?: string }) => {
    if (['ENOTFOUND', 'ENODATA', 'NXDOMAIN'].includes(error.code ?? '')) return []
    throw new Problem(
      502,
      'dns_unreachable',
      `The name servers of ${domain} did not answer (${error.code ?? 'unknown'}); try again.`,
    )
  })
  return records
    .map((parts) => parts.join(''))
    .flatMap((record) => (record.startsWith(prefix) ? [record.slice(prefix.length).trim()] : []))
}

/** Fetches a page of somebody's choice: public addresses only. */
export type FetchPage = (url: string) => Promise<Response>

const path = '/.well-known/voicepress-verification.txt'

/** Where the same token may lie instead, on the server that the domain leads to now. */
export const pageOf = (domain: string): string => `https://${domain}${path}`

/** Tokens that stand in that file, a line each; none when it is not there or cannot be fetched. */
export async function findPageProofs(fetch: FetchPage, domain: string): Promise<string[]> {
  const page = await fetch(pageOf(domain)).catch(() => null)
  if (page?.status !== 200) return []
  return (await page.text())
    .split(/\r?\n/)
    .map((line) => line.replace(prefix, '').trim())
    .filter((line) => /^[0-9a-f]{40}$/.test(line))
}

/**
 * A domain in its ASCII form (UTS 46), as DNS and browsers know it.
 * @throws Problem 400 invalid_input
 */
export function normalizeDomain(written: string, own: string | undefined): string {
  const domain = domainToASCII(written.trim().replace(/\.$/, '').toLowerCase())
  const refused = (why: string) => new Problem(400, 'invalid_input', `domain: ${why}`, { field: 'domain' })
  if (domain.length > 253 || !/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$/.test(domain))
    throw refused('must be a domain name, as in books.example.com')
  if (/\.(localhost|local|internal|test|invalid|onion|arpa)$/.test(domain))
    throw refused('is no domain that the world can reach')
  if (own && (domain === own || domain.endsWith(`.${own}`))) throw refused('belongs to this server')
  return domain
}
