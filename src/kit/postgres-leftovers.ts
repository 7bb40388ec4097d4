import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** Signals in the order of their force, and how long each is given: fast shutdown, immediate shutdown, kill. */
const escalation = [
  { signal: null, ms: 1_000 },
  { signal: 'SIGINT', ms: 10_000 },
  { signal: 'SIGQUIT', ms: 5_000 },
  { signal: 'SIGKILL', ms: 5_000 },
] as const

/**
 * Ends what an earlier run left on a cluster, and its pid file, which stays behind when a machine stops and may name any
 * process by now. Only for who holds the folder's lock: then a server that still runs is either on its way out or an orphan.
 */
export async function stopLeftovers(cluster: string, log: (line: string) => void): Promise<void> {
  for (const { signal, ms } of escalation) {
    const until = Date.now() + ms
    let running = await serversOn(cluster)
    if (running.length === 0) break
    log(`process ${running.join(', ')} of an earlier run is still on ${cluster}: ${signal ?? 'waiting'}`)
    if (signal) for (const pid of running) kill(pid, signal)
    while (running.length > 0 && Date.now() < until) {
      await wait(20)
      running = await serversOn(cluster)
    }
  }
  if ((await serversOn(cluster)).length === 0) await rm(join(cluster, 'postmaster.pid'), { force: true })
}

/** On Linux every server, backend and initdb whose working directory is the cluster, with or without its parent. */
async function serversOn(cluster: string): Promise<number[]> {
  if (process.platform !== 'linux') return []
  const folder = await stat(cluster).catch(() => null)
  if (!folder) return []
  const found: number[] = []
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry) || (await readFile(`/proc/${entry}/comm`, 'utf8').catch(() => '')) !== 'postgres\n')
      continue
    const at = await stat(`/proc/${entry}/cwd`).catch(() => null)
    if (at && at.ino === folder.ino && at.dev === folder.dev) found.push(Number(entry))
  }
  return found
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
