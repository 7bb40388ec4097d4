import { sql } from 'kysely'
import { z } from 'zod'
import type { Context } from '../../kit/operation.ts'
import { type SealedEntry, checkEntry, genesis } from './audit-chain.ts'
import { chainKey, entryColumns } from './seal-audit.ts'
import { type Witness, passesThrough, readHead, readWitness } from './witness-chain.ts'

const pageSize = 2_000
const mostFaults = 100

const fault = z.object({
  kind: z.enum(['altered', 'removed', 'inserted', 'forged', 'emptied', 'rewound']),
  /** Place in the chain: of the entry, or of the first one that is missing. */
  sequence: z.number(),
  id: z.uuid().nullable(),
  detail: z.string(),
})

export const verification = z.object({
  holds: z.boolean(),
  /** Entries of the chain that were looked at. */
  checked: z.number(),
  head: z.object({ sequence: z.number(), hash: z.string() }),
  /** What the blob store remembers of the chain. */
  witness: z.object({ sequence: z.number(), hash: z.string() }).nullable(),
  /** Committed and not in the chain yet. */
  unsealed: z.number(),
  oldest_unsealed: z.string().nullable(),
  /** Emptied by an erasure that the ledger knows. */
  erased: z.number(),
  /** At most 100. */
  faults: z.array(fault),
})
type Fault = z.output<typeof fault>

const details: Record<Fault['kind'], string> = {
  altered: 'The entry is not what was sealed.',
  removed: 'Entries before this one are gone.',
  inserted: 'An entry stands where another one has its place.',
  forged: 'The entry was sealed elsewhere than in this installation.',
  emptied: 'The entry was emptied, and no erasure says so.',
  rewound: 'The chain does not go on from the entry before.',
}

/** Walks a tenant's whole chain, in one transaction of reading. `known`: an end that somebody wrote down earlier. */
export async function verifyAudit(
  { tx, services, principal }: Context,
  known?: Witness,
): Promise<z.input<typeof verification>> {
  const key = chainKey(services.config.secret)
  const head = await readHead(tx)
  const faults: Fault[] = []
  const found = (kind: Fault['kind'], sequence: number, id: string | null, detail = details[kind]) => {
    if (faults.length < mostFaults) faults.push({ kind, sequence, id, detail })
  }
  let [checked, erased] = [0, 0]
  let before: Witness = { sequence: 0, hash: genesis }
  let after = { sequence: -1, id: '00000000-0000-0000-0000-000000000000' }
  for (;;) {
    const { rows } = await sql<SealedEntry>`
      select ${entryColumns}, sequence, prev_hash, hash, mac, who_salt, who_digest, details_salt, details_digest, erasure_id::text
      from audit_logs where tenant_id = current_tenant() and sequence <= ${head.sequence} and (sequence, id) > (${after.sequence}, ${after.id}::uuid)
      order by sequence, id limit ${pageSize}`.execute(tx)
    const erasures = rows.flatMap(({ erasure_id }) => erasure_id ?? [])
    const ledger = new Set(
      erasures.length
        ? (
            await sql<{ id: string }>`select known_erasures(${[...new Set(erasures)]}::uuid[]) as id`.execute(tx)
          ).rows.map(({ id }) => id)
        : [],
    )
    for (const entry of rows) {
      const wrong = checkEntry(key, before, entry, (id) => ledger.has(id))
      for (const kind of wrong)
        found(
          kind,
          kind === 'removed' ? before.sequence + 1 : (entry.sequence ?? 0),
          kind === 'removed' ? null : entry.id,
        )
      checked += 1
      if (entry.erasure_id) erased += 1
      if (!wrong.includes('inserted')) before = { sequence: entry.sequence ?? 0, hash: entry.hash ?? '' }
      after = { sequence: entry.sequence ?? 0, id: entry.id }
    }
    if (rows.length < pageSize) break
  }
  if (before.sequence < head.sequence)
    found('removed', before.sequence + 1, null, 'The last entries of the chain are gone.')
  else if (before.hash !== head.hash)
    found('rewound', head.sequence, null, 'The chain does not end where it was last seen to end.')
  const { rows: beyond } = await sql<{ id: string; sequence: number }>`
    select id, sequence from audit_logs where tenant_id = current_tenant() and sequence > coalesce((select sequence from audit_chains where tenant_id = current_tenant()), 0)
    order by sequence limit 10`.execute(tx)
  for (const { id, sequence } of beyond)
    found('inserted', sequence, id, 'The entry stands behind the end of the chain.')

  let witness: Witness | null = null
  try {
    witness = await readWitness(services.storage, services.config.secret, principal.tenant)
  } catch (error) {
    found('forged', 0, null, (error as Error).message)
  }
  for (const [one, whose] of [
    [witness, 'the blob store remembers'],
    [known, 'you name'],
  ] as const)
    if (one && !(await passesThrough(tx, one)))
      found(
        'rewound',
        one.sequence,
        null,
        `The chain does not go through the entry that ${whose}: it was cut off or written anew.`,
      )

  const { rows: waiting } = await sql<{ unsealed: number; oldest: string | null }>`
    select count(*) as unsealed, min(created_at) as oldest from audit_logs where tenant_id = current_tenant() and sequence is null`.execute(
    tx,
  )
  return {
    holds: faults.length === 0,
    checked,
    head,
    witness,
    unsealed: waiting[0]?.unsealed ?? 0,
    oldest_unsealed: waiting[0]?.oldest ?? null,
    erased,
    faults,
  }
}
