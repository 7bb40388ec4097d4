import { sql } from 'kysely'
import type { Synthesis } from '../../engines/speech/speech.ts'
import { Problem } from '../../kit/errors.ts'
import type { JobContext } from '../../kit/jobs.ts'
import { type Metered, meter } from '../metering/meter.ts'
import type { PlannedLine } from './plan-lines.ts'

export interface SpokenLine {
  blob: string
  seconds: number
  /** Mean squares, see `PartPower`. */
  power: number
  weighted: number
}

export interface SpokenLines {
  /** By cache key. */
  spoken: Map<string, SpokenLine>
  /** Lines that cannot be spoken, by cache key. */
  failed: Map<string, Problem>
}

/** What speaking needs of a job; `id` is the job's, if there is one. */
export type Speaking = Pick<JobContext, 'principal' | 'services' | 'signal' | 'scoped'> & { id: string | null }

/** How many finished lines are measured and written down together: what a killed process may have to say again. */
const batchSize = 64

/**
 * Audio for every line, from the cache or from its engine. Each distinct line is spoken once, however often it stands in the book; what was
 * spoken is written down as it comes, so that nothing is paid for twice. A line that fails for good is told of, and the rest goes on.
 */
export async function speakLines(
  context: Speaking,
  project: string | null,
  lines: PlannedLine[],
  onSpoken: (characters: number) => void,
): Promise<SpokenLines> {
  const { storage, speech, config } = context.services
  const { tenant, user } = context.principal
  const spoken = new Map<string, SpokenLine>()
  const failed = new Map<string, Problem>()
  const wanted = new Map(lines.map((line) => [line.key, line]))

  const known = await context.scoped((tx) =>
    tx
      .updateTable('audio_cache')
      .set({
        hit_count: sql`hit_count + 1`,
        last_accessed_at: sql`now()`,
        expires_at: sql`now() + ${config.VOICEPRESS_CACHE_DAYS} * interval '1 day'`,
      })
      .where('cache_key', 'in', [...wanted.keys(), ''])
      .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', sql<string>`now()`)]))
      .returning(['cache_key', 'audio_blob', 'audio_seconds', 'audio_bytes', 'power', 'weighted_power'])
      .execute(),
  )
  for (const row of known) {
    // A blob that was cut short by a crash, or is gone, is spoken again.
    const stored = await storage.stat(row.audio_blob)
    if (stored?.size !== row.audio_bytes) continue
    spoken.set(row.cache_key, {
      blob: row.audio_blob,
      seconds: row.audio_seconds ?? 0,
      power: row.power,
      weighted: row.weighted_power,
    })
    onSpoken(wanted.get(row.cache_key)?.request.text.length ?? 0)
  }

  const missing = [...wanted.values()].filter(({ key }) => !spoken.has(key))
  let finished: { line: PlannedLine; result: Synthesis; blob: string; seconds: number }[] = []
  let writing: Promise<void> = Promise.resolve()
  const writeDown = () => {
    const batch = finished
    finished = []
    if (batch.length === 0) return
    const expires = sql<string>`now() + ${config.VOICEPRESS_CACHE_DAYS} * interval '1 day'`
    writing = writing.then(async () => {
      const powers = await context.services.media.measureParts(
        await Promise.all(batch.map(({ blob }) => storage.localPath(blob))),
        context.signal,
      )
      const rows: ((typeof batch)[number] & SpokenLine)[] = []
      for (const [index, one] of batch.entries()) {
        const measured = powers[index]
        if (measured) rows.push({ ...one, ...measured })
        else
          failed.set(one.line.key, new Problem(422, 'unreadable_audio', 'What the voice sent cannot be read as audio.'))
      }
      if (rows.length === 0) return
      await context.scoped(async (tx) => {
        const written = await tx
          .insertInto('audio_cache')
          .values(
            rows.map(({ line, result, blob, seconds, power, weighted }) => ({
              cache_key: line.key,
              text: line.request.text,
              voice_id: line.request.voice,
              voice_settings: JSON.stringify(line.request.settings) as never,
              audio_blob: blob,
              media_type: result.mediaType,
              audio_seconds: seconds,
              audio_bytes: result.audio.byteLength,
              power,
              weighted_power: weighted,
              words: JSON.stringify(
                result.words.map(({ start, end, from, to }) => [start, end, round(from), round(to)]),
              ) as never,
              expires_at: expires,
            })),
          )
          .onConflict((conflict) =>
            conflict.columns(['tenant_id', 'cache_key']).doUpdateSet((excluded) => ({
              audio_bytes: excluded.ref('excluded.audio_bytes'),
              audio_blob: excluded.ref('excluded.audio_blob'),
              audio_seconds: excluded.ref('excluded.audio_seconds'),
              power: excluded.ref('excluded.power'),
              weighted_power: excluded.ref('excluded.weighted_power'),
              expires_at: excluded.ref('excluded.expires_at'),
            })),
          )
          .returning(['audio_bytes', sql<boolean>`xmax = 0`.as('is_new')])
          .execute()
        // The cache is the tenant's: a project that goes doesn't take it along. What was there before is counted already.
        const stored = written.reduce((sum, { audio_bytes, is_new }) => sum + (is_new ? audio_bytes : 0), 0)
        await meter(
          tx,
          rows
            .map(({ line, result, seconds }) => metered(result, line, seconds))
            .concat({ user, job: context.id, usage: { resource: 'storage', amount: stored } }),
        )
      })
      for (const { line, blob, seconds, power, weighted } of rows)
        spoken.set(line.key, { blob, seconds, power, weighted })
    })
    // Awaited below; a failure in between must not count as unhandled.
    writing.catch(() => {})
  }
  const metered = ({ billed }: Synthesis, line: PlannedLine, seconds: number): Metered => ({
    user,
    project,
    job: context.id,
    usage: { resource: 'narration', amount: seconds / 60 },
    ...(billed && {
      cost: {
        service: billed.service,
        operation: billed.operation,
        units: billed.units,
        unitType: billed.unitType,
        costUsd: billed.costUsd,
        metadata: { voice_id: line.request.voice },
      },
    }),
  })

  const speakOne = async (line: PlannedLine): Promise<void> => {
    try {
      const result = await speech.synthesize({ ...line.request, signal: context.signal })
      const blob = `tenants/${tenant}/cache/${line.key.slice(0, 2)}/${line.key}.${extensionOf(result.mediaType)}`
      await storage.put(blob, result.audio, { mediaType: result.mediaType })
      const seconds =
        result.duration ?? (await context.services.media.probe(await storage.localPath(blob), context.signal)).duration
      finished.push({ line, result, blob, seconds })
      onSpoken(line.request.text.length)
      if (finished.length >= batchSize) writeDown()
    } catch (error) {
      context.signal.throwIfAborted()
      if (!(error instanceof Problem)) throw error
      failed.set(line.key, error)
    }
  }
  const byEngine = Map.groupBy(missing, (line) => speech.engineOf(line.request.voice))
  await Promise.all([...byEngine].map(([engine, queue]) => inParallel(queue, engine.concurrency, speakOne)))
  writeDown()
  await writing
  return { spoken, failed }
}

const round = (seconds: number): number => Math.round(seconds * 1000) / 1000

const extensionOf = (mediaType: string): string =>
  ({ 'audio/wav': 'wav', 'audio/mpeg': 'mp3', 'audio/ogg': 'ogg', 'audio/flac': 'flac', 'audio/aac': 'aac' })[
    mediaType.split(';')[0] ?? ''
  ] ?? 'bin'

async function inParallel<T>(queue: T[], lanes: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = queue.values()
  await Promise.all(
    Array.from({ length: Math.min(lanes, queue.length) }, async () => {
      for (const item of rest) await work(item)
    }),
  )
}
