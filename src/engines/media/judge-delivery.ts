import type { DeliveryProfile, Figure, FileReport, MeasuredFile, Verdict } from './media.ts'

/** A figure that lies where it should (`pass`), or how bad it is where it doesn't. */
interface Rule {
  name: string
  unit: string
  limit: string
  value: (file: MeasuredFile, all: MeasuredFile[]) => Figure['value']
  judge: (file: MeasuredFile, all: MeasuredFile[]) => Verdict
  note?: (file: MeasuredFile, all: MeasuredFile[]) => string | undefined
}

const SEVERITY: Record<Verdict, number> = { pass: 0, warn: 1, fail: 2 }
export const worst = (verdicts: Verdict[]): Verdict =>
  verdicts.reduce<Verdict>((a, b) => (SEVERITY[b] > SEVERITY[a] ? b : a), 'pass')

const failUnless = (isFine: boolean): Verdict => (isFine ? 'pass' : 'fail')
const warnUnless = (isFine: boolean): Verdict => (isFine ? 'pass' : 'warn')
const within = (value: number, low: number, high: number) => value >= low && value <= high
const rounded = (value: number, digits = 2) => (Number.isFinite(value) ? Number(value.toFixed(digits)) : value)

/** Head and tail are measured in steps of 10 ms, and encoders smear edges. */
const EDGE_TOLERANCE = 0.05
/** What containers say of their length may be off by encoder padding. */
const LENGTH_TOLERANCE = 1

const range = (
  name: string,
  unit: string,
  low: number,
  high: number,
  pick: (file: MeasuredFile) => number,
  otherwise: Verdict = 'fail',
): Rule => ({
  name,
  unit,
  limit: low === -Infinity ? `≤ ${high}` : high === Infinity ? `≥ ${low}` : `${low}…${high}`,
  value: (file) => rounded(pick(file)),
  judge: (file) => (within(pick(file), low, high) ? 'pass' : otherwise),
})

const isDigitalSilence = (file: MeasuredFile) => file.levels.noiseFloor === -Infinity

const noiseFloor = (limit: number): Rule => ({
  ...range('noise_floor', 'dBFS RMS', -Infinity, limit, (file) => file.levels.noiseFloor),
  judge: (file) => (isDigitalSilence(file) ? 'warn' : failUnless(file.levels.noiseFloor <= limit)),
  note: (file) => (isDigitalSilence(file) ? 'Digital silence: shops want room tone.' : undefined),
})

const informative = (name: string, unit: string, pick: (file: MeasuredFile) => Figure['value']): Rule => ({
  name,
  unit,
  limit: '',
  value: pick,
  judge: () => 'pass',
})

const complete: Rule = {
  name: 'complete',
  unit: '',
  limit: 'true',
  value: (file) => isWhole(file),
  judge: (file) => failUnless(isWhole(file)),
  note: (file) =>
    isWhole(file)
      ? undefined
      : file.damaged > 0
        ? `${file.damaged} packets are damaged.`
        : `It says ${rounded(file.declaredDuration)} s and holds ${rounded(file.duration)} s.`,
}
const isWhole = (file: MeasuredFile) =>
  file.damaged === 0 && (file.declaredDuration === 0 || file.duration >= file.declaredDuration - LENGTH_TOLERANCE)

const rms = range('rms', 'dBFS', -23, -18, (file) => file.levels.rms)
const peak = range('peak', 'dBFS', -Infinity, -3, (file) => file.levels.peak)
const clipped: Rule = { ...range('clipped_samples', '', -Infinity, 0, (file) => file.clipped), limit: '0' }
const codec = (...names: string[]): Rule => ({
  name: 'codec',
  unit: '',
  limit: names.join(', '),
  value: (file) => file.codec,
  judge: (file) => failUnless(names.includes(file.codec)),
})
const sampleRate = (...rates: number[]): Rule => ({
  name: 'sample_rate',
  unit: 'Hz',
  limit: rates.join(', '),
  value: (file) => file.sampleRate,
  judge: (file) => failUnless(rates.includes(file.sampleRate)),
})
const layout: Rule = {
  name: 'channels',
  unit: '',
  limit: '1 or 2, the same in all files',
  value: (file) => file.channels,
  judge: (file, all) =>
    file.channels > 2 || all.some((other) => other.channels !== file.channels)
      ? 'fail'
      : warnUnless(file.channels === 1),
  note: (file, all) =>
    all.some((other) => other.channels !== file.channels)
      ? 'Not all files have the same channels.'
      : file.channels === 2
        ? 'Mono is recommended.'
        : undefined,
}

