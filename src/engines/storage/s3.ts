import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { notFound, Problem } from '../../kit/errors.ts'
import { checkedStore, rangeNotSatisfiable } from './checked-store.ts'
import { type LocalCopiesOptions, openLocalCopies } from './local-copies.ts'
import { measureBody } from './measure-body.ts'
import { removeEach } from './remove-each.ts'
import type { BlobStore } from './storage.ts'

export interface S3StorageConfig extends LocalCopiesOptions {
  bucket: string
  /** `us-east-1` by default. */
  region?: string
  /** Of any S3-compatible server; Amazon's own by default. */
  endpoint?: string
  /** `endpoint/bucket/name` in place of `bucket.endpoint/name`. */
  forcePathStyle?: boolean
  /** By default the SDK looks where AWS tools look: environment, profile, instance. */
  accessKeyId?: string
  secretAccessKey?: string
}

/** S3 takes at most 10,000 parts (docs.aws.amazon.com, "Amazon S3 multipart upload limits"), so 84 GB; three are in memory at a time. */
const partSize = 8 * 1024 * 1024
const partsAtOnce = 3

/** Any store that speaks Amazon's S3. The bucket must be there. */
export async function openS3Storage(config: S3StorageConfig): Promise<BlobStore> {
  const {
    bucket: Bucket,
    region = 'us-east-1',
    endpoint,
    forcePathStyle = false,
    accessKeyId,
    secretAccessKey,
  } = config
  const client = new S3Client({
    region,
    endpoint,
    forcePathStyle,
    ...(accessKeyId && secretAccessKey && { credentials: { accessKeyId, secretAccessKey } }),
    // The trailing checksums that the SDK adds by default are refused by many compatible servers.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  await client.send(new HeadBucketCommand({ Bucket })).catch((error: unknown) => {
    // A key may be allowed to use objects and not to ask for the bucket.
    if (statusOf(error) === 403) return
    const detail = statusOf(error) === 404 ? 'it does not exist' : (error as Error).message
    throw new Problem(
      500,
      'storage_unavailable',
      `The S3 bucket ${Bucket} cannot be used: ${detail}.`,
      { bucket: Bucket },
      { cause: error },
    )
  })
  const copies = await openLocalCopies(config)

  const store = checkedStore({
    async put(name, body, { mediaType } = {}) {
      const about = { Bucket, Key: name, ContentType: mediaType }
      if (body instanceof Uint8Array) {
        await client.send(new PutObjectCommand({ ...about, Body: body }))
        return { size: body.byteLength }
      }
      const { stream, size, failure } = measureBody(body)
      const upload = new Upload({ client, params: { ...about, Body: stream }, partSize, queueSize: partsAtOnce })
      await upload.done().catch((error: unknown) => {
        throw failure() ?? error
      })
      return { size: size() }
    },

    async get(name, range) {
      const Range = range && `bytes=${range.start}-${range.end ?? ''}`
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: name, Range }))
        return Body instanceof Readable ? Body : Readable.from([], { objectMode: false })
      } catch (error) {
        if (statusOf(error) === 404) throw notFound('file')
        if (statusOf(error) === 416) throw rangeNotSatisfiable(`${name} ends before byte ${range?.start}.`)
        throw error
      }
    },

    async read(name) {
      return buffer(await store.get(name))
    },

    async stat(name) {
      try {
        const { ContentLength = 0, LastModified = new Date(0) } = await client.send(
          new HeadObjectCommand({ Bucket, Key: name }),
        )
        return { size: ContentLength, modified: LastModified }
      } catch (error) {
        if (statusOf(error) === 404) return null
        throw error
      }
    },

    async remove(name) {
      await client.send(new DeleteObjectCommand({ Bucket, Key: name }))
    },

    async *list(prefix) {
      for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix: prefix }))
        for (const { Key, Size = 0, LastModified = new Date(0) } of page.Contents ?? [])
          if (Key && !Key.endsWith('/')) yield { name: Key, size: Size, modified: LastModified }
    },

    // One by one, since the bulk call needs checksums that not every compatible server knows.
    removeAll: (prefix) => removeEach(store, prefix),
    localPath: (name) => copies.pathOf(store, name),

    async close() {
      client.destroy()
      await copies.close()
    },
  })
  return store
}

const statusOf = (error: unknown): number | undefined =>
  (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode
