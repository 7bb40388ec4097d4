import { Worker } from 'node:worker_threads'
import { Problem } from '../../kit/errors.ts'

export interface WorkerPool<Job, Result> {
  /** Rejects with a `Problem` when the work fails for good, with the signal's reason when it is aborted. */
  run(job: Job, signal?: AbortSignal): Promise<Result>
  close(): Promise<void>
}

export interface WorkerPoolOptions {
  /** The thread's module; it answers every `{ id, job }` in turn with `{ id, result }`. */
  module: URL
  threads: number
  /** Seconds that one job may take before its thread is ended. */
  timeLimit: number
}

interface Task<Job, Result> {
  id: number
  job: Job
  deaths: number
  resolve(result: Result): void
  reject(error: unknown): void
  /** Set once nobody waits for the answer. */
  dropped: boolean
}

interface Thread<Job, Result> {
  worker: Worker
  /** In the order in which they are answered. */
  tasks: Task<Job, Result>[]
  /** Starts the clock of the first task; without a task the thread keeps nothing alive. */
  watch(): void
  stop(): void
}

/** Jobs handed to a thread beyond the one it works on, so that it never waits for this one. */
const AHEAD = 2
/** A job during which two threads died is not tried again. */
const DEATHS = 2

interface Answer<Result> {
  id: number
  result: Result
}

/** Threads that share one queue. They start when they are needed, are replaced when they die, and don't keep the process alive when idle. */
export function openWorkerPool<Job, Result>(options: WorkerPoolOptions): WorkerPool<Job, Result> {
  type AnyTask = Task<Job, Result>
  const threads = new Set<Thread<Job, Result>>()
  let queue: AnyTask[] = []
  let closed = false
  let lastId = 0

  const startThread = (): Thread<Job, Result> => {
    let clock: NodeJS.Timeout | undefined
    let died = false
    const worker = new Worker(options.module)
    const thread: Thread<Job, Result> = {
      worker,
      tasks: [],
      watch() {
        clearTimeout(clock)
        if (thread.tasks.length === 0) return worker.unref()
        worker.ref()
        clock = setTimeout(() => bury(`it took more than ${options.timeLimit} s`), options.timeLimit * 1000)
      },
      stop: () => clearTimeout(clock),
    }
    const bury = (why: string): void => {
      if (died) return
      died = true
      thread.stop()
      threads.delete(thread)
      void worker.terminate()
      const [current, ...waiting] = thread.tasks
      if (current) {
        current.deaths++
        if (current.deaths < DEATHS && !closed) waiting.unshift(current)
        else current.reject(new Problem(500, 'speech_failed', `The speech engine broke down on this text: ${why}.`))
      }
      queue = [...waiting.filter((task) => !task.dropped), ...queue]
      deal()
    }
    worker.on('message', (answer: Answer<Result>) => {
      const task = thread.tasks.shift()
      if (!task || task.id !== answer.id) return bury('it answered out of turn')
      task.resolve(answer.result)
      thread.watch()
      deal()
    })
    worker.on('error', (error: Error) => bury(error.message))
    worker.on('exit', (code) => bury(`its thread ended with ${code}`))
    threads.add(thread)
    return thread
  }

  const deal = (): void => {
    while (queue.length > 0 && !closed) {
      let thread = [...threads].sort((a, b) => a.tasks.length - b.tasks.length)[0]
      if ((!thread || thread.tasks.length > 0) && threads.size < options.threads) thread = startThread()
      if (!thread || thread.tasks.length > AHEAD) return
      const task = queue.shift()!
      thread.tasks.push(task)
      if (thread.tasks.length === 1) thread.watch()
      thread.worker.postMessage({ id: task.id, job: task.job })
    }
  }

  return {
    run(job, signal) {
      if (closed) return Promise.reject(new Problem(503, 'speech_closed', 'The speech engine is closed.'))
      if (signal?.aborted) return Promise.reject(signal.reason)
      return new Promise<Result>((resolve, reject) => {
        const abort = (): void => {
          task.dropped = true
          queue = queue.filter((other) => other !== task)
          reject(signal!.reason)
        }
        const settle = (): void => signal?.removeEventListener('abort', abort)
        const task: AnyTask = {
          id: ++lastId,
          job,
          deaths: 0,
          dropped: false,
          resolve: (result) => (settle(), resolve(result)),
          reject: (error) => (settle(), reject(error)),
        }
        signal?.addEventListener('abort', abort, { once: true })
        queue.push(task)
        deal()
      })
    },
    async close() {
      closed = true
      const error = new Problem(503, 'speech_closed', 'The speech engine is closed.')
      for (const task of queue.splice(0)) task.reject(error)
      await Promise.all(
        [...threads].map((thread) => {
          for (const task of thread.tasks.splice(0)) task.reject(error)
          thread.stop()
          return thread.worker.terminate()
        }),
      )
      threads.clear()
    },
  }
}
