import {
  Codec,
  CodecContext,
  Dictionary,
  FFmpegError,
  FormatContext,
  Frame,
  Packet,
  SoftwareResampleContext,
} from 'node-av/lib'
import { AVERROR_EAGAIN, AVERROR_EOF, AVMEDIA_TYPE_AUDIO, AV_SAMPLE_FMT_FLTP } from 'node-av/constants'
import { must, unreadable } from './ffmpeg-error.ts'
import type { AudioSource } from './open-audio.ts'

/** Only files: a playlist inside an upload must not reach the network or another file. */
const OPEN_OPTIONS = {
  protocol_whitelist: 'file',
  format_whitelist:
    'aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,eac3,flac,flv,matroska,mov,mp3,mpeg,mpegts,ogg,opus,rm,tta,w64,wav,wv',
}

/** Corrupt packets in a row after which the rest is given up. */
const CORRUPT_LIMIT = 1000

/** Opens a container and finds its first audio stream. */
export const openContainer = (file: string) => {
  const format = new FormatContext()
  const options = Dictionary.fromObject(OPEN_OPTIONS)
  try {
    must(format.openInputSync(`file:${file}`, null, options), file, 'opening')
  } finally {
    options.free()
  }
  try {
    must(format.findStreamInfoSync(null), file, 'looking for streams')
    const index = format.findBestStream(AVMEDIA_TYPE_AUDIO, -1, -1)
    if (index < 0) throw unreadable(file, 'it has no audio stream')
    const stream = format.streams[index]!
    if (stream.codecpar.sampleRate <= 0 || stream.codecpar.channels <= 0)
      throw unreadable(file, 'its audio stream has no sample rate')
    return { format, index, stream }
  } catch (error) {
    format.closeInputSync()
    throw error
  }
}

/** Decodes any file FFmpeg knows to planar floats. Corrupt packets are skipped, as players do. */
export const decodeAudio = (file: string): AudioSource => {
  const { format, index, stream } = openContainer(file)
  const { sampleRate, channels } = stream.codecpar
  const decoder = new CodecContext()
  const packet = new Packet()
  const frame = new Frame()
  try {
    const codec = Codec.findDecoder(stream.codecpar.codecId)
    if (!codec) throw unreadable(file, 'its codec is not known')
    decoder.allocContext3(codec)
    must(decoder.parametersToContext(stream.codecpar), file, 'reading parameters')
    decoder.threadCount = 1
    must(decoder.open2Sync(codec, null), file, 'opening the decoder')
  } catch (error) {
    decoder.freeContext()
    format.closeInputSync()
    throw error
  }
  packet.alloc()
  frame.alloc()
  const convert = planarConverter(file, channels)
  let corrupt = 0
  let isFlushed = false

  const feed = () => {
    for (;;) {
      const code = format.readFrameSync(packet)
      if (code < 0) {
        isFlushed = true
        decoder.sendPacketSync(null)
        return
      }
      const isOurs = packet.streamIndex === index
      const sent = isOurs ? decoder.sendPacketSync(packet) : 0
      packet.unref()
      if (isOurs && sent >= 0) return
      if (sent < 0 && ++corrupt > CORRUPT_LIMIT) throw unreadable(file, 'too much of it is corrupt')
    }
  }

  return {
    sampleRate,
    channels,
    get damaged() {
      return corrupt
    },
    read() {
      for (;;) {
        const code = decoder.receiveFrameSync(frame)
        if (code >= 0) {
          const planes = frame.sampleRate === sampleRate && frame.channels === channels ? convert(frame) : null
          frame.unref()
          if (!planes) throw unreadable(file, 'its sample rate or channels change on the way')
          if (planes[0]!.length > 0) return planes
        } else if (FFmpegError.is(code, AVERROR_EOF)) return null
        else if (FFmpegError.is(code, AVERROR_EAGAIN)) {
          if (isFlushed) return null
          feed()
        } else if (++corrupt > CORRUPT_LIMIT) throw unreadable(file, 'too much of it is corrupt')
      }
    },
    close() {
      convert.free()
      frame.free()
      packet.free()
      decoder.freeContext()
      format.closeInputSync()
    },
  }
}

/** Turns frames of any sample format into planar floats of the same rate and channels. */
const planarConverter = (file: string, channels: number) => {
  let swr: SoftwareResampleContext | null = null
  let sampleFormat = -1
  let planes: Buffer[] = []
  const convert = (frame: Frame): Float32Array[] => {
    const count = frame.nbSamples
    if (frame.format !== sampleFormat) {
      swr?.free()
      swr = new SoftwareResampleContext()
      const layout = frame.channelLayout
      swr.allocSetOpts2(
        layout,
        AV_SAMPLE_FMT_FLTP,
        frame.sampleRate,
        layout,
        frame.format as number as typeof AV_SAMPLE_FMT_FLTP,
        frame.sampleRate,
      )
      must(swr.init(), file, 'converting samples')
      sampleFormat = frame.format
    }
    if ((planes[0]?.length ?? 0) < count * 4)
      planes = Array.from({ length: channels }, () => Buffer.from(new ArrayBuffer(count * 4)))
    const data = (channels > 8 ? frame.extendedData : frame.data)!
    const got = must(swr!.convertSync(planes, count, data, count), file, 'converting samples')
    return planes.map((plane) => new Float32Array(plane.buffer as ArrayBuffer, 0, got))
  }
  return Object.assign(convert, { free: () => swr?.free() })
}
