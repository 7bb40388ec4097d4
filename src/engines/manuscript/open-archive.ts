import { fromBufferPromise, openPromise, type Entry, type ZipFile } from 'yauzl'
import { Problem } from '../../kit/errors.ts'

const mebibyte = 1024 * 1024
const limits = {
  entries: 20_000,
  /** Of one part that is read. */
  part: 64 * mebibyte,
  /** Of all parts that are read, counted as they unpack. */
  read: 256 * mebibyte,
  /** As declared for the whole archive. */
  declared: 2048 * mebibyte,
  /** Text packs 3–10 times, drawings up to about 100. */
  ratio: 200,
  ratioFrom: 4 * mebibyte,
}

export interface Archive {
  names: string[]
  has(name: string): boolean
  /** @throws Problem when the part is damaged, encrypted or too large. */
  read(name: string): Promise<Uint8Array>
  close(): void
}

const damaged = (detail: string, cause?: unknown): Problem => new Problem(422, 'damaged_archive', detail, {}, { cause })
const tooLarge = (detail: string): Problem => new Problem(413, 'archive_too_large', detail)

/**
 * Opens a ZIP by its central directory and reads parts on demand; nothing is unpacked to disk, so path names cannot escape.
 * Limits: 20,000 entries, 64 MiB a part, 256 MiB of parts read, 2 GiB declared, ratio 200. Entries that share bytes are refused.
 */
export async function openArchive(source: Uint8Array | string): Promise<Archive> {
  let zip: ZipFile
  const options = { autoClose: false, lazyEntries: true, validateEntrySizes: true, strictFileNames: false }
  try {
    zip =
      typeof source === 'string'
        ? await openPromise(source, options)
        : await fromBufferPromise(Buffer.from(source.buffer, source.byteOffset, source.byteLength), options)
  } catch (error) {
    throw damaged(`The ZIP archive inside this file is damaged or cut short: ${(error as Error).message}.`, error)
  }
  try {
    const entries = await listEntries(zip)
    let unpacked = 0
    return {
      names: [...entries.keys()],
      has: (name) => entries.has(name),
      async read(name) {
        const entry = entries.get(name)
        if (!entry) throw damaged(`The part ${name} is missing from the archive.`)
        const bytes = await readEntry(zip, entry)
        unpacked += bytes.length
        if (unpacked > limits.read)
          throw tooLarge(`The parts of this file unpack to more than ${limits.read / mebibyte} MiB.`)
        return bytes
      },
      close: () => zip.close(),
    }
  } catch (error) {
    zip.close()
    throw error
  }
}

async function listEntries(zip: ZipFile): Promise<Map<string, Entry>> {
  if (zip.entryCount > limits.entries)
    throw tooLarge(`The archive has ${zip.entryCount} entries; at most ${limits.entries} are read.`)
  const entries = new Map<string, Entry>()
  let declared = 0
  try {
    for await (const entry of zip.eachEntry()) {
      declared += entry.uncompressedSize
      if (declared > limits.declared)
        throw tooLarge(`The archive unpacks to more than ${limits.declared / mebibyte} MiB.`)
      if (entry.uncompressedSize > limits.ratioFrom && entry.uncompressedSize > entry.compressedSize * limits.ratio)
        throw tooLarge(
          `The part ${entry.fileName} unpacks to ${Math.round(entry.uncompressedSize / mebibyte)} MiB from ${entry.compressedSize} bytes, as in a ZIP bomb.`,
        )
      if (!entry.fileName.endsWith('/') && !entries.has(entry.fileName)) entries.set(entry.fileName, entry)
    }
  } catch (error) {
    throw error instanceof Problem
      ? error
      : damaged(`The archive's directory is damaged: ${(error as Error).message}.`, error)
  }
  refuseOverlaps([...entries.values()])
  return entries
}

/** Parts that share packed bytes are how small bombs hold much (Fifield, "A better zip bomb", WOOT 2019). */
function refuseOverlaps(entries: Entry[]): void {
  let end = 0
  for (const entry of entries.toSorted((a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader)) {
    if (entry.relativeOffsetOfLocalHeader < end)
      throw damaged('The archive is damaged: its parts overlap, as in a ZIP bomb.')
    end = entry.relativeOffsetOfLocalHeader + 30 + entry.compressedSize
  }
}

async function readEntry(zip: ZipFile, entry: Entry): Promise<Uint8Array> {
  if (entry.isEncrypted())
    throw new Problem(422, 'encrypted', 'This file is protected by a password; save it without one.')
  if (entry.uncompressedSize > limits.part)
    throw tooLarge(
      `The part ${entry.fileName} unpacks to ${Math.round(entry.uncompressedSize / mebibyte)} MiB; at most ${limits.part / mebibyte} MiB are read.`,
    )
  try {
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Uint8Array>) {
      length += chunk.length
      if (length > limits.part)
        throw tooLarge(`The part ${entry.fileName} unpacks to more than ${limits.part / mebibyte} MiB.`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks, length)
  } catch (error) {
    throw error instanceof Problem
      ? error
      : damaged(`The part ${entry.fileName} of the archive is damaged: ${(error as Error).message}.`, error)
  }
}
