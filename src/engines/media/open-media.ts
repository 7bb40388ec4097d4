import { type ChildProcess, fork } from 'node:child_process'
import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { Problem } from '../../kit/errors.ts'
import { partialFile } from './partial-file.ts'
import { checkDelivery } from './check-delivery.ts'
import type { MediaTasks, TaskName, TaskReply, TaskRequest } from './media-tasks.ts'
import type { Media } from './media.ts'
import { judgeDelivery } from './judge-delivery.ts'

export interface MediaOptions {
  /** Child processes at most; by default one a core. */
  size?: number
}

interface Waiting {
  request: TaskRequest
  signal: AbortSignal | undefined
  /** Files it makes. */
  writes: string[]
  deaths: number
  resolve: (output: unknown) => void
  reject: (error: Error) => void
}

/** The same extension as this file: .ts from source, .js when built. */
const CHILD = new URL(`./media-child${extname(import.meta.url)}`, import.meta.url)

/**
 * Opens the media engine: a few child processes in which FFmpeg runs, because a fault in it ends the process it is in. They start when there is work, and
 * a child that dies is replaced: its work is tried once more, then refused with the Problem `media_crashed`. Aborting kills the child.
 */
export const openMedia = ({ size = availableParallelism() }: MediaOptions = {}): Media => {
  const queue: Waiting[] = []
  const idle: ChildProcess[] = []
  const all = new Set<ChildProcess>()
  let isClosed = false

  const start = (): ChildProcess => {
    const child = fork(CHILD, {
      execArgv: [],
      serialization: 'advanced',
      env: {},
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    all.add(child)
    child.once('exit', () => {
      all.delete(child)
      const at = idle.indexOf(child)
      if (at >= 0) idle.splice(at, 1)
    })
    return child
  }

  const next = () => {
    while (queue.length > 0 && (idle.length > 0 || all.size < size)) void work(idle.pop() ?? start(), queue.shift()!)
  }

  const work = (child: ChildProcess, task: Waiting) => {
    child.ref()
    child.channel?.ref()
    const finish = () => {
      child.off('message', onReply).off('exit', onExit).off('error', onExit)
      task.signal?.removeEventListener('abort', onAbort)
    }
    const onReply = (reply: TaskReply) => {
      finish()
      child.channel?.unref()
      child.unref()
      idle.push(child)
      settle(task, reply)
      next()
    }
    const onExit = () => {
      finish()
      all.delete(child)
      for (const file of task.writes) rmSync(partialFile(file, child.pid!), { force: true })
      if (task.signal?.aborted) task.reject(task.signal.reason as Error)
      else if (isClosed) task.reject(closed())
      else if (++task.deaths < 2) queue.unshift(task)
      else
        task.reject(
          new Problem(500, 'media_crashed', 'The audio engine ended unexpectedly, twice, while working on this.', {
            task: task.request.name,
          }),
        )
      next()
    }
    const onAbort = () => child.kill('SIGKILL')
    child.on('message', onReply).once('exit', onExit).once('error', onExit)
    task.signal?.addEventListener('abort', onAbort, { once: true })
    if (task.signal?.aborted) onAbort()
    else child.send(task.request)
  }

  const ask = <Name extends TaskName>(
    name: Name,
    input: MediaTasks[Name]['input'],
    signal?: AbortSignal,
    writes: string[] = [],
    isUrgent = false,
  ) =>
    new Promise<MediaTasks[Name]['output']>((resolve, reject) => {
      if (isClosed) return reject(closed())
      if (signal?.aborted) return reject(signal.reason as Error)
      const task: Waiting = {
        request: { name, input },
        signal,
        writes,
        deaths: 0,
        resolve: resolve as (output: unknown) => void,
        reject,
      }
      if (isUrgent) queue.unshift(task)
      else queue.push(task)
      next()
    })

  return {
    render: (request, signal) =>
      ask(
        'render',
        request,
        signal,
        request.outputs.map(({ file }) => file),
      ),
    probe: (file, signal) => ask('probe', { file }, signal),
    measureParts: (files, signal) => ask('measureParts', { files }, signal, [], true),
    joinAdts: (pieces, file, signal) => ask('joinAdts', { pieces, file }, signal, [file]),
    measure: (file, signal) => ask('measure', { file }, signal),
    check: (paths, profile, signal) => checkDelivery(paths, profile, (file) => ask('measure', { file }, signal)),
    async judgeM4b(file, audio, signal) {
      const measured = { ...(await ask('describe', { file }, signal)), ...audio }
      const report = judgeDelivery(measured, [measured], 'm4b')
      return { profile: 'm4b', files: [report], verdict: report.verdict }
    },
    assembleM4b: (request, signal) => ask('assembleM4b', request, signal, [request.file]),
    async close() {
      isClosed = true
      for (const task of queue.splice(0)) task.reject(closed())
      await Promise.all(
        [...all].map((child) => {
          const ended = new Promise((resolve) => child.once('exit', resolve))
          child.ref()
          child.kill('SIGKILL')
          return ended
        }),
      )
    },
  }
}

const closed = () => new Problem(503, 'media_closed', 'The audio engine is closed.')

const settle = (task: Waiting, reply: TaskReply) => {
  if ('output' in reply) task.resolve(reply.output)
  else if ('problem' in reply)
    task.reject(new Problem(reply.problem.status, reply.problem.type, reply.problem.detail, reply.problem.extra))
  else task.reject(new Error(`The audio engine failed: ${reply.failure}`))
}
