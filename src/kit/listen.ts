import pg from 'pg'
import type { Kernel } from './kernel.ts'

export interface JobMoved {
  tenant: string
  id: string
  status: string
  cancelling: boolean
}
type Listener = (moved: JobMoved) => void

interface Ear {
  listeners: Set<Listener>
  client?: pg.Client
  closed: boolean
}
const ears = new WeakMap<Kernel, Ear>()

/** Calls back whenever a job of this database moves. One connection per process, opened with the first listener and reopened when it breaks. */
export function listen(kernel: Kernel, listener: Listener): () => void {
  let ear = ears.get(kernel)
  if (!ear) {
    ear = { listeners: new Set(), closed: false }
    ears.set(kernel, ear)
    kernel.closing.push(() => close(ear as Ear))
    void connect(kernel, ear)
  }
  ear.listeners.add(listener)
  return () => ear?.listeners.delete(listener)
}

async function close(ear: Ear): Promise<void> {
  ear.closed = true
  await ear.client?.end().catch(() => {})
}

async function connect(kernel: Kernel, ear: Ear): Promise<void> {
  const client = new pg.Client({ connectionString: kernel.urls.app, application_name: 'voicepress listen' })
  ear.client = client
  const again = () => {
    if (ear.closed || ear.client !== client) return
    ear.client = undefined
    setTimeout(() => void connect(kernel, ear), 500).unref()
  }
  client.on('error', again)
  client.on('end', again)
  client.on('notification', ({ payload }) => {
    const [tenant = '', id = '', status = '', cancelling] = (payload ?? '').split(' ')
    for (const listener of ear.listeners)
      listener({ tenant, id, status, cancelling: cancelling === 'true' || cancelling === 't' })
  })
  try {
    await client.connect()
    await client.query('listen voicepress_jobs')
  } catch (error) {
    kernel.log.warn({ err: error }, 'cannot listen to the database')
    again()
  }
}
