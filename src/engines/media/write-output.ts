import { renameSync, rmSync } from 'node:fs'
import { adtsHeader } from './adts.ts'
import { Dictionary, FormatContext, type Stream } from 'node-av/lib'
import { AVFMT_FLAG_BITEXACT } from 'node-av/constants'
import { bufferedFile } from './buffered-file.ts'
import { type EncoderName, openEncoder, toInt16 } from './encode-audio.ts'
import { must } from './ffmpeg-error.ts'
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
    case 'mp3':
      return muxedWriter(file, 'mp3', 'libmp3lame', output.bitRate, output.tags ?? {})
    case 'flac':
      return muxedWriter(file, 'flac', 'flac', 0, {})
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

/** MP3 with ID3v2.3 tags and an Info frame (so that players know its exact length), or FLAC. */
const muxedWriter = (
  file: string,
  container: string,
  codec: EncoderName,
  bitRate: number,
  tags: Record<string, string>,
): FileWriter => {
  const format = new FormatContext()
  let stream: Stream | null = null
  const encoder = openEncoder(codec, bitRate, (packet) => {
    packet.streamIndex = 0
    packet.rescaleTs(encoder.context.timeBase, stream!.timeBase)
    must(format.writeFrameSync(packet), file, 'writing')
  })
  must(format.allocOutputContext2(null, container, file), file, 'making the container')
  format.setFlags(AVFMT_FLAG_BITEXACT)
  stream = format.newStream()
  must(stream.codecpar.fromContext(encoder.context), file, 'making the stream')
  stream.timeBase = encoder.context.timeBase
  const metadata = Dictionary.fromObject(tags)
  format.metadata = metadata
  must(format.openOutputSync(), file, 'opening')
  // Version 3 is what the most players and shops read.
  if (container === 'mp3') must(format.setOption('id3v2_version', '3'), file, 'choosing the tag version')
  must(format.writeHeaderSync(null), file, 'writing the header')
  return {
    write: encoder.write,
    finish() {
      encoder.finish()
      must(format.writeTrailerSync(), file, 'writing the trailer')
      this.close()
    },
    close: once(() => {
      format.closeOutputSync()
      format.freeContext()
      encoder.free()
    }),
  }
}
