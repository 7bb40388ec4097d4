import { Codec, CodecContext, FFmpegError, Frame, Packet, Rational } from 'node-av/lib'
import {
  AVERROR_EAGAIN,
  AVERROR_EOF,
  AV_CODEC_FLAG_BITEXACT,
  AV_SAMPLE_FMT_FLTP,
  AV_SAMPLE_FMT_S16,
  FF_ENCODER_AAC,
  FF_ENCODER_FLAC,
  FF_ENCODER_LIBMP3LAME,
} from 'node-av/constants'
import { must } from './ffmpeg-error.ts'
import { MASTER_RATE, MONO } from './mono.ts'

export type EncoderName = 'aac' | 'libmp3lame' | 'flac'

/** One mono encoder at the master rate: floats in, packets out. Packets belong to the encoder; take what you need before returning. */
export interface AudioEncoder {
  context: CodecContext
  write(samples: Float32Array): void
  /** Encodes what is left, the last short frame included. */
  finish(): void
  free(): void
}

const FALLBACK_FRAME = 4096

/**
 * bit/s from which FFmpeg's `fast` AAC coder is used, as its manual advises. Measured on speech at 64 kbit/s against the default `twoloop`: 3.6 times as fast,
 * 6 dB less error, and peaks that grow by 0.4 dB and not by 2.6 dB.
 */
const FAST_FROM = 48_000

const ENCODERS = { aac: FF_ENCODER_AAC, flac: FF_ENCODER_FLAC, libmp3lame: FF_ENCODER_LIBMP3LAME } as const

export const openEncoder = (name: EncoderName, bitRate: number, onPacket: (packet: Packet) => void): AudioEncoder => {
  const codec = Codec.findEncoderByName(ENCODERS[name])
  const context = new CodecContext()
  context.allocContext3(codec)
  context.sampleRate = MASTER_RATE
  context.channelLayout = MONO
  context.sampleFormat = name === 'flac' ? AV_SAMPLE_FMT_S16 : AV_SAMPLE_FMT_FLTP
  context.bitRate = BigInt(bitRate)
  context.timeBase = new Rational(1, MASTER_RATE)
  context.threadCount = 1
  // No encoder version in the stream: the same samples give the same bytes.
  context.setFlags(AV_CODEC_FLAG_BITEXACT)
  if (name === 'aac' && bitRate >= FAST_FROM) must(context.setOption('aac_coder', 'fast'), name, 'choosing the coder')
  must(context.open2Sync(codec, null), name, 'opening the encoder')
  const isFloat = name !== 'flac'
  const frameLength = context.frameSize || FALLBACK_FRAME
  const pending = isFloat ? new Float32Array(frameLength) : new Int16Array(frameLength)
  const bytes = Buffer.from(pending.buffer)
  const packet = new Packet()
  packet.alloc()
  const frame = new Frame()
  frame.alloc()
  frame.format = context.sampleFormat
  frame.sampleRate = MASTER_RATE
  frame.channelLayout = MONO
  frame.timeBase = context.timeBase
  frame.nbSamples = frameLength
  must(frame.getBuffer(), name, 'making room')
  let filled = 0
  let position = 0

  const drain = () => {
    for (;;) {
      const code = context.receivePacketSync(packet)
      if (FFmpegError.is(code, AVERROR_EAGAIN) || FFmpegError.is(code, AVERROR_EOF)) return
      must(code, name, 'encoding')
      onPacket(packet)
      packet.unref()
    }
  }
  const send = () => {
    // One frame is used again and again; makeWritable gives it fresh memory when the encoder still holds the last.
    frame.nbSamples = filled
    must(frame.makeWritable(), name, 'encoding')
    must(frame.fromBuffer(bytes.subarray(0, filled * pending.BYTES_PER_ELEMENT)), name, 'encoding')
    frame.pts = BigInt(position)
    position += filled
    filled = 0
    const code = context.sendFrameSync(frame)
    must(code, name, 'encoding')
    drain()
  }

  return {
    context,
    write(samples) {
      for (let at = 0; at < samples.length; ) {
        const count = Math.min(frameLength - filled, samples.length - at)
        const piece = samples.subarray(at, at + count)
        if (isFloat) pending.set(piece, filled)
        else toInt16(piece, pending as Int16Array, filled)
        filled += count
        at += count
        if (filled === frameLength) send()
      }
    },
    finish() {
      if (filled > 0) send()
      must(context.sendFrameSync(null), name, 'encoding')
      drain()
    },
    free() {
      frame.free()
      packet.free()
      context.freeContext()
    },
  }
}

/** Rounds to the nearest 16-bit value; what is beyond full scale is clipped. */
export const toInt16 = (samples: Float32Array, into: Int16Array, at: number): void => {
  for (let i = 0; i < samples.length; i++) {
    const value = Math.round(samples[i]! * 32768)
    into[at + i] = value > 32767 ? 32767 : value < -32768 ? -32768 : value
  }
}
