import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { adtsHeader } from './adts.ts'
import { openEncoder, toInt16 } from './encode-audio.ts'
import type { RenderOutput } from './media.ts'
import { partialFile } from './partial-file.ts'
import { wavHeader } from './wav-header.ts'

/** One file being written of the mastered samples. It gets its name only when it is whole. */
export interface OutputWriter {
  write(samples: Float32Array): void
  finish(): void
  /** Ends without a trace. Harmless after `finish`. */
  discard(): void
}

export const openOutput = (output: RenderOutput): OutputWriter => {
  const temporary = partialFile(output.file, process.pid)
  const writer = openWriter(output, temporary)
  const discard = () => {
    writer.close()
    rmSync(temporary, { force: true })
    process.off('exit', discard)
  }
  process.on('exit', discard)
  return {
    write: writer.write,
    finish() {
      writer.finish()
      renameSync(temporary, output.file)
    },
    discard,
  }
}

interface FileWriter {
  write(samples: Float32Array): void
  finish(): void
  close(): void
}

const openWriter = (output: RenderOutput, file: string): FileWriter => {
  switch (output.format) {
    case 'aac':
      return aacWriter(file, output.bitRate)
    case 'wav':
      return wavWriter(file)
    default:
      throw new Error(`no writer for ${output.format}`)
  }
}

const aacWriter = (file: string, bitRate: number): FileWriter => {
  const sink = bufferedFile(file)
  const encoder = openEncoder('aac', bitRate, (packet) => {
    sink.write(adtsHeader(packet.size))
    sink.write(packet.data!)
  })
  return {
    write: encoder.write,
    finish() {
      encoder.finish()
      sink.flush()
      this.close()
    },
    close: once(() => {
      encoder.free()
      sink.close()
    }),
  }
}

const wavWriter = (file: string): FileWriter => {
  const sink = bufferedFile(file)
  let scratch = new Int16Array(0)
  let count = 0
  sink.write(wavHeader(0))
  return {
    write(samples) {
      if (scratch.length < samples.length) scratch = new Int16Array(samples.length)
      toInt16(samples, scratch, 0)
      sink.write(Buffer.from(scratch.buffer, 0, samples.length * 2))
      count += samples.length
    },
    finish() {
      sink.flush()
      sink.writeAt(0, wavHeader(count))
      this.close()
    },
    close: once(() => sink.close()),
  }
}

const once = (run: () => void) => {
  let isDone = false
  return () => {
    if (!isDone) run()
    isDone = true
  }
}

const BUFFER = 1 << 18

/** A file written in large pieces: a system call a packet would cost more than the packet. */
export const bufferedFile = (file: string) => {
  const descriptor = openSync(file, 'w')
  const buffer = Buffer.allocUnsafe(BUFFER)
  let filled = 0
  let isOpen = true
  const flush = () => {
    for (let at = 0; at < filled; ) at += writeSync(descriptor, buffer, at, filled - at)
    filled = 0
  }
  return {
    write(bytes: Uint8Array) {
      for (let at = 0; at < bytes.length; ) {
        const count = Math.min(BUFFER - filled, bytes.length - at)
        buffer.set(bytes.subarray(at, at + count), filled)
        filled += count
        at += count
        if (filled === BUFFER) flush()
      }
    },
    flush,
    writeAt: (position: number, bytes: Uint8Array) => writeSync(descriptor, bytes, 0, bytes.length, position),
    close() {
      if (isOpen) closeSync(descriptor)
      isOpen = false
    },
  }
}
