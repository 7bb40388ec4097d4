import { openApp } from '../app.ts'
import { makeFirstPassword } from '../domains/identity/first-start.ts'
import { Problem } from '../kit/errors.ts'
import { closeKernel } from '../kit/kernel.ts'
import { startServer } from '../server.ts'

export const serveUsage = `Usage: voicepress serve | voicepress worker

Starts the API, the web page and a worker; \`worker\` only a worker, for more machines on one database. Settings: voicepress config`

export async function serve(words: string[]): Promise<void> {
  if (words.length) throw new Problem(400, 'usage', serveUsage)
  const app = await openApp({ work: true })
  const { url } = await startServer(app)
  const firstAdministrator = await makeFirstPassword(app.kernel.urls.owner)
  if (firstAdministrator) {
    const { email, password } = firstAdministrator
    process.stdout.write(`\nFirst administrator, shown this once:\n  ${email}\n  ${password}\n\n`)
  }
  process.stdout.write(`Voicepress is at ${app.kernel.config.VOICEPRESS_PUBLIC_URL ?? url}\n`)
  await untilStopped(() => closeKernel(app.kernel))
}

export async function work(words: string[]): Promise<void> {
  if (words.length) throw new Problem(400, 'usage', serveUsage)
  const { kernel } = await openApp({ work: true })
  process.stdout.write('Working.\n')
  await untilStopped(() => closeKernel(kernel))
}

/** The first signal lets what runs come to a point from which it can go on; a second one ends at once. */
function untilStopped(close: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopping = false
    const stop = () => {
      if (stopping) process.exit(1)
      stopping = true
      close().then(resolve, reject)
    }
    process.on('SIGINT', stop).on('SIGTERM', stop)
  })
}
