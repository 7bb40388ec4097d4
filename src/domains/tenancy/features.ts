import { sql } from 'kysely'
import { z } from 'zod'
import type { Tx } from '../../kit/database.ts'
import { Problem } from '../../kit/errors.ts'

/** What a plan may have or not have. `models` are the recognition models it may use. */
export const features = z.strictObject({
  models: z.array(z.enum(['tiny', 'base', 'small', 'medium', 'large'])).optional(),
  diarization: z.boolean().optional(),
  music_removal: z.boolean().optional(),
  translation: z.boolean().optional(),
  white_label: z.boolean().optional(),
  custom_domain: z.boolean().optional(),
})
export type Features = z.output<typeof features>
export type Feature = Exclude<keyof Features, 'models'>

/** A tenant without a plan is the installation's own, and has everything. */
function includes(of: Features | null, wanted: Feature | { model: string }): boolean {
  if (of === null) return true
  return typeof wanted === 'string' ? of[wanted] === true : (of.models ?? []).some((model) => model === wanted.model)
}

/**
 * Asks whether the tenant's plan has a feature, before any work.
 * @throws Problem 403 not_entitled with `feature`
 */
export async function requireFeature(tx: Tx, wanted: Feature | { model: string }): Promise<void> {
  const { rows } = await sql<{
    features: Features | null
  }>`select features from tenant_facts(current_tenant())`.execute(tx)
  if (includes(rows[0]?.features ?? null, wanted)) return
  const feature = typeof wanted === 'string' ? wanted : `model ${wanted.model}`
  throw new Problem(403, 'not_entitled', `Your plan does not have ${feature.replaceAll('_', ' ')}.`, { feature })
}
