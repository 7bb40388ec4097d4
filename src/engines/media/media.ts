import type { M4bRequest, M4bResult } from './assemble-m4b.ts'
import type { M4bContents } from './read-m4b.ts'
import type { Mp3Frames } from './walk-mp3.ts'

/** A piece of a chapter, in order. */
export interface RenderPart {
  /** An audio file on this machine, of whatever format. */
  file: string
  /** Seconds of room tone after it. */
  gapAfter: number
  /** dB, to level voices against each other before the chapter's own loudness is set. */
  gain?: number
}

export type ProcessingChain = 'audiobook_standard' | 'podcast_standard' | 'raw'

export interface RenderRequest {
  parts: RenderPart[]
  chain: ProcessingChain
  /** Seconds of room tone. */
  head: number
  tail: number
  outputs: RenderOutput[]
  /** dB, for all parts. Without it the parts are measured first, in a pass of their own. */
  gain?: number
  /** Fills up with room tone to whole AAC frames of 1,024 samples, so that the next block joins without a seam. */
  wholeFrames?: boolean
  /** Measures what a decoder makes of the `aac` output (which must be there), and not the samples before they were encoded. */
  measureEncoded?: boolean
}

/** What to write of the same mastered samples, 44.1 kHz mono. Paths on this machine. `aac` is an ADTS stream, what `assembleM4b` takes. */
export type RenderOutput =
  | { format: 'aac'; file: string; bitRate: number }
  | { format: 'mp3'; file: string; bitRate: number; tags?: Record<string, string> }
  | { format: 'wav'; file: string }
  | { format: 'flac'; file: string }

export interface RenderResult {
  /** Seconds. */
  duration: number
  /** Where each part begins and ends in the result, seconds. */
  parts: { from: number; to: number }[]
  measured: Levels
  /** With `measureEncoded`. */
  encoded?: MeasuredAudio
}

/** What was decoded, and what a delivery check judges of it. */
export interface MeasuredAudio {
  /** Seconds. */
  duration: number
  levels: Levels
  /** Samples at or beyond full scale. */
  clipped: number
  /** Seconds before the first and after the last sound above −50 dBFS RMS (10 ms). */
  head: number
  tail: number
  /** Packets that could not be decoded. */
  damaged: number
}

/** How loud a part is once rumble below 80 Hz is cut, against full scale 1. */
export interface PartPower {
  /** Mean square of all samples. */
  power: number
  /** K-weighted mean square of what ITU-R BS.1770-4 doesn't gate away. */
  weighted: number
}

/** An ADTS file, or the bytes of one from `offset`. `afterPriming` leaves the encoder's first frame out. */
export interface AdtsPiece {
  file: string
  offset?: number
  length?: number
  afterPriming?: boolean
}

export interface Levels {
  /** dBFS. */
  rms: number
  /** dBFS of the highest sample. */
  peak: number
  /** dBTP, ITU-R BS.1770-4 annex 2. */
  truePeak: number
  /** LUFS, integrated, ITU-R BS.1770-4. */
  loudness: number
  /** dBFS RMS of the quietest 500 ms; −Infinity for digital silence. */
  noiseFloor: number
}

/** What a file says of itself; nothing is decoded. */
export interface AudioFacts {
  /** Of the container, in FFmpeg's words: 'mp3', 'mov,mp4,m4a,3gp,3g2,mj2', 'wav'. */
  container: string
  codec: string
  sampleRate: number
  channels: number
  /** Bits a second, 0 when unknown. */
  bitRate: number
  /** Seconds, 0 when unknown. */
  duration: number
  tags: Record<string, string>
}

/** A file decoded from end to end, with all that a delivery check judges. */
export interface MeasuredFile extends AudioFacts, MeasuredAudio {
  file: string
  bytes: number
  /** Seconds of the decoded audio; `declaredDuration` is what the container says, 0 when it doesn't. */
  duration: number
  declaredDuration: number
  mp3: Mp3Frames | null
  m4b: M4bContents | null
}

export type DeliveryProfile = 'acx' | 'm4b' | 'podcast'
export type Verdict = 'pass' | 'warn' | 'fail'

/** One measured value against what the profile asks for. */
export interface Figure {
  name: string
  value: number | string | boolean
  unit: string
  /** For a person: '−23…−18', '≤ −3', 'mp3'; empty where nothing is asked. */
  limit: string
  verdict: Verdict
  note?: string
}

export interface FileReport {
  file: string
  figures: Figure[]
  verdict: Verdict
}

export interface DeliveryReport {
  profile: DeliveryProfile
  files: FileReport[]
  verdict: Verdict
}

/** Rendering, measuring and packaging of audio. Every call may be aborted; nothing half-written stays behind. */
export interface Media {
  render(request: RenderRequest, signal?: AbortSignal): Promise<RenderResult>
  probe(file: string, signal?: AbortSignal): Promise<AudioFacts>
  measure(file: string, signal?: AbortSignal): Promise<MeasuredFile>
  /** Of each file in turn; null where it cannot be read. Goes before other work that waits. */
  measureParts(files: string[], signal?: AbortSignal): Promise<(PartPower | null)[]>
  /** Copies ADTS streams one behind the other and says where each lies in the result, in bytes. */
  joinAdts(pieces: AdtsPiece[], file: string, signal?: AbortSignal): Promise<{ offset: number; length: number }[]>
  /**
   * Measures files, and the audio files of folders, against what a shop asks for. One unreadable file alone is a Problem; among others it is a report that fails.
   * Without a profile each file is held against that of its kind: 'm4b' for MP4, 'acx' for the rest.
   */
  check(paths: string[], profile?: DeliveryProfile, signal?: AbortSignal): Promise<DeliveryReport>
  /** The delivery check of an M4B whose audio was measured as it was made: only its index is read. */
  judgeM4b(file: string, audio: MeasuredAudio, signal?: AbortSignal): Promise<DeliveryReport>
  /** Joins chapters rendered as `aac` into one M4B with chapters, tags and cover, without encoding anew. */
  assembleM4b(request: M4bRequest, signal?: AbortSignal): Promise<M4bResult>
  close(): Promise<void>
}
