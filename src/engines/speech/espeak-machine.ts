import type { EspeakModule } from '@echogarden/espeak-ng-emscripten'

/** 22,050 samples a second, one channel, 16 bits: what every eSpeak NG voice makes. */
export const ESPEAK_RATE = 22_050

export type EspeakEventKind = 'word' | 'pause' | 'end'

/** A kind (index into EVENT_KINDS), a 1-based code point in the source, and a sample, in turn: three numbers an event. */
export type EspeakEvents = Int32Array
export const EVENT_KINDS: EspeakEventKind[] = ['word', 'pause', 'end']

export interface EspeakSpeech {
  /** A whole WAV file. */
  wav: ArrayBuffer
  samples: number
  events: EspeakEvents
}

export interface EspeakMachine {
  /**
   * Speaks a source: XML-escaped text with SSML elements and [[phonemes]].
   * @param voice a file below `lang/`, with `+variant` when it has one: 'gmw/en-US+f3'
   * @param rate words a minute, 80–450 and more
   * @param pitch 0–99, 50 is the voice's own
   */
  speak(source: string, voice: string, rate: number, pitch: number): EspeakSpeech
}

const WAV_HEADER = 44
const WORD = 1
const END = 5
const PHONEME = 7
const SNAPSHOTS = 24
/** Zeros kept above the last byte in use, so that what a long call allocates there is clean for the next. */
const MARGIN = 512 * 1024

/**
 * eSpeak NG keeps state between calls (the place in its flutter table, its random numbers, the last clause), so the same
 * text gives other samples each time. Here its memory is put back to what it was right after the voice was loaded before each call:
 * the samples depend on the text, the voice, the rate and the pitch alone. A megabyte is copied, which takes 0.05 ms.
 */
export async function loadEspeak(): Promise<EspeakMachine> {
  const now = Date.now
  // Its random numbers are seeded with the time.
  Date.now = () => 0
  let module: EspeakModule
  let worker: InstanceType<EspeakModule['eSpeakNGWorker']>
  try {
    const { default: load } = await import('@echogarden/espeak-ng-emscripten')
    module = await load()
    worker = new module.eSpeakNGWorker()
  } finally {
    Date.now = now
  }

  let pcm = new Int16Array(ESPEAK_RATE * 60)
  let samples = 0
  let events = new Int32Array(3 * 4096)
  let marks = 0
  const stride = worker.getSizeOfEventStruct_() >> 2

  const note = (kind: number, position: number, sample: number): void => {
    if (marks + 3 > events.length) events = grow(events, new Int32Array(events.length * 2))
    events[marks++] = kind
    events[marks++] = position
    events[marks++] = sample
  }
  const hear = module.addFunction((address, length, list) => {
    if (length > 0 && address) {
      if (samples + length > pcm.length) pcm = grow(pcm, new Int16Array(Math.max(pcm.length * 2, samples + length)))
      pcm.set(module.HEAP16.subarray(address >> 1, (address >> 1) + length), samples)
      samples += length
    }
    // espeak_EVENT: type, id, text_position, length, audio_position (ms), sample, user_data, id (name or number).
    const heap = module.HEAP32
    for (let at = list >> 2; heap[at] !== 0; at += stride) {
      const type = heap[at]
      const position = heap[at + 2]!
      const sample = heap[at + 5]!
      if (type === WORD) note(0, position, sample)
      else if (type === END) note(2, position, sample)
      else if (type === PHONEME) {
        // A phoneme without a name is a pause; one inside a word is a part of it.
        if ((heap[at + 7]! & 0xff) === 0) note(1, position, sample)
        else if (marks > 0 && events[marks - 3] === 1) marks -= 3
      }
    }
    return 0
  }, 'iiii')

  const pristine = keep(module)
  const snapshots = new Map<string, Uint8Array>()
  let reach = pristine.length

  const restore = (memory: Uint8Array): void => {
    module.HEAPU8.set(memory)
    if (reach > memory.length) module.HEAPU8.fill(0, memory.length, reach)
    reach = memory.length
  }
  const choose = (voice: string): void => {
    const known = snapshots.get(voice)
    if (known) {
      restore(known)
      snapshots.delete(voice)
      snapshots.set(voice, known)
      return
    }
    restore(pristine)
    if (worker.set_voice(voice) !== 0) throw new Error(`unknown voice ${voice}`)
    const memory = keep(module)
    reach = memory.length
    snapshots.set(voice, memory)
    if (snapshots.size > SNAPSHOTS) snapshots.delete(snapshots.keys().next().value!)
  }

  const encoder = new TextEncoder()
  return {
    speak(source, voice, rate, pitch) {
      choose(voice)
      samples = 0
      marks = 0
      worker.set_rate(rate)
      worker.set_pitch(pitch)
      const bytes = encoder.encode(source)
      const address = module._malloc(bytes.length + 1)
      module.HEAPU8.set(bytes, address)
      module.HEAPU8[address + bytes.length] = 0
      module._emscripten_bind_eSpeakNGWorker_synth__2(worker.ptr, address, hear)
      // Another language's dictionary or a long text may have gone past the margin.
      if (source.includes('xml:lang') || bytes.length > 4096) reach = module.HEAPU8.length
      return { wav: toWav(pcm, samples), samples, events: events.slice(0, marks) }
    },
  }
}

/** The memory up to its last byte in use. */
function keep(module: EspeakModule): Uint8Array {
  const heap = module.HEAP32
  let top = heap.length - 1
  while (top > 0 && heap[top] === 0) top--
  return module.HEAPU8.slice(0, Math.min((top + 1) * 4 + MARGIN, module.HEAPU8.length))
}

function grow<T extends Int16Array | Int32Array>(from: T, to: T): T {
  to.set(from)
  return to
}

/** RIFF WAVE, PCM, one channel, 16 bits, little-endian. */
function toWav(pcm: Int16Array, samples: number): ArrayBuffer {
  const bytes = samples * 2
  const wav = new ArrayBuffer(WAV_HEADER + bytes)
  const view = new DataView(wav)
  const words: [number, number, 2 | 4][] = [
    [4, 36 + bytes, 4],
    [16, 16, 4],
    [20, 1, 2],
    [22, 1, 2],
    [24, ESPEAK_RATE, 4],
    [28, ESPEAK_RATE * 2, 4],
    [32, 2, 2],
    [34, 16, 2],
    [40, bytes, 4],
  ]
  for (const [at, value, size] of words) {
    if (size === 4) view.setUint32(at, value, true)
    else view.setUint16(at, value, true)
  }
  const names: [number, string][] = [
    [0, 'RIFF'],
    [8, 'WAVE'],
    [12, 'fmt '],
    [36, 'data'],
  ]
  for (const [at, name] of names) new TextEncoder().encodeInto(name, new Uint8Array(wav, at, 4))
  new Int16Array(wav, WAV_HEADER).set(pcm.subarray(0, samples))
  return wav
}
