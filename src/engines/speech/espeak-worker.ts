import { parentPort } from 'node:worker_threads'
import type { EspeakSpeech } from './espeak-machine.ts'
import { loadEspeak } from './espeak-machine.ts'

/** What the thread is asked: see `EspeakMachine.speak`. */
export interface EspeakJob {
  source: string
  voice: string
  rate: number
  pitch: number
}

const machine = await loadEspeak()

parentPort?.on('message', ({ id, job }: { id: number; job: EspeakJob }) => {
  // An error in WebAssembly leaves the machine in pieces: it ends the thread, and the pool starts another.
  const result: EspeakSpeech = machine.speak(job.source, job.voice, job.rate, job.pitch)
  parentPort?.postMessage({ id, result }, [result.wav, result.events.buffer as ArrayBuffer])
})
