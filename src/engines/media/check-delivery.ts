import { readdir, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { Problem } from '../../kit/errors.ts'
import { judgeDelivery, worst } from './judge-delivery.ts'
import type { DeliveryProfile, DeliveryReport, FileReport, MeasuredFile } from './media.ts'

const AUDIO = new Set([
  '.mp3',
  '.m4b',
  '.m4a',
  '.mp4',
  '.aac',
  '.wav',
  '.flac',
  '.ogg',
  '.opus',
  '.aif',
  '.aiff',
  '.w64',
  '.mka',
  '.webm',
])

/** The delivery check of files and folders; `measure` may be called for several at once. */
export const checkDelivery = async (
  paths: string[],
  profile: DeliveryProfile | undefined,
  measure: (file: string) => Promise<MeasuredFile>,
): Promise<DeliveryReport> => {
  const files = (await Promise.all(paths.map(audioFiles))).flat()
  if (files.length === 0) throw new Problem(422, 'no_audio', `There is no audio file in ${paths.join(', ')}.`)
  const outcomes = await Promise.all(
    files.map((file) =>
      measure(file).catch((error: unknown) => {
        if (files.length > 1 && error instanceof Problem && error.type === 'unreadable_audio') return error
        throw error
      }),
    ),
  )
  const measured = outcomes.filter((outcome): outcome is MeasuredFile => !(outcome instanceof Problem))
  const profileOf = (file: MeasuredFile) => profile ?? (file.m4b ? 'm4b' : 'acx')
  const reports = outcomes.map((outcome, i): FileReport => {
    if (outcome instanceof Problem) {
      const figure = {
        name: 'readable',
        value: false,
        unit: '',
        limit: 'true',
        verdict: 'fail' as const,
        note: outcome.message,
      }
      return { file: files[i]!, figures: [figure], verdict: 'fail' }
    }
    return judgeDelivery(outcome, measured, profileOf(outcome))
  })
  return {
    profile: profile ?? (measured[0] ? profileOf(measured[0]) : 'acx'),
    files: reports,
    verdict: worst(reports.map(({ verdict }) => verdict)),
  }
}

/** The file itself, or the audio files of a folder in the order of their names. */
const audioFiles = async (path: string): Promise<string[]> => {
  const found = await stat(path).catch(() => null)
  if (!found) throw new Problem(404, 'not_found', `There is no file ${path}.`, { file: path })
  if (!found.isDirectory()) return [path]
  const names = (await readdir(path)).filter((name) => AUDIO.has(extname(name).toLowerCase()))
  return names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).map((name) => join(path, name))
}
