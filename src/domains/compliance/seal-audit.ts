import { sql } from 'kysely'
import { type Tx, scoped } from '../../kit/database.ts'
import type { Kernel } from '../../kit/kernel.ts'
import { deriveKey } from '../../kit/seal.ts'
import { type Entry, type Seal, sealEntries } from './audit-chain.ts'
import { keepWitness } from './witness-chain.ts'

const batch = 1_000

export const chainKey = (secret: string): Buffer => deriveKey(secret, 'audit chain')

/** An entry's columns as text; `cast` and not `to_json`, which would write times in the session's own way. */
export const entryColumns = sql.raw(`
  id::text, tenant_id::text, user_id::text, action, resource_type, resource_id::text, request_id, user_email, ip_address::text as address, user_agent,
  details::text as details, to_char(created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as created`)

async function sealBatch(tx: Tx, key: Buffer): Promise<number> {
  const { rows: ending } = await sql<{ sequence: number; hash: string }>`select * from lock_audit_chain()`.execute(tx)
  const { rows } = await sql<Entry>`
    select ${entryColumns} from audit_logs where tenant_id = current_tenant() and sequence is null order by created_at, id limit ${batch}`.execute(
    tx,
  )
  const [head] = ending
  if (!head || rows.length === 0) return 0
  const seals = sealEntries(key, head, rows).map(({ created, id, ...seal }) => ({
    ...pickSeal(seal),
    id,
    created_at: created,
  }))
  await sql`select seal_audit_logs(${JSON.stringify(seals)}::jsonb)`.execute(tx)
  return rows.length
}

const pickSeal = ({
  sequence,
  prev_hash,
  hash,
  mac,
  who_salt,
  who_digest,
  details_salt,
  details_digest,
}: Seal): Seal => ({
  sequence,
  prev_hash,
  hash,
  mac,
  who_salt,
  who_digest,
  details_salt,
  details_digest,
})

/** Seals all entries of a tenant that are committed by now. Inserts don't wait for it; two processes that seal at once wait for each other. */
export async function sealTenant({ pool, config }: Pick<Kernel, 'pool' | 'config'>, tenant: string): Promise<number> {
  const key = chainKey(config.secret)
  let sealed = 0
  for (;;) {
    const count = await scoped(pool, { tenant, user: null, seesAll: true, action: 'audit.seal' }, (tx) =>
      sealBatch(tx, key),
    )
    sealed += count
    if (count < batch) return sealed
  }
}

export interface Sealer {
  /** Seals what waits in all tenants, and keeps a witness of each chain's end beside the database, at most once a minute a tenant. */
  run(options?: { witnessNow?: boolean }): Promise<void>
}

const witnessEvery = 60_000

export function openSealer(kernel: Kernel): Sealer {
  const nobody = { tenant: '00000000-0000-0000-0000-000000000000', user: null, seesAll: true }
  const witnessed = new Map<string, number>()
  const moved = new Set<string>()
  return {
    async run({ witnessNow = false } = {}) {
      const { rows } = await scoped(
        kernel.pool,
        nobody,
        (tx) => sql<{ tenant: string }>`select unsealed_tenants() as tenant`.execute(tx),
        true,
      )
      for (const { tenant } of rows) if ((await sealTenant(kernel, tenant)) > 0) moved.add(tenant)
      for (const tenant of moved) {
        if (!witnessNow && Date.now() - (witnessed.get(tenant) ?? 0) < witnessEvery) continue
        const isFirstTold = witnessed.get(tenant) !== Number.POSITIVE_INFINITY
        const holds = await keepWitness(kernel, tenant, isFirstTold)
        witnessed.set(tenant, holds ? Date.now() : Number.POSITIVE_INFINITY)
        moved.delete(tenant)
      }
    },
  }
}
