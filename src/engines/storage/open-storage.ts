import type { AzureStorageConfig } from './azure.ts'
import type { S3StorageConfig } from './s3.ts'
import type { BlobStore } from './storage.ts'

export type StorageConfig =
  | { kind: 'file'; folder: string }
  | ({ kind: 's3' } & S3StorageConfig)
  | ({ kind: 'azure' } & AzureStorageConfig)

/** Opens the configured store. The clients of the remote ones are loaded only here, since they add 0.1 to 0.3 s to a start. */
export async function openStorage(config: StorageConfig): Promise<BlobStore> {
  if (config.kind === 's3') return (await import('./s3.ts')).openS3Storage(config)
  if (config.kind === 'azure') return (await import('./azure.ts')).openAzureStorage(config)
  return (await import('./file.ts')).openFileStorage(config)
}
