import type { Mark } from '../manuscript/manuscript.ts'
import type { LexiconMatcher } from './apply-lexicon.ts'
import type { Pauses } from './gap-after.ts'
import type { VoiceSettings } from './speech.ts'
import { speakable, type SpokenRun } from './spoken-runs.ts'
import { xmlAttribute, xmlText } from './write-xml.ts'

export interface SegmentToSpeak {
  text: string
  /** Offsets in `text`. */
  marks?: Mark[]
  /** BCP 47. */
  language: string
  /** Id of the voice; left to the engine when absent. */
  voice?: string
  settings?: VoiceSettings
  /** Of these only `line` is spoken inside a segment, where a verse's line ends. */
  pauses?: Pick<Pauses, 'line'>
  lexicon?: LexiconMatcher
}

/**
 * The Speech Synthesis Markup Language 1.1 document of a segment (W3C, 2010): its text unit for unit, with <emphasis>, <lang>, <phoneme>, <sub> and
 * <break> around and between, and the settings as <prosody>. Valid against the core profile's schema.
 */
export function buildSsml(segment: SegmentToSpeak): string {
  const { language, voice, settings } = segment
  let body = segmentRuns(segment).map(writeRun).join('')
  const prosody = writeProsody(settings)
  if (prosody) body = `<prosody ${prosody}>${body}</prosody>`
  if (voice) body = `<voice name="${xmlAttribute(voice.replace(/\s+/g, '_'))}">${body}</voice>`
  return `<speak version="1.1" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="${languageTag(language)}">${body}</speak>`
}

/** The stretches of a segment, each said in one way. */
export function segmentRuns({ text: raw, marks = [], pauses, lexicon }: SegmentToSpeak): SpokenRun[] {
  const text = speakable(raw)
  const own = marks.filter((mark) => (mark.phoneme || mark.alias) && mark.end > mark.start)
  const hits = (lexicon?.(text) ?? []).filter(
    (hit) => !own.some((mark) => mark.start < hit.end && hit.start < mark.end),
  )
  const atoms = [
    ...own.map(({ start, end, phoneme, alias }) => ({ start, end, manner: phoneme ? { phoneme } : { alias: alias! } })),
    ...hits.map(({ start, end, pronunciation }) => ({
      start,
      end,
      manner: 'alias' in pronunciation ? { alias: pronunciation.alias } : { phoneme: pronunciation },
    })),
  ]

  const cuts = new Set([0, text.length])
  const inAtom = (at: number): boolean => atoms.some(({ start, end }) => start < at && at < end)
  const cut = (at: number): void => {
    const insidePair = /[\udc00-\udfff]/.test(text.charAt(at))
    if (at > 0 && at < text.length && !insidePair && !inAtom(at)) cuts.add(at)
  }
  for (const { start, end } of [...marks, ...atoms]) {
    cut(start)
    cut(end)
  }
  const lineEnds = new Set<number>()
  if (pauses?.line) {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
      cut(at)
      lineEnds.add(at)
    }
  }

  const runs: SpokenRun[] = []
  const places = [...cuts].sort((a, b) => a - b)
  for (const [i, start] of places.slice(0, -1).entries()) {
    const end = places[i + 1]!
    const active = marks.filter((mark) => mark.start <= start && end <= mark.end)
    const run: SpokenRun = {
      start,
      text: text.slice(start, end),
      ...atoms.find((atom) => atom.start === start)?.manner,
    }
    if (active.some(({ kind }) => kind === 'strong')) run.emphasis = 'strong'
    else if (active.some(({ kind }) => kind === 'emphasis')) run.emphasis = 'moderate'
    const foreign = active.find((mark) => mark.kind === 'foreign' && mark.language)
    if (foreign) run.language = foreign.language
    if (lineEnds.has(end)) run.pause = pauses!.line
    runs.push(run)
  }
  return runs
}

/** Elements around elements as the schema has them: <phoneme> and <sub> hold text only. */
export function writeRun(run: SpokenRun): string {
  let body = xmlText(run.text)
  if (run.phoneme)
    body = `<phoneme alphabet="${alphabetName(run.phoneme.alphabet)}" ph="${xmlAttribute(run.phoneme.ph)}">${body}</phoneme>`
  else if (run.alias !== undefined) body = `<sub alias="${xmlAttribute(run.alias)}">${body}</sub>`
  if (run.emphasis && body) body = `<emphasis level="${run.emphasis}">${body}</emphasis>`
  if (run.language && body) body = `<lang xml:lang="${languageTag(run.language)}">${body}</lang>`
  if (run.pause) body += `<break time="${Math.round(run.pause * 1000)}ms"/>`
  return body
}

/** The attributes of <prosody>; '' when the settings are neutral. */
export function writeProsody({ rate = 1, pitch = 0 }: VoiceSettings = {}): string {
  const attributes: string[] = []
  if (rate !== 1) attributes.push(`rate="${Math.round(rate * 100)}%"`)
  if (pitch !== 0) attributes.push(`pitch="${pitch > 0 ? '+' : ''}${Math.round(pitch)}%"`)
  return attributes.join(' ')
}

/** xs:language, which xml:lang is; what isn't one becomes 'und', undetermined. */
export const languageTag = (tag: string): string => (/^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$/.test(tag) ? tag : 'und')

/** Names of alphabets are 'ipa' or begin with 'x-' (section 3.1.10). */
function alphabetName(name: string): string {
  const lower = name.toLowerCase().replace(/[^a-z0-9-]/g, '')
  return lower === 'ipa' || lower.startsWith('x-') ? lower : `x-${lower}`
}
