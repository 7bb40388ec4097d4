import { avGetCodecName } from 'node-av/lib'
import { openContainer } from './decode-audio.ts'
import type { AudioFacts } from './media.ts'

export const probeAudio = (file: string): AudioFacts => {
  const { format, stream } = openContainer(file)
  try {
    const { codecpar } = stream
    return {
      container: format.iformat?.name ?? 'unknown',
      codec: avGetCodecName(codecpar.codecId) ?? 'unknown',
      sampleRate: codecpar.sampleRate,
      channels: codecpar.channels,
      bitRate: Number(codecpar.bitRate) || Math.max(0, Number(format.bitRate)),
      duration: Math.max(0, Number(format.duration) / 1_000_000),
      tags: format.metadata?.getAll() ?? {},
    }
  } finally {
    format.closeInputSync()
  }
}
