import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pino, { type Logger } from 'pino'
import { openAccessTokens } from './domains/identity/access-token.ts'
import { openAuthenticator } from './domains/identity/authenticate.ts'
import { identity } from './domains/identity/domain.ts'
import { makeFirstTenant } from './domains/identity/first-start.ts'
import { openAuthorization } from './domains/identity/open-authorization.ts'
import { compliance } from './domains/compliance/domain.ts'
import { openCompliance } from './domains/compliance/open-compliance.ts'
import { metering } from './domains/metering/domain.ts'
import { narration } from './domains/narration/domain.ts'
import { openUseRecorder } from './domains/identity/record-use.ts'
import { openMetering } from './domains/metering/record-requests.ts'
import { tenancy } from './domains/tenancy/domain.ts'
import { openTenancy } from './domains/tenancy/open-tenancy.ts'
import { openMail } from './engines/mail/open-mail.ts'
import { openMedia } from './engines/media/open-media.ts'
import { openSpeech } from './engines/speech/open-speech.ts'
import { openStorage } from './engines/storage/open-storage.ts'
import { type Config, readConfig } from './kit/config.ts'
import { openEmbeddedPostgres } from './kit/embedded-postgres.ts'
import { jobsDomain } from './kit/jobs.operations.ts'
import { type Domain, type Kernel, openKernel } from './kit/kernel.ts'
import { prepareDatabase, readMigrations, roleUrls } from './kit/migrate.ts'
import type { Services } from './kit/operation.ts'
import { startQueue } from './kit/queue.ts'
import { languageModelSettings, mailSettings, speechSettings, storageSettings } from './engine-settings.ts'

export const domains: Domain[] = [jobsDomain, tenancy, identity, compliance, metering, narration]

export const migrationsFolder = fileURLToPath(new URL('../migrations', import.meta.url))

export interface OpenOptions {
  environment?: Record<string, string | undefined>
  log?: Logger
  /** Runs background jobs in this process. */
  work?: boolean
}

export interface App {
  kernel: Kernel
}

/** Opens everything: database, schema, engines and, if asked to, the worker. What fails half-way is closed again. */
export async function openApp({ environment = process.env, log, work = false }: OpenOptions = {}): Promise<App> {
  const config = readConfig(environment)
  const logger = log ?? openLog(config)
  const closing: Kernel['closing'] = []
  try {
    const embedded = config.DATABASE_URL
      ? null
      : await openEmbeddedPostgres({
          folder: join(config.data, 'database'),
          log: (line) => logger.trace({ postgres: line }),
          settings: embeddedSettings(environment),
        })
    if (embedded) closing.push(() => embedded.close())
    const urls = roleUrls(config.DATABASE_URL ?? embedded?.url ?? '', config.secret)
    await prepareDatabase(urls, await readMigrations(migrationsFolder))

    const scratch = join(config.data, 'scratch')
    if (embedded) await rm(scratch, { recursive: true, force: true })
    await mkdir(scratch, { recursive: true })
    const storage = await openStorage(storageSettings(config))
    closing.push(() => storage.close())
    const speech = openSpeech(await speechSettings(config))
    closing.push(() => speech.close())
    const media = openMedia()
    closing.push(() => media.close())

    const mail = openMail(mailSettings(config))
    closing.push(() => mail.close())
    const services = {
      config,
      storage,
      mail,
      speech,
      media,
      scratch,
      languageModel: languageModelSettings(config),
    } as unknown as Services
    const kernel = openKernel(config, logger, urls, services, domains)
    kernel.closing.unshift(...closing)
    services.kernel = kernel
    services.tenancy = openTenancy(kernel)
    kernel.closing.push(openMetering(kernel))
    services.accessTokens = openAccessTokens(config.secret)
    services.uses = openUseRecorder(kernel.pool)
    kernel.closing.push(() => services.uses.close())
    services.authorizer = services.authorization = await openAuthorization(kernel)
    services.authenticator = openAuthenticator(
      kernel.pool,
      services.accessTokens,
      services.uses,
      services.tenancy.resolver,
      services.authorization.permissionsOf,
    )
    kernel.closing.push(await openCompliance(kernel, { work }))
    await makeFirstTenant(urls.owner)
    if (work && config.VOICEPRESS_WORKERS > 0) await startQueue(kernel, { alone: embedded !== null })
    return { kernel }
  } catch (error) {
    for (const close of closing.toReversed()) await Promise.resolve(close()).catch(() => {})
    throw error
  }
}

export const openLog = (config: Pick<Config, 'VOICEPRESS_LOG_LEVEL'>): Logger =>
  pino(
    {
      level: config.VOICEPRESS_LOG_LEVEL,
      redact: {
        paths: ['password', '*.password', 'authorization', '*.authorization', '*.token', '*.key'],
        remove: true,
      },
    },
    pino.destination({ fd: 2, sync: true }),
  )

/** Tests may trade safety for speed; a person's data folder never does. */
const embeddedSettings = (environment: Record<string, string | undefined>): Record<string, boolean> =>
  environment.VOICEPRESS_UNSAFE_FAST_DATABASE === 'true'
    ? { fsync: false, synchronous_commit: false, full_page_writes: false }
    : {}
