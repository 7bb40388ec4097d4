import { join } from 'node:path'
import type { SpeechOptions } from './engines/speech/open-speech.ts'
import type { StorageConfig } from './engines/storage/open-storage.ts'
import type { Config } from './kit/config.ts'
import { Problem } from './kit/errors.ts'

/** Local files, unless STORAGE_URL names a bucket or a container. */
export function storageSettings(config: Config): StorageConfig {
  if (!config.STORAGE_URL) return { kind: 'file', folder: join(config.data, 'files') }
  const url = new URL(config.STORAGE_URL)
  if (url.protocol === 's3:')
    return {
      kind: 's3',
      bucket: url.hostname,
      endpoint: url.searchParams.get('endpoint') ?? undefined,
      region: url.searchParams.get('region') ?? undefined,
      forcePathStyle: url.searchParams.get('pathStyle') === 'true',
      accessKeyId: config.AWS_ACCESS_KEY_ID,
      secretAccessKey: config.AWS_SECRET_ACCESS_KEY,
    }
  if (url.protocol === 'azure:' && config.AZURE_STORAGE_CONNECTION_STRING) return { kind: 'azure', container: url.hostname, connectionString: config.AZURE_STORAGE_CONNECTION_STRING }
  throw new Problem(500, 'bad_configuration', 'STORAGE_URL: must be s3://bucket, or azure://container with AZURE_STORAGE_CONNECTION_STRING')
}

export const speechSettings = (_config: Config): SpeechOptions => ({})
