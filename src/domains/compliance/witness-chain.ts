import { createHmac, timingSafeEqual } from 'node:crypto'
import { sql } from 'kysely'
import { z } from 'zod'
import type { BlobStore } from '../../engines/storage/storage.ts'
import { type Tx, scoped } from '../../kit/database.ts'
import { Problem } from '../../kit/errors.ts'
import { type Kernel, emit } from '../../kit/kernel.ts'
import { deriveKey } from '../../kit/seal.ts'

/** The end of a chain as it once was, kept where whoever rewrites the database has to reach too. */
export interface Witness {
  sequence: number
  hash: string
}

const stored = z.object({ sequence: z.number().int().min(0), hash: z.string().length(64), mac: z.string() })
const nameOf = (tenant: string): string => `tenants/${tenant}/audit/head.json`
const macOf = (secret: string, tenant: string, { sequence, hash }: Witness): string =>
  createHmac('sha256', deriveKey(secret, 'audit witness')).update(`${tenant} ${sequence} ${hash}`).digest('hex')

/** null when there is none yet. Throws Problem 500 witness_forged when it isn't ours. */
export async function readWitness(storage: BlobStore, secret: string, tenant: string): Promise<Witness | null> {
  const bytes = await storage.read(nameOf(tenant)).catch((error) => {
    if (error instanceof Problem && error.status === 404) return null
    throw error
  })
  if (!bytes) return null
  const { mac, ...witness } = stored.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  const [given, expected] = [Buffer.from(mac, 'hex'), Buffer.from(macOf(secret, tenant, witness), 'hex')]
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new Problem(
      500,
      'witness_forged',
      `The witness of the audit chain of ${tenant} was not written by this installation.`,
    )
  return witness
}

export async function writeWitness(
  storage: BlobStore,
  secret: string,
  tenant: string,
  witness: Witness,
): Promise<void> {
  await storage.put(nameOf(tenant), Buffer.from(JSON.stringify({ ...witness, mac: macOf(secret, tenant, witness) })), {
    mediaType: 'application/json',
  })
}

export async function readHead(tx: Tx): Promise<Witness> {
  return (
    (await tx.selectFrom('audit_chains').select(['sequence', 'hash']).executeTakeFirst()) ?? {
      sequence: 0,
      hash: '0'.repeat(64),
    }
  )
}

/** Whether the chain still goes through what was witnessed. */
export async function passesThrough(tx: Tx, { sequence, hash }: Witness): Promise<boolean> {
  if (sequence === 0) return true
  const { rows } = await sql<{
    hash: string
  }>`select hash from audit_logs where tenant_id = current_tenant() and sequence = ${sequence}`.execute(tx)
  return rows.some((row) => row.hash === hash)
}

/**
 * Writes down where the chain ends; false when it doesn't go through what was witnessed before. Then its witness stays, so that
 * `audit verify` goes on finding it until somebody acknowledges it, and a security event tells of it when `tells`.
 */
export async function keepWitness(kernel: Kernel, tenant: string, tells: boolean): Promise<boolean> {
  const { storage } = kernel.services
  const { secret } = kernel.config
  const scope = { tenant, user: null, seesAll: true, action: 'audit.witness' }
  const witness = await readWitness(storage, secret, tenant).catch(() => ({
    sequence: Number.MAX_SAFE_INTEGER,
    hash: '',
  }))
  const { head, holds } = await scoped(
    kernel.pool,
    scope,
    async (tx) => ({ head: await readHead(tx), holds: !witness || (await passesThrough(tx, witness)) }),
    true,
  )
  if (holds) await writeWitness(storage, secret, tenant, head)
  else if (tells) {
    kernel.log.error({ tenant, witness, head }, 'the audit chain does not go through its witness')
    const details = { witnessed: witness?.sequence ?? 0, ends_at: head.sequence }
    await scoped(kernel.pool, scope, (tx) =>
      emit(tx, 'security.audit_chain_broken', { user_id: null, severity: 'critical', ip_address: null, details }),
    )
  }
  return holds
}
