import { measureAudio } from './measure-audio.ts'
import type { MeasuredFile } from './media.ts'
import { requireFile } from './open-audio.ts'
import { probeAudio } from './probe-audio.ts'
import { readM4b } from './read-m4b.ts'
import { walkMp3 } from './walk-mp3.ts'

/** What a file says of itself, its index included; nothing is decoded. */
export const describeFile = (file: string): Omit<MeasuredFile, 'levels' | 'clipped' | 'head' | 'tail' | 'damaged'> => {
  const bytes = requireFile(file)
  const facts = probeAudio(file)
  return {
    ...facts,
    file,
    bytes,
    declaredDuration: facts.duration,
    mp3: facts.codec === 'mp3' ? walkMp3(file) : null,
    m4b: facts.container.includes('mp4') ? readM4b(file) : null,
  }
}

/** Decodes a whole file and measures all that a delivery check judges. */
export const measureFile = async (file: string, pause: () => Promise<void>): Promise<MeasuredFile> => {
  const described = describeFile(file)
  return { ...described, ...(await measureAudio(file, pause)) }
}
