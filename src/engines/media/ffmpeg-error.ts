import { FFmpegError } from 'node-av/lib'
import { Problem } from '../../kit/errors.ts'

/** Turns a negative FFmpeg return code into a Problem about the file. */
export const must = (code: number, file: string, what: string): number => {
  if (code >= 0) return code
  throw unreadable(file, `${what}: ${new FFmpegError(code).message}`)
}

export const unreadable = (file: string, why: string): Problem =>
  new Problem(422, 'unreadable_audio', `${file} cannot be read as audio (${why}).`, { file })
