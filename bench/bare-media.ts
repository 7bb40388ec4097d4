import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { AV_LOG_QUIET, AV_SAMPLE_FMT_S16 } from 'node-av/constants'
import { FilterGraph, Frame, Log, SoftwareResampleContext } from 'node-av/lib'
import { bufferedFile } from '../src/engines/media/buffered-file.ts'
import { openEncoder } from '../src/engines/media/encode-audio.ts'
import { MASTER_RATE, MONO } from '../src/engines/media/mono.ts'
import { openAudio } from '../src/engines/media/open-audio.ts'
import { wavHeader } from '../src/engines/media/wav-header.ts'

/** One job of FFmpeg's each, in this process and on one core, with nothing around it: what a pipeline that does all of them can't be faster than. */

// ebur128 would print a line for every 100 ms.
Log.setLevel(AV_LOG_QUIET)

const HEADER = 44
const BLOCK = 1 << 16

/** Resamples a 16-bit mono WAV (44-byte header, 22,050 Hz) to the master rate. */
export const bareResample = async (wav: string, into: string): Promise<void> => {
  const swr = new SoftwareResampleContext()
  swr.allocSetOpts2(MONO, AV_SAMPLE_FMT_S16, MASTER_RATE, MONO, AV_SAMPLE_FMT_S16, 22_050)
  swr.init()
  const samples = (statSync(wav).size - HEADER) / 2
  const input = Buffer.alloc(BLOCK * 2)
  const output = Buffer.alloc(BLOCK * 4 + 4096)
  const descriptor = openSync(wav, 'r')
  const sink = bufferedFile(into)
  sink.write(wavHeader(samples * 2))
  for (let at = HEADER; ; ) {
    const got = readSync(descriptor, input, 0, input.length, at)
    const count = swr.convertSync([output], output.length / 2, got > 0 ? [input] : null, got / 2)
    sink.write(output.subarray(0, count * 2))
    if (got === 0) break
    at += got
  }
  sink.flush()
  sink.close()
  closeSync(descriptor)
  swr.free()
}

/** Integrated loudness by FFmpeg's ebur128, without true peaks. */
export const bareLoudness = async (wav: string): Promise<void> => {
  const graph = new FilterGraph()
  graph.alloc()
  graph.parsePtr(`amovie=filename='${wav}',ebur128,asetnsamples=65536,abuffersink@out`)
  graph.configSync()
  const sink = graph.filters?.find(({ name }) => name?.includes('out'))
  if (!sink) throw new Error('The filter graph has no end.')
  const frame = new Frame()
  frame.alloc()
  while (sink.buffersinkGetFrameSync(frame) >= 0) frame.unref()
  frame.free()
  graph.free()
}

/** AAC at 64 kbit/s as the pipeline encodes it. */
export const bareEncode = async (wav: string, into: string): Promise<void> => {
  const source = openAudio(wav)
  const sink = bufferedFile(into)
  const encoder = openEncoder('aac', 64_000, (packet) => sink.write(packet.data ?? Buffer.alloc(0)))
  for (let blocks = 1; ; blocks++) {
    const planes = source.read()
    if (!planes?.[0]) break
    encoder.write(planes[0])
    // Finalizers of FFmpeg's objects run between turns of the event loop.
    if (blocks % 16 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  encoder.finish()
  encoder.free()
  sink.flush()
  sink.close()
  source.close()
}
