import { spawn } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { detectCast } from '../src/engines/language/detect-cast.ts'
import { placeBlocks } from '../src/engines/manuscript/manuscript.ts'
import { readManuscript } from '../src/engines/manuscript/read-manuscript.ts'
import { castSettings } from '../src/engines/speech/cast-settings.ts'
import { castVoices, countExchanges } from '../src/engines/speech/cast-voices.ts'
import { openSpeech } from '../src/engines/speech/open-speech.ts'
import { bareEncode, bareLoudness, bareResample } from './bare-media.ts'

const sample = join(import.meta.dirname, '../samples/the-lamp-room.md')
const cli = join(import.meta.dirname, '../src/cli.ts')

/**
 * `npm run bench -- narrate [BOOK]`, all in one run on the same text: the whole pipeline against its floor, which is the bare engine on all cores, then one bare
 * resampling, one bare loudness measurement and one bare AAC encode of the same samples; time to the first playable chapter; a second run after one
 * sentence was changed; peak memory of every process of ours.
 */
export async function run([book = sample]: string[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'voicepress-bench-'))
  try {
    const copy = join(folder, `book${extname(book)}`)
    await copyFile(book, copy)
    const floor = await measureFloor(copy, folder)
    const first = await narrate(copy, folder)
    const edited = await editOneSentence(copy)
    const second = edited ? await narrate(copy, folder) : null

    console.log(
      `\n${book}: ${floor.words.toLocaleString('en')} words, ${(floor.audioSeconds / 60).toFixed(1)} minutes of speech`,
    )
    console.log(
      `floor: engine ${floor.engine.toFixed(1)} s + resampling ${floor.resample.toFixed(1)} s + loudness ${floor.loudness.toFixed(1)} s + AAC ${floor.encode.toFixed(1)} s = ${floor.total.toFixed(1)} s`,
    )
    console.log(
      `pipeline: ${first.seconds.toFixed(1)} s, ratio ${(first.seconds / floor.total).toFixed(2)} (reach ≤ 1.25)`,
    )
    console.log(`first playable chapter after ${first.firstChapter?.toFixed(1) ?? '–'} s`)
    if (second)
      console.log(
        `after one edited sentence: ${second.seconds.toFixed(1)} s, ${((100 * second.seconds) / first.seconds).toFixed(1)} % of the first run (reach ≤ 3 % of a novel)`,
      )
    console.log(
      `peak memory: main process ${first.peakMain.toFixed(0)} MB, all processes together ${first.peakAll.toFixed(0)} MB`,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function measureFloor(book: string, folder: string) {
  const manuscript = await readManuscript(book, { filename: book })
  const chapters = manuscript.sections
    .filter(({ role }) => role === 'body')
    .map((section) => ({ title: section.title, ...placeBlocks(section.blocks) }))
  const { language } = manuscript.metadata
  const { segments, characters } = await detectCast(chapters, { language })
  const speech = openSpeech()
  const { voices } = await speech.voices()
  const voiceOf = castVoices(characters, voices, language, {}, countExchanges(segments))
  const settingsOf = castSettings(characters, voiceOf, voices)
  const narrator = voiceOf.get('narrator') ?? ''
  const lines = segments.flatMap((lines, index) =>
    lines.map(({ start, end, speaker }) => ({
      text: chapters[index]?.text.slice(start, end) ?? '',
      voice: voiceOf.get(speaker ?? 'narrator') ?? narrator,
      settings: settingsOf.get(speaker ?? 'narrator') ?? {},
    })),
  )
  let audioSeconds = 0
  const pcm: Uint8Array[] = []
  const engine = await seconds(async () => {
    const queue = lines.values()
    await Promise.all(
      Array.from({ length: cpus().length * 4 }, async () => {
        for (const { text, voice, settings } of queue) {
          const { audio, duration = 0 } = await speech.synthesize({ text, voice, language, settings })
          audioSeconds += duration
          pcm.push(audio.subarray(44))
        }
      }),
    )
  })
  await speech.close()
  const wav = join(folder, 'floor.wav')
  await writeWav(wav, pcm)
  const resampled = join(folder, 'resampled.wav')
  const resample = await seconds(() => bareResample(wav, resampled))
  const loudness = await seconds(() => bareLoudness(resampled))
  const encode = await seconds(() => bareEncode(resampled, join(folder, 'floor.aac')))
  return {
    words: lines
      .map(({ text }) => text)
      .join(' ')
      .split(/\s+/).length,
    audioSeconds,
    engine,
    resample,
    loudness,
    encode,
    total: engine + resample + loudness + encode,
  }
}

/** Sizes of RIFF count to 4 GiB: about 27 hours of this. */
async function writeWav(path: string, pcm: Uint8Array[]): Promise<void> {
  const bytes = pcm.reduce((sum, { length }) => sum + length, 0)
  const header = Buffer.alloc(44)
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + bytes, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(22_050, 24)
  header.writeUInt32LE(44_100, 28)
  header.writeUInt16LE(2, 32)
  header.writeUInt16LE(16, 34)
  header.write('data', 36)
  header.writeUInt32LE(bytes, 40)
  await writeFile(path, header)
  await writeFile(path, pcm, { flag: 'a' })
  pcm.length = 0
}

async function narrate(book: string, folder: string) {
  const started = performance.now()
  const child = spawn(process.execPath, [cli, 'narrate', book, '--out', join(folder, 'book.m4b')], {
    env: { ...process.env, VOICEPRESS_DATA: join(folder, 'data') },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  let firstChapter: number | undefined
  let peakMain = 0
  let peakAll = 0
  const watch = setInterval(() => {
    void (async () => {
      const memory = await memoryOf(child.pid ?? 0)
      peakMain = Math.max(peakMain, memory.own)
      peakAll = Math.max(peakAll, memory.all)
      firstChapter ??= (await hasChapter(join(folder, 'data'))) ? (performance.now() - started) / 1000 : undefined
    })()
  }, 200)
  const status = await new Promise((resolve) => child.once('exit', resolve))
  clearInterval(watch)
  if (status !== 0) throw new Error(`narrate ended with ${status}`)
  return { seconds: (performance.now() - started) / 1000, firstChapter, peakMain, peakAll }
}

async function hasChapter(data: string): Promise<boolean> {
  const { glob } = await import('node:fs/promises')
  for await (const _ of glob('files/tenants/*/projects/*/audio/chapters/*.m4a', { cwd: data })) return true
  return false
}

/** Resident megabytes of a process, and of it with all below it but PostgreSQL's, whose shared buffers would be counted many times. */
async function memoryOf(root: number): Promise<{ own: number; all: number }> {
  const { readdir } = await import('node:fs/promises')
  const status = async (pid: number) => readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const processes = await Promise.all(
    (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => ({ pid: Number(name), text: await status(Number(name)) })),
  )
  const read = (text: string, field: string) => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0)
  const below = new Set([root])
  for (const { pid, text } of processes.toSorted((a, b) => a.pid - b.pid))
    if (below.has(read(text, 'PPid'))) below.add(pid)
  const megabytes = processes
    .filter(({ pid, text }) => below.has(pid) && !/^Name:\s+(postgres|sh)/m.test(text))
    .map(({ pid, text }) => ({ pid, size: read(text, 'VmRSS') / 1024 }))
  return {
    own: megabytes.find(({ pid }) => pid === root)?.size ?? 0,
    all: megabytes.reduce((sum, { size }) => sum + size, 0),
  }
}

/** Puts one word into the middle of a text book; an EPUB's chapter is edited in place by rewriting its archive. */
async function editOneSentence(book: string): Promise<boolean> {
  if (!['.txt', '.md', '.html', '.xhtml'].includes(extname(book)))
    return (await import('./edit-epub.ts')).editEpub(book)
  const text = await readFile(book, 'utf8')
  const at = text.indexOf('. ', Math.floor(text.length / 2))
  await writeFile(book, `${text.slice(0, at)} indeed${text.slice(at)}`)
  return true
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}
