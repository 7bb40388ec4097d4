import { createHash, type Hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import yazl from 'yazl'
import { Problem } from '../../kit/errors.ts'

/** A file of a package. Text is written when its turn comes, so that a long book is never held whole. */
export interface PackageFile {
  /** `/`-separated path within the package. */
  name: string
  mediaType: string
  /** Seconds, of audio. */
  duration?: number
  content: { file: string } | { bytes: Uint8Array } | { text: () => string }
}

/** What was written: the name, media type and duration given, and size in bytes and SHA-256 in hexadecimal as measured. */
export interface WrittenFile {
  name: string
  mediaType: string
  size: number
  sha256: string
  duration?: number
}

export interface Written {
  /** The zip file, or the folder. */
  file: string
  /** Bytes of the zip file, or of all files in the folder. */
  size: number
  /** Of the zip file, hexadecimal; null for a folder. */
  sha256: string | null
  files: WrittenFile[]
}

/** Called when every other file is written: manifests and checksums know their sizes and hashes. */
export type Closing = (written: WrittenFile[]) => PackageFile[]

const compressible = (mediaType: string): boolean =>
  !/^(audio|video|image\/(?!svg)|application\/(epub\+)?zip)/.test(mediaType)

/**
 * Streams files into a zip: fixed dates, media stored and text deflated, zip64 where sizes or counts ask for it. The same files give the
 * same bytes. A first file named `mimetype` is stored, with its size in its header and no extra field (EPUB OCF 3.3, section 4.2.2).
 * The result appears at `out` whole or not at all.
 */
export async function writeZip(
  out: string,
  files: PackageFile[],
  closing: Closing = () => [],
  signal?: AbortSignal,
): Promise<Written> {
  signal?.throwIfAborted()
  const partial = `${out}.partial`
  await mkdir(dirname(out), { recursive: true })
  const zip = new yazl.ZipFile()
  const whole = new Measure()
  const finished = pipeline(zip.outputStream as Readable, whole, createWriteStream(partial))
  const failed = new Promise<never>((_, reject) => zip.once('error', reject))
  const stop = new AbortController()
  const ended = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
  const written: WrittenFile[] = []
  const last = (async () => {
    for (const file of files) written.push(await addToZip(zip, file, ended))
    for (const file of closing(written)) await addToZip(zip, file, ended)
    zip.end()
    await finished
  })()
  try {
    // A disk that fills ends `finished` while `last` still waits for its turn to write.
    await Promise.race([last, failed, finished.then(() => last)])
  } catch (error) {
    stop.abort()
    ;(zip.outputStream as Readable).destroy()
    await finished.catch(() => {})
    await rm(partial, { force: true })
    throw unreadable(error)
  }
  await rename(partial, out)
  return { file: out, size: whole.size, sha256: whole.digest(), files: written }
}

async function addToZip(zip: yazl.ZipFile, file: PackageFile, signal: AbortSignal): Promise<WrittenFile> {
  // Zip holds local time, so a local date gives the same bytes in every time zone.
  const mtime = new Date(1981, 0, 1)
  const options = { mtime, mode: 0o100644, forceDosTimestamp: true, compress: compressible(file.mediaType) }
  const measure = new Measure()
  if (file.name === 'mimetype' && 'text' in file.content) {
    const bytes = Buffer.from(file.content.text())
    zip.addBuffer(bytes, file.name, { ...options, compress: false })
    return describe(file, measure.add(bytes))
  }
  // The next file is opened only when this one is through, so one file at a time is in memory.
  const source = open(file)
  zip.addReadStream(measure, file.name, options)
  await pipeline(source, measure, { signal })
  return describe(file, measure)
}

/** Writes the files below a folder, each whole or not at all; other files that lie there are left alone. */
export async function writeFolder(
  out: string,
  files: PackageFile[],
  closing: Closing = () => [],
  signal?: AbortSignal,
): Promise<Written> {
  const write = async (file: PackageFile) => {
    const target = join(out, file.name)
    const measure = new Measure()
    await mkdir(dirname(target), { recursive: true })
    try {
      await pipeline(open(file), measure, createWriteStream(`${target}.partial`), { signal })
    } catch (error) {
      await rm(`${target}.partial`, { force: true })
      throw unreadable(error)
    }
    await rename(`${target}.partial`, target)
    return describe(file, measure)
  }
  const written: WrittenFile[] = []
  for (const file of files) written.push(await write(file))
  const closed: WrittenFile[] = []
  for (const file of closing(written)) closed.push(await write(file))
  const size = [...written, ...closed].reduce((sum, file) => sum + file.size, 0)
  return { file: out, size, sha256: null, files: written }
}

function open({ content }: PackageFile): Readable {
  if ('file' in content) return createReadStream(content.file, { highWaterMark: 1 << 18 })
  return Readable.from(['bytes' in content ? Buffer.from(content.bytes) : Buffer.from(content.text())], {
    objectMode: false,
  })
}

const describe = ({ name, mediaType, duration }: PackageFile, measure: Measure): WrittenFile => ({
  name,
  mediaType,
  size: measure.size,
  sha256: measure.digest(),
  ...(duration === undefined ? {} : { duration }),
})

function unreadable(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOENT' || !('path' in error)) return error
  return new Problem(409, 'audio_missing', `A file of the package is gone: ${String(error.path)}`, {}, { cause: error })
}

class Measure extends Transform {
  size = 0
  readonly #hash: Hash = createHash('sha256')

  add(chunk: Buffer): this {
    this.size += chunk.length
    this.#hash.update(chunk)
    return this
  }

  digest(): string {
    return this.#hash.copy().digest('hex')
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: (error: null, chunk: Buffer) => void): void {
    this.add(chunk)
    done(null, chunk)
  }
}
