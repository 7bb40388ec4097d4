import { BlobServiceClient, type ContainerClient, RestError, StorageSharedKeyCredential } from '@azure/storage-blob'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { notFound, Problem } from '../../kit/errors.ts'
import { checkedStore, rangeNotSatisfiable } from './checked-store.ts'
import { type LocalCopiesOptions, openLocalCopies } from './local-copies.ts'
import { measureBody } from './measure-body.ts'
import { removeEach } from './remove-each.ts'
import type { BlobStore } from './storage.ts'

export interface AzureStorageConfig extends LocalCopiesOptions {
  container: string
  /** Holds everything else; in its place an account with its key or a shared access signature. */
  connectionString?: string
  account?: string
  key?: string
  /** Shared access signature, with or without its question mark. */
  sas?: string
  /** `https://ACCOUNT.blob.core.windows.net` by default. */
  endpoint?: string
}

/** A blob has at most 50,000 blocks (learn.microsoft.com, "Scalability targets for Blob storage"), so 420 GB; four are in memory at a time. */
const blockSize = 8 * 1024 * 1024
const blocksAtOnce = 4

/** Azure Blob Storage, block blobs. The container must be there. */
export async function openAzureStorage(config: AzureStorageConfig): Promise<BlobStore> {
  const container = serviceOf(config).getContainerClient(config.container)
  await checkContainer(container)
  const copies = await openLocalCopies(config)

  const store = checkedStore({
    async put(name, body, { mediaType } = {}) {
      const blob = container.getBlockBlobClient(name)
      const blobHTTPHeaders = { blobContentType: mediaType }
      if (body instanceof Uint8Array) {
        await blob.upload(body, body.byteLength, { blobHTTPHeaders })
        return { size: body.byteLength }
      }
      const { stream, size } = measureBody(body)
      try {
        await blob.uploadStream(stream, blockSize, blocksAtOnce, { blobHTTPHeaders })
      } catch (error) {
        // Whoever commits a blob discards the blocks that others have sent for it: we were overwritten just before we were done.
        if (!isAnswer(error, 'InvalidBlockList')) throw error
      }
      return { size: size() }
    },

    async get(name, range) {
      const count = range?.end === undefined ? undefined : range.end - range.start + 1
      const beyond = (): Problem => rangeNotSatisfiable(`${name} ends before byte ${range?.start}.`)
      try {
        const { readableStreamBody, contentLength } = await container
          .getBlobClient(name)
          .download(range?.start ?? 0, count)
        const content = readableStreamBody instanceof Readable ? readableStreamBody : Readable.from([])
        // The client asks for no range when it would be the whole blob, and Azurite answers one that is beyond the end.
        if (!range || contentLength !== 0) return content
        content.destroy()
        throw beyond()
      } catch (error) {
        if (statusOf(error) === 404) throw notFound('file')
        if (statusOf(error) === 416) throw beyond()
        throw error
      }
    },

    async read(name) {
      return buffer(await store.get(name))
    },

    async stat(name) {
      try {
        const { contentLength = 0, lastModified = new Date(0) } = await container.getBlobClient(name).getProperties()
        return { size: contentLength, modified: lastModified }
      } catch (error) {
        if (statusOf(error) === 404) return null
        throw error
      }
    },

    async remove(name) {
      await container.getBlobClient(name).deleteIfExists({ deleteSnapshots: 'include' })
    },

    async *list(prefix) {
      for await (const { name, properties } of container.listBlobsFlat({ prefix }))
        yield { name, size: properties.contentLength ?? 0, modified: properties.lastModified }
    },

    removeAll: (prefix) => removeEach(store, prefix),
    localPath: (name) => copies.pathOf(store, name),
    close: () => copies.close(),
  })
  return store
}

function serviceOf({ connectionString, account, key, sas, endpoint }: AzureStorageConfig): BlobServiceClient {
  if (connectionString) return BlobServiceClient.fromConnectionString(connectionString)
  const url = endpoint ?? (account && `https://${account}.blob.core.windows.net`)
  if (url && sas) return new BlobServiceClient(`${url}?${sas.replace(/^\?/, '')}`)
  if (url && account && key) return new BlobServiceClient(url, new StorageSharedKeyCredential(account, key))
  throw new Problem(
    500,
    'storage_unavailable',
    'Azure Blob Storage needs a connection string, or an account with its key or a shared access signature.',
  )
}

async function checkContainer(container: ContainerClient): Promise<void> {
  try {
    await container.getProperties()
  } catch (error) {
    // A signature may allow the blobs and not the container.
    if (statusOf(error) === 403) return
    const detail = statusOf(error) === 404 ? 'it does not exist' : (error as Error).message
    throw new Problem(
      500,
      'storage_unavailable',
      `The Azure container ${container.containerName} cannot be used: ${detail}.`,
      { container: container.containerName },
      { cause: error },
    )
  }
}

const statusOf = (error: unknown): number | undefined => (error instanceof RestError ? error.statusCode : undefined)
const isAnswer = (error: unknown, code: string): boolean => error instanceof RestError && error.code === code
