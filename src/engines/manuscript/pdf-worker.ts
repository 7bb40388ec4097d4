import { parentPort, workerData } from 'node:worker_threads'
import { extractPages } from './pdf-pages.ts'

try {
  parentPort?.postMessage({ content: await extractPages(workerData as Uint8Array) })
} catch (error) {
  const { name, message, code } = error as Error & { code?: number }
  parentPort?.postMessage({ error: { name, message, code } })
}
