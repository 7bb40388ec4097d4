import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { Kernel } from './kernel.ts'

const registry = new Registry()
collectDefaultMetrics({ register: registry })

const requests = new Histogram({
  name: 'http_request_duration_seconds',
  help: 'Duration of HTTP requests by route, method and status.',
  labelNames: ['route', 'method', 'status'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  registers: [registry],
})
const connections = new Gauge({
  name: 'voicepress_database_connections',
  help: 'Database connections of this process by state.',
  labelNames: ['state'],
  registers: [registry],
})
const queued = new Gauge({
  name: 'voicepress_queue_jobs',
  help: 'Jobs waiting in the queue, of all tenants.',
  registers: [registry],
})
export const jobsEnded = new Counter({
  name: 'voicepress_jobs_total',
  help: 'Background jobs that ended here, by kind and status.',
  labelNames: ['kind', 'status'],
  registers: [registry],
})

export function observeRequest(route: string, method: string, status: number, milliseconds: number): void {
  requests.observe({ route, method, status: String(status) }, milliseconds / 1000)
}

/** Prometheus text exposition format 0.0.4. */
export async function renderMetrics({ pool }: Kernel): Promise<string> {
  connections.set({ state: 'total' }, pool.totalCount)
  connections.set({ state: 'idle' }, pool.idleCount)
  connections.set({ state: 'waiting' }, pool.waitingCount)
  queued.set(
    await pool.query('select queue_length() as length').then(
      ({ rows }) => Number(rows[0].length),
      () => Number.NaN,
    ),
  )
  return registry.metrics()
}
