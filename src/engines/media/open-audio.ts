import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { decodeAudio } from './decode-audio.ts'
import { unreadable } from './ffmpeg-error.ts'

/** Audio that is read once from start to end. */
export interface AudioSource {
  sampleRate: number
  channels: number
  /** The next samples, one array a channel of equal lengths, full scale ±1, or null at the end. The arrays are valid until the next call. */
  read(): Float32Array[] | null
  /** Packets that could not be decoded so far. */
  readonly damaged: number
  close(): void
}

const BLOCK_BYTES = 1 << 17

/** Opens any audio file. 16-bit PCM WAV, which local voices write by the thousand, is read without FFmpeg. */
export const openAudio = (file: string): AudioSource => {
  requireFile(file)
  return openPcmWav(file) ?? decodeAudio(file)
}

/** A plain file with something in it; a pipe or a device would never end. Gives its size in bytes. */
export const requireFile = (file: string): number => {
  const stat = statSync(file, { throwIfNoEntry: false })
  if (!stat) throw unreadable(file, 'there is no such file')
  if (!stat.isFile()) throw unreadable(file, 'it is not a file')
  if (stat.size === 0) throw unreadable(file, 'it is empty')
  return stat.size
}

const openPcmWav = (file: string): AudioSource | null => {
  const descriptor = openSync(file, 'r')
  const layout = readWavLayout(descriptor)
  if (!layout) {
    closeSync(descriptor)
    return null
  }
  const { sampleRate, channels, end } = layout
  let position = layout.start
  const bytes = Buffer.from(new ArrayBuffer(BLOCK_BYTES - (BLOCK_BYTES % (2 * channels))))
  const samples = new Int16Array(bytes.buffer)
  const planes = Array.from({ length: channels }, () => new Float32Array(bytes.length / 2 / channels))
  return {
    sampleRate,
    channels,
    damaged: 0,
    read() {
      const wanted = Math.min(bytes.length, end - position)
      const got = wanted > 0 ? readSync(descriptor, bytes, 0, wanted, position) : 0
      const count = Math.floor(got / (2 * channels))
      if (count === 0) return null
      position += count * 2 * channels
      for (const [channel, plane] of planes.entries()) {
        for (let i = 0, at = channel; i < count; i++, at += channels) plane[i] = samples[at]! / 32768
      }
      return planes.map((plane) => plane.subarray(0, count))
    },
    close: () => closeSync(descriptor),
  }
}

/** Finds the samples of a 16-bit PCM RIFF file. Sizes of files that were written as a stream (0, all ones) are taken as "to the end". */
const readWavLayout = (descriptor: number) => {
  const size = fstatSync(descriptor).size
  const header = Buffer.alloc(Math.min(size, 4096))
  readSync(descriptor, header, 0, header.length, 0)
  if (header.length < 44 || header.toString('latin1', 0, 4) !== 'RIFF' || header.toString('latin1', 8, 12) !== 'WAVE')
    return null
  let format: { channels: number; sampleRate: number } | null = null
  for (let at = 12; at + 8 <= header.length; ) {
    const id = header.toString('latin1', at, at + 4)
    const length = header.readUInt32LE(at + 4)
    const body = at + 8
    if (id === 'fmt ' && body + 16 <= header.length) {
      const channels = header.readUInt16LE(body + 2)
      const sampleRate = header.readUInt32LE(body + 4)
      const isPcm16 = header.readUInt16LE(body) === 1 && header.readUInt16LE(body + 14) === 16
      if (!isPcm16 || channels < 1 || channels > 2 || sampleRate < 4000 || sampleRate > 384_000) return null
      format = { channels, sampleRate }
    } else if (id === 'data') {
      const isStream = length === 0 || length >= 0x7ffff000
      return format && { ...format, start: body, end: isStream ? size : Math.min(size, body + length) }
    }
    at = body + length + (length & 1)
  }
  return null
}
