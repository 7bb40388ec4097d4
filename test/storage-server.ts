import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)

export interface StorageServer {
  port: number
  stop(): Promise<void>
}

/** Our own S3 server with one bucket, on a free port. Takes any keys. */
export const startS3 = (bucket: string): Promise<StorageServer> =>
  start(fileURLToPath(new URL('./s3-server.ts', import.meta.url)), [bucket])

/** s3rver with one bucket, on a free port. Its keys are S3RVER and S3RVER. */
export const startS3rver = (folder: string, bucket: string): Promise<StorageServer> =>
  start(require.resolve('s3rver/bin/s3rver.js'), [
    '--address',
    '127.0.0.1',
    '--port',
    '0',
    '--directory',
    folder,
    '--configure-bucket',
    bucket,
  ])

/** Azurite's blob service, on a free port. */
export const startAzurite = (): Promise<StorageServer> =>
  start(require.resolve('azurite/dist/src/blob/main.js'), [
    '--blobHost',
    '127.0.0.1',
    '--blobPort',
    '0',
    '--inMemoryPersistence',
    '--skipApiVersionCheck',
    '--disableTelemetry',
    '--silent',
  ])

async function start(program: string, flags: string[]): Promise<StorageServer> {
  const child = spawn(process.execPath, [program, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += String(chunk)
  })
  for await (const line of createInterface({ input: child.stdout })) {
    said += `${line}\n`
    const port = /(?:127\.0\.0\.1|localhost):([1-9]\d*)/.exec(line)?.[1]
    if (!port) continue
    child.stdout.resume()
    return { port: Number(port), stop: () => stop(child) }
  }
  throw new Error(`${program} did not start: ${said}`)
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
