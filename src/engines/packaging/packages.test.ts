import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import yauzl from 'yauzl'
import { exampleBook, onePixelPng } from '../../../test/example-book.ts'
import type { Book } from './book.ts'
import { packEpub3 } from './epub3.ts'
import { packMp3Zip } from './mp3-zip.ts'
import { packVtt } from './vtt-zip.ts'

let folder: string
let book: Book
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voicepress-packages-'))
  book = await exampleBook(folder)
})
afterAll(() => rm(folder, { recursive: true }))

async function unzip(file: string): Promise<Map<string, { bytes: Buffer; method: number }>> {
  const zip = await yauzl.openPromise(file)
  const files = new Map<string, { bytes: Buffer; method: number }>()
  for await (const entry of zip.eachEntry())
    files.set(entry.fileName, {
      bytes: await buffer(await zip.openReadStreamPromise(entry)),
      method: entry.compressionMethod,
    })
  return files
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('packMp3Zip', () => {
  it('holds the chapters as they are, playlists, cue sheet, cover, manifest and checksums', async () => {
    const out = join(folder, 'book.zip')
    const result = await packMp3Zip(book, out)
    const files = await unzip(out)
    expect([...files.keys()]).toEqual([
      '01-chapter-one-only.mp3',
      '02-chapter-2.mp3',
      'the-keeper-a-b.m3u8',
      'the-keeper-a-b.m3u',
      'the-keeper-a-b.cue',
      'cover.png',
      'manifest.json',
      'CHECKSUMS.sha256',
    ])
    expect(files.get('02-chapter-2.mp3')).toEqual({
      bytes: await readFile(book.chapters[1]?.audio.file ?? ''),
      method: 0,
    })
    expect(files.get('cover.png')?.bytes).toEqual(onePixelPng)
    expect(JSON.parse(files.get('manifest.json')?.bytes.toString() ?? '')).toEqual(result.manifest)
    for (const file of result.manifest.files) {
      const bytes = files.get(file.name)?.bytes ?? Buffer.alloc(0)
      expect(file).toMatchObject({ size: bytes.length, sha256: sha256(bytes) })
      expect(files.get('CHECKSUMS.sha256')?.bytes.toString()).toContain(`${file.sha256}  ${file.name}\n`)
    }
    const bytes = await readFile(out)
    expect(result).toMatchObject({ file: out, size: bytes.length, sha256: sha256(bytes) })
  })

  it('refuses audio that is not MP3, and a book without chapters', async () => {
    const aac = {
      ...book,
      chapters: book.chapters.map((chapter) => ({ ...chapter, audio: { ...chapter.audio, mediaType: 'audio/mp4' } })),
    }
    await expect(packMp3Zip(aac, join(folder, 'no.zip'))).rejects.toMatchObject({ type: 'audio_not_supported' })
    await expect(packMp3Zip({ ...book, chapters: [] }, join(folder, 'no.zip'))).rejects.toMatchObject({
      type: 'nothing_to_pack',
    })
  })

  it('leaves nothing behind when a file is missing or the place cannot be written', async () => {
    const broken = {
      ...book,
      chapters: book.chapters.map((chapter) => ({ ...chapter, audio: { ...chapter.audio, file: `${folder}/none` } })),
    }
    await expect(packMp3Zip(broken, join(folder, 'broken.zip'))).rejects.toMatchObject({ type: 'audio_missing' })
    await writeFile(join(folder, 'a-file'), '')
    await expect(packMp3Zip(book, join(folder, 'a-file', 'x.zip'))).rejects.toThrow()
    expect((await readdir(folder)).filter((name) => name.startsWith('broken'))).toEqual([])
  })
})

it('packs captions, a file a chapter', async () => {
  const out = join(folder, 'captions.zip')
  await packVtt(book, out)
  const files = await unzip(out)
  expect([...files.keys()]).toEqual([
    '01-chapter-one-only.vtt',
    '02-chapter-2.vtt',
    'manifest.json',
    'CHECKSUMS.sha256',
  ])
  expect(files.get('01-chapter-one-only.vtt')?.bytes.toString()).toContain(
    '<v Mr. Vane>“You are late,” said Mr. Vane.\n',
  )
})

it('stops when it is told to, and leaves nothing behind', async () => {
  const out = join(folder, 'stopped.epub')
  const stop = new AbortController()
  const packed = packEpub3(book, out, { level: 'word', signal: stop.signal })
  stop.abort()
  await expect(packed).rejects.toThrow(/abort/)
  expect((await readdir(folder)).filter((name) => name.startsWith('stopped'))).toEqual([])
})

it('gives the same bytes whenever and wherever the same book is packed', async () => {
  const zone = process.env.TZ
  const hashes = []
  for (const TZ of ['Pacific/Auckland', 'America/Lima']) {
    process.env.TZ = TZ
    const mp3 = await packMp3Zip(book, join(folder, 'again.zip'))
    const epub = await packEpub3(book, join(folder, 'again.epub'), { level: 'word' })
    hashes.push([mp3.sha256, epub.sha256])
  }
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
  expect(hashes[0]).toEqual(hashes[1])
})

describe('packEpub3', () => {
  const text = async (name: string, level: 'word' | 'sentence' = 'word') => {
    const out = join(folder, `${level}.epub`)
    await packEpub3(book, out, { level })
    return (await unzip(out)).get(name)?.bytes.toString() ?? ''
  }

  it('starts with its type, uncompressed, in a header without extra field', async () => {
    const out = join(folder, 'first.epub')
    await packEpub3(book, out, { level: 'word' })
    const head = (await readFile(out)).subarray(0, 58)
    expect(head.toString('latin1', 30)).toBe('mimetypeapplication/epub+zip')
    expect([head.readUInt16LE(6) & 8, head.readUInt16LE(8), head.readUInt32LE(18), head.readUInt16LE(28)]).toEqual([
      0, 0, 20, 0,
    ])
  })

  it('keeps structure and emphasis, and wraps each word with the marks that touch it', async () => {
    const page = await text('EPUB/text/chapter-001.xhtml')
    expect(page).toContain(
      '<h2><span id="c1">Chapter</span> <span id="c2">One</span> &amp; <span id="c3">Only</span></h2>',
    )
    expect(page).toContain('<hr/>')
    expect(page).toMatch(/<blockquote><p>.*<\/p>\n<p>.*<\/p><\/blockquote>/)
    expect(page).toMatch(/<p class="verse">.*<br\/>\n.*<\/p>/)
    expect(page).toMatch(/<ul><li>.*<\/li>\n<li>.*<\/li><\/ul>/)
    expect(page).toMatch(
      /<i lang="fr" xml:lang="fr"><span id="c\d+">raison<\/span> <span id="c\d+">d’être<\/span><\/i>/,
    )
  })

  it('plays the whole audio without a gap', async () => {
    for (const level of ['word', 'sentence'] as const) {
      const smil = await text('EPUB/overlays/chapter-001.smil', level)
      const clips = [...smil.matchAll(/clipBegin="([^"]+)" clipEnd="([^"]+)"/g)]
      expect(clips[0]?.[1]).toBe('0:00:00.000')
      clips.slice(1).forEach((clip, index) => expect(clip[1]).toBe(clips[index]?.[2]))
      const duration = clips.at(-1)?.[2]
      expect(await text('EPUB/package.opf', level)).toContain(`refines="#overlay-chapter-001">${duration}</meta>`)
    }
  })

  it('nests chapters in their parts', async () => {
    expect(await text('EPUB/text/nav.xhtml')).toContain(
      '<li><span>Part II</span>\n<ol>\n<li><span>The &lt;Sea&gt;</span>\n<ol>\n<li><a href=',
    )
  })
})
