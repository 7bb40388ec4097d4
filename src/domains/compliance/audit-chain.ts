import { createHash, createHmac, randomBytes } from 'node:crypto'

/** What the first entry of a chain goes on from. */
export const genesis = '0'.repeat(64)

/** An entry as text, exactly as PostgreSQL writes it: jsonb, inet and microseconds don't survive a parser. */
export interface Entry {
  id: string
  tenant_id: string
  user_id: string | null
  action: string
  resource_type: string | null
  resource_id: string | null
  request_id: string | null
  /** UTC with microseconds. */
  created: string
  user_email: string | null
  address: string | null
  user_agent: string | null
  details: string
}

export interface Seal {
  sequence: number
  prev_hash: string
  hash: string
  mac: string
  who_salt: string
  who_digest: string
  details_salt: string
  details_digest: string
}

export type SealedEntry = Entry & { [K in keyof Seal]: Seal[K] | null } & { erasure_id: string | null }

export type Fault = 'altered' | 'removed' | 'inserted' | 'forged' | 'emptied' | 'rewound'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const digestWho = (salt: string, { user_email, address, user_agent }: Entry): string =>
  sha256(`${salt}\n${JSON.stringify([user_email, address, user_agent])}`)
const digestDetails = (salt: string, { details }: Entry): string => sha256(`${salt}\n${details}`)

/** SHA-256 of the entry before, and of everything that an erasure leaves as it is. */
function hashEntry(entry: Entry, sequence: number, previous: string, who: string, details: string): string {
  const { id, tenant_id, user_id, action, resource_type, resource_id, request_id, created } = entry
  const lasting = [1, sequence, tenant_id, id, created, user_id, action, resource_type, resource_id, request_id]
  return sha256(`${previous}\n${JSON.stringify([...lasting, who, details])}`)
}

const macOf = (key: Buffer, hash: string): string => createHmac('sha256', key).update(hash).digest('hex')

/** Goes on with a chain; `entries` in the order that they will have in it. */
export function sealEntries<E extends Entry>(
  key: Buffer,
  head: { sequence: number; hash: string },
  entries: E[],
): (E & Seal)[] {
  let { sequence, hash } = head
  return entries.map((entry) => {
    const [who_salt, details_salt] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')]
    const [who_digest, details_digest] = [digestWho(who_salt, entry), digestDetails(details_salt, entry)]
    const prev_hash = hash
    sequence += 1
    hash = hashEntry(entry, sequence, prev_hash, who_digest, details_digest)
    return {
      ...entry,
      sequence,
      prev_hash,
      hash,
      mac: macOf(key, hash),
      who_salt,
      who_digest,
      details_salt,
      details_digest,
    }
  })
}

/**
 * What is wrong with one entry, after the one that the chain had before it; nothing, when all holds. `isErased` tells whether an erasure is
 * known. An entry that an erasure emptied has lost its salts and keeps its digests.
 */
export function checkEntry(
  key: Buffer,
  before: { sequence: number; hash: string },
  entry: SealedEntry,
  isErased: (id: string) => boolean,
): Fault[] {
  const faults: Fault[] = []
  const { sequence, prev_hash, hash, mac, who_salt, who_digest, details_salt, details_digest, erasure_id } = entry
  if (sequence === null || hash === null || who_digest === null || details_digest === null) return ['altered']
  if (sequence <= before.sequence) return ['inserted']
  if (sequence > before.sequence + 1) faults.push('removed')
  else if (prev_hash !== before.hash) faults.push('rewound')
  const holds = {
    hash: hashEntry(entry, sequence, prev_hash ?? '', who_digest, details_digest) === hash,
    who:
      who_salt === null
        ? [entry.user_email, entry.address, entry.user_agent].every((value) => value === null)
        : digestWho(who_salt, entry) === who_digest,
    details: details_salt === null ? entry.details === '{}' : digestDetails(details_salt, entry) === details_digest,
  }
  if (!holds.hash || !holds.who || !holds.details) faults.push('altered')
  if (mac !== macOf(key, hash)) faults.push('forged')
  if ((who_salt === null || details_salt === null) && !(erasure_id !== null && isErased(erasure_id)))
    faults.push('emptied')
  return faults
}