/** kbit/s: of the frames where they say so, otherwise what the container says. */
const bitRate = (file: MeasuredFile) => file.mp3?.lowestBitRate ?? file.bitRate / 1000

/** ACX audio submission requirements; sources differ on head and tail, and what passes here satisfies all. */
const acx: Rule[] = [
  rms,
  peak,
  noiseFloor(-60),
  range('true_peak', 'dBTP', -Infinity, -3, (file) => file.levels.truePeak, 'warn'),
  informative('loudness', 'LUFS', (file) => rounded(file.levels.loudness)),
  codec('mp3'),
  range('bit_rate', 'kbit/s', 192, Infinity, bitRate),
  {
    name: 'constant_bit_rate',
    unit: '',
    limit: 'true',
    value: (file) => file.mp3?.isConstant ?? false,
    judge: (file) => failUnless(file.mp3?.isConstant ?? false),
    note: (file) =>
      file.mp3 && !file.mp3.isConstant ? `${file.mp3.lowestBitRate}…${file.mp3.highestBitRate} kbit/s` : undefined,
  },
  sampleRate(44_100),
  layout,
  {
    name: 'joint_stereo',
    unit: '',
    limit: 'false',
    value: (file) => file.mp3?.isJointStereo ?? false,
    judge: (file) => failUnless(!file.mp3?.isJointStereo),
  },
  range('duration', 's', 0, 120 * 60, (file) => file.duration),
  { ...range('head', 's', 0.5 - EDGE_TOLERANCE, 1 + EDGE_TOLERANCE, (file) => file.head), limit: '0.5…1' },
  { ...range('tail', 's', 1 - EDGE_TOLERANCE, 5 + EDGE_TOLERANCE, (file) => file.tail), limit: '1…5' },
  clipped,
  complete,
]

const chaptersOf = (file: MeasuredFile) => file.m4b?.chapters ?? []
const tag = (name: string, key: string, otherwise: Verdict): Rule => ({
  name,
  unit: '',
  limit: 'present',
  value: (file) => file.m4b?.tags[key] ?? '',
  judge: (file) => (file.m4b?.tags[key] ? 'pass' : otherwise),
})

