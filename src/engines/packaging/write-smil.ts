import { escapeXml } from './escape-xml.ts'
import type { Cue } from './find-cues.ts'

/** A cue's clip of the audio, milliseconds. */
export interface Clip {
  from: number
  to: number
}

/**
 * Clips for cues, laid end to end from 0 to the end of the audio, so that a reading system plays the chapter without a cut: each pause
 * belongs to the cue before it. Cues that would get less than a millisecond get null.
 */
export function layClips(cues: Pick<Cue, 'from'>[], duration: number): (Clip | null)[] {
  const end = Math.round(duration * 1000)
  const clips: (Clip | null)[] = []
  let last: Clip | null = null
  for (const cue of cues) {
    const from: number = last ? Math.max(Math.round(cue.from * 1000), last.from + 1) : 0
    if (from >= end) {
      clips.push(null)
      continue
    }
    if (last) last.to = from
    last = { from, to: end }
    clips.push(last)
  }
  return clips
}

/** An EPUB 3.3 media overlay document (section 9.2) for the section with the id `section` of a page. */
export function writeSmil(
  page: string,
  section: string,
  audio: string,
  type: string,
  pairs: { id: string; clip: Clip }[],
): string {
  const source = escapeXml(audio)
  const pars = pairs.map(
    ({ id, clip }, index) =>
      `<par id="p${index + 1}"><text src="${escapeXml(page)}#${id}"/>` +
      `<audio src="${source}" clipBegin="${writeClock(clip.from)}" clipEnd="${writeClock(clip.to)}"/></par>\n`,
  )
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n` +
    `<smil xmlns="http://www.w3.org/ns/SMIL" xmlns:epub="http://www.idpf.org/2007/ops" version="3.0">\n` +
    `<body>\n<seq id="s1" epub:textref="${escapeXml(page)}#${section}" epub:type="${type}">\n${pars.join('')}</seq>\n</body>\n</smil>\n`
  )
}

/** A full clock value of SMIL 3.0 (Timing and Synchronization, section 5.4.3): milliseconds to 1:02:03.045. */
export function writeClock(milliseconds: number): string {
  const pad = (value: number, width: number) => String(value).padStart(width, '0')
  const seconds = Math.floor(milliseconds / 1000)
  const clock = `${Math.floor(seconds / 3600)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`
  return `${clock}.${pad(milliseconds % 1000, 3)}`
}
