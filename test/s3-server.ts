import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/**
 * One bucket of the S3 REST API in memory, as the Amazon S3 API Reference has it for objects, multipart uploads and
 * ListObjectsV2 in a general purpose bucket. Written for the storage contract, since the S3 servers on npm list out of order, cannot
 * abort an upload or take `bytes=0-0` for everything. Does not check signatures. Run as a program with the bucket's name.
 */
interface Stored {
  body: Buffer
  modified: Date
  type: string
}

const bucket = process.argv[2] ?? 'bucket'
const objects = new Map<string, Stored>()
const uploads = new Map<string, { key: string; type: string; parts: Map<number, Buffer> }>()

/** "Amazon S3 multipart upload limits": every part but the last. */
const minimumPart = 5 * 1024 * 1024

/** S3 answers up to 1,000; a server may always answer fewer. */
const pageSize = 100

class S3Error extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string) {
    super(code)
    this.status = status
    this.code = code
  }
}

const etagOf = (body: Buffer): string => `"${createHash('md5').update(body).digest('hex')}"`
const xml = (root: string, content: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?><${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${root}>`

function reply(
  response: ServerResponse,
  status: number,
  headers: Record<string, string | number>,
  body: string | Buffer = '',
): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers }).end(body)
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  if (request.headers['content-length'] === undefined) throw new S3Error(411, 'MissingContentLength')
  if (request.headers['content-encoding']?.includes('aws-chunked')) throw new S3Error(501, 'NotImplemented')
  const body = await buffer(request)
  if (body.length !== Number(request.headers['content-length'])) throw new S3Error(400, 'IncompleteBody')
  return body
}

/** RFC 9110, section 14: a range that starts past the end cannot be satisfied, one that ends there is cut. */
function getObject(key: string, request: IncomingMessage, response: ServerResponse): void {
  const found = objects.get(key)
  if (!found) throw new S3Error(404, 'NoSuchKey')
  const size = found.body.length
  const about = {
    etag: etagOf(found.body),
    'last-modified': found.modified.toUTCString(),
    'content-type': found.type,
    'accept-ranges': 'bytes',
  }
  if (request.method === 'HEAD') return reply(response, 200, { ...about, 'content-length': size })
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
  if (!range) return reply(response, 200, about, found.body)
  const start = Number(range[1])
  const end = Math.min(range[2] ? Number(range[2]) : size - 1, size - 1)
  if (start >= size) throw new S3Error(416, 'InvalidRange')
  reply(
    response,
    206,
    { ...about, 'content-range': `bytes ${start}-${end}/${size}` },
    found.body.subarray(start, end + 1),
  )
}

function listObjects(query: URLSearchParams, response: ServerResponse): void {
  if (query.get('list-type') !== '2') throw new S3Error(501, 'NotImplemented')
  const prefix = query.get('prefix') ?? ''
  const after = query.get('continuation-token') ?? ''
  const limit = Math.min(Number(query.get('max-keys') ?? pageSize), pageSize)
  const keys = [...objects.keys()]
    .filter((key) => key.startsWith(prefix) && key > after)
    .sort((a, b) => (a < b ? -1 : 1))
  const page = keys.slice(0, limit)
  const contents = page.map((key) => {
    const { body, modified } = objects.get(key) as Stored
    return `<Contents><Key>${key}</Key><LastModified>${modified.toISOString()}</LastModified><Size>${body.length}</Size></Contents>`
  })
  const next = keys.length > limit ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
  const content = `<Name>${bucket}</Name><KeyCount>${page.length}</KeyCount><IsTruncated>${next !== ''}</IsTruncated>${next}${contents.join('')}`
  reply(response, 200, { 'content-type': 'application/xml' }, xml('ListBucketResult', content))
}

async function completeUpload(id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const asked = [...String(await readBody(request)).matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map((match) =>
    Number(match[1]),
  )
  const upload = uploads.get(id)
  if (!upload) throw new S3Error(404, 'NoSuchUpload')
  const parts = asked.map((number) => upload.parts.get(number))
  if (asked.some((number, index) => index > 0 && number <= (asked[index - 1] ?? 0)))
    throw new S3Error(400, 'InvalidPartOrder')
  if (parts.length === 0 || parts.includes(undefined)) throw new S3Error(400, 'InvalidPart')
  const whole = parts.filter((part) => part !== undefined)
  if (whole.slice(0, -1).some((part) => part.length < minimumPart)) throw new S3Error(400, 'EntityTooSmall')
  uploads.delete(id)
  objects.set(upload.key, { body: Buffer.concat(whole), modified: new Date(), type: upload.type })
  reply(
    response,
    200,
    { 'content-type': 'application/xml' },
    xml('CompleteMultipartUploadResult', `<Key>${upload.key}</Key>`),
  )
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://s3')
  const [, name = '', ...rest] = pathname.split('/').map(decodeURIComponent)
  const key = rest.join('/')
  const type = request.headers['content-type'] ?? 'binary/octet-stream'
  const id = query.get('uploadId')
  if (!request.headers.authorization?.startsWith('AWS4-HMAC-SHA256 ')) throw new S3Error(403, 'AccessDenied')
  if (name !== bucket) throw new S3Error(404, 'NoSuchBucket')
  if (key === '') return request.method === 'HEAD' ? reply(response, 200, {}) : listObjects(query, response)
  if (request.method === 'GET' || request.method === 'HEAD') return getObject(key, request, response)
  if (request.method === 'POST' && query.has('uploads')) {
    const uploadId = randomUUID()
    uploads.set(uploadId, { key, type, parts: new Map() })
    return reply(
      response,
      200,
      { 'content-type': 'application/xml' },
      xml('InitiateMultipartUploadResult', `<UploadId>${uploadId}</UploadId>`),
    )
  }
  if (request.method === 'POST' && id) return completeUpload(id, request, response)
  if (request.method === 'PUT') {
    const body = await readBody(request)
    if (!id) objects.set(key, { body, modified: new Date(), type })
    else {
      const upload = uploads.get(id)
      if (!upload) throw new S3Error(404, 'NoSuchUpload')
      upload.parts.set(Number(query.get('partNumber')), body)
    }
    return reply(response, 200, { etag: etagOf(body) })
  }
  if (request.method !== 'DELETE') throw new S3Error(405, 'MethodNotAllowed')
  if (!id) objects.delete(key)
  else if (!uploads.delete(id)) throw new S3Error(404, 'NoSuchUpload')
  reply(response, 204, {})
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    const { status, code } = error instanceof S3Error ? error : { status: 500, code: 'InternalError' }
    request.resume()
    reply(
      response,
      status,
      { 'content-type': 'application/xml' },
      request.method === 'HEAD' ? '' : `<Error><Code>${code}</Code></Error>`,
    )
  })
})
server.listen(0, '127.0.0.1', () => {
  console.log(`listening on 127.0.0.1:${(server.address() as AddressInfo).port}`)
})