/** Levels as for ACX, and what Apple's and other players need to show an audiobook as one. */
const m4b: Rule[] = [
  rms,
  peak,
  noiseFloor(-60),
  range('true_peak', 'dBTP', -Infinity, -1, (file) => file.levels.truePeak, 'warn'),
  informative('loudness', 'LUFS', (file) => rounded(file.levels.loudness)),
  codec('aac', 'alac'),
  range('bit_rate', 'kbit/s', 48, Infinity, (file) => file.bitRate / 1000, 'warn'),
  sampleRate(44_100, 48_000),
  { ...layout, limit: '1 or 2' },
  range('duration', 's', 0, Infinity, (file) => file.duration),
  informative('head', 's', (file) => rounded(file.head)),
  informative('tail', 's', (file) => rounded(file.tail)),
  {
    name: 'chapters',
    unit: '',
    limit: '≥ 1',
    value: (file) => chaptersOf(file).length,
    judge: (file) => failUnless(chaptersOf(file).length > 0),
  },
  {
    name: 'chapters_in_order',
    unit: '',
    limit: 'first at 0, rising, within the file',
    value: (file) => areInOrder(file),
    judge: (file) => failUnless(areInOrder(file)),
  },
  {
    name: 'chapter_titles',
    unit: '',
    limit: 'none empty',
    value: (file) => chaptersOf(file).filter(({ title }) => title.trim() !== '').length,
    judge: (file) => warnUnless(chaptersOf(file).every(({ title }) => title.trim() !== '')),
  },
  {
    name: 'quicktime_chapters',
    unit: '',
    limit: 'all',
    value: (file) => file.m4b?.quickTimeChapters ?? 0,
    judge: (file) => failUnless((file.m4b?.quickTimeChapters ?? 0) > 0),
    note: (file) => (file.m4b?.quickTimeChapters ? undefined : "Apple's players show no chapters."),
  },
  {
    name: 'nero_chapters',
    unit: '',
    limit: 'up to 255',
    value: (file) => file.m4b?.neroChapters ?? 0,
    judge: (file) => warnUnless((file.m4b?.neroChapters ?? 0) >= Math.min(255, chaptersOf(file).length)),
  },
  {
    name: 'cover',
    unit: '',
    limit: 'JPEG or PNG',
    value: (file) => file.m4b?.cover?.mediaType ?? '',
    judge: (file) => warnUnless(Boolean(file.m4b?.cover)),
  },
  tag('title', '©nam', 'fail'),
  tag('author', '©ART', 'warn'),
  tag('narrator', '©wrt', 'warn'),
  {
    name: 'media_type',
    unit: '',
    limit: '2 (audiobook)',
    value: (file) => file.m4b?.tags.stik ?? '',
    judge: (file) => warnUnless(file.m4b?.tags.stik === '2'),
  },
  {
    name: 'starts_at_once',
    unit: '',
    limit: 'true',
    value: (file) => file.m4b?.isFastStart ?? false,
    judge: (file) => warnUnless(file.m4b?.isFastStart ?? false),
    note: (file) =>
      file.m4b?.isFastStart ? undefined : 'The index lies at the end: players load all before they start.',
  },
  clipped,
  complete,
]

const areInOrder = (file: MeasuredFile): boolean => {
  const starts = chaptersOf(file).map(({ start }) => start)
  return (
    starts[0] === 0 && starts.every((start, i) => i === 0 || start > starts[i - 1]!) && starts.at(-1)! < file.duration
  )
}

/** −16 LUFS in stereo, which sounds as loud as −19 in mono; true peak after AES TD1008. */
const podcastLoudness = (file: MeasuredFile) => (file.channels === 1 ? -19 : -16)
const podcast: Rule[] = [
  {
    name: 'loudness',
    unit: 'LUFS',
    limit: '−16 ± 1 in stereo, −19 ± 1 in mono',
    value: (file) => rounded(file.levels.loudness),
    judge: (file) => failUnless(Math.abs(file.levels.loudness - podcastLoudness(file)) <= 1),
  },
  range('true_peak', 'dBTP', -Infinity, -1, (file) => file.levels.truePeak),
  informative('rms', 'dBFS', (file) => rounded(file.levels.rms)),
  informative('peak', 'dBFS', (file) => rounded(file.levels.peak)),
  { ...noiseFloor(-50), judge: (file) => warnUnless(file.levels.noiseFloor <= -50 && !isDigitalSilence(file)) },
  codec('mp3', 'aac'),
  range('bit_rate', 'kbit/s', 64, Infinity, bitRate, 'warn'),
  sampleRate(44_100, 48_000),
  layout,
  range('duration', 's', 0, Infinity, (file) => file.duration),
  clipped,
  complete,
]

const PROFILES: Record<DeliveryProfile, Rule[]> = { acx, m4b, podcast }

/** Holds a measured file against a profile. `all` are the files it is delivered with, itself included. */
export const judgeDelivery = (file: MeasuredFile, all: MeasuredFile[], profile: DeliveryProfile): FileReport => {
  const figures = PROFILES[profile].map((rule): Figure => {
    const note = rule.note?.(file, all)
    return {
      name: rule.name,
      value: rule.value(file, all),
      unit: rule.unit,
      limit: rule.limit,
      verdict: rule.judge(file, all),
      ...(note ? { note } : {}),
    }
  })
  return { file: file.file, figures, verdict: worst(figures.map(({ verdict }) => verdict)) }
}
