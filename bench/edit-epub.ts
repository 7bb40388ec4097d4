import { createWriteStream } from 'node:fs'
import { rename } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import yauzl from 'yauzl'
import yazl from 'yazl'

/** Puts one word into a sentence of the largest page of an EPUB. False when the file is none. */
export async function editEpub(file: string): Promise<boolean> {
  if (!file.endsWith('.epub')) return false
  const archive = await yauzl.openPromise(file, { lazyEntries: true })
  const entries: { name: string; bytes: Buffer }[] = []
  for await (const entry of archive.eachEntry())
    entries.push({ name: entry.fileName, bytes: await buffer(await archive.openReadStreamPromise(entry)) })
  const pages = entries.filter(({ name }) => /\.x?html$/.test(name)).sort((a, b) => b.bytes.length - a.bytes.length)
  const page = pages[0]
  if (!page) return false
  const text = page.bytes.toString()
  const at = text.indexOf('. ', Math.floor(text.length / 2))
  page.bytes = Buffer.from(`${text.slice(0, at)} indeed${text.slice(at)}`)
  const zip = new yazl.ZipFile()
  for (const { name, bytes } of entries)
    if (!name.endsWith('/')) zip.addBuffer(bytes, name, { compress: name !== 'mimetype' })
  zip.end()
  await pipeline(zip.outputStream, createWriteStream(`${file}.new`))
  await rename(`${file}.new`, file)
  return true
}
