import { Log } from 'node-av/lib'
import { AV_LOG_QUIET } from 'node-av/constants'
import { Problem } from '../../kit/errors.ts'
import { assembleM4b } from './assemble-m4b.ts'
import { joinAdts } from './join-adts.ts'
import { describeFile, measureFile } from './measure-file.ts'
import { measureParts } from './measure-parts.ts'
import type { MediaTasks, TaskName, TaskReply, TaskRequest } from './media-tasks.ts'
import { requireFile } from './open-audio.ts'
import { probeAudio } from './probe-audio.ts'
import { renderChapter } from './render-chapter.ts'

/** A child process that does one piece of audio work at a time for `openMedia`. It ends with its parent. */

Log.setLevel(AV_LOG_QUIET)

const pause = () => new Promise<void>((resolve) => setImmediate(resolve))

const tasks: { [Name in TaskName]: (input: MediaTasks[Name]['input']) => Promise<MediaTasks[Name]['output']> } = {
  render: (request) => renderChapter(request, pause),
  probe: async ({ file }) => {
    requireFile(file)
    return probeAudio(file)
  },
  measure: ({ file }) => measureFile(file, pause),
  measureParts: ({ files }) => measureParts(files, pause),
  describe: async ({ file }) => describeFile(file),
  joinAdts: async ({ pieces, file }) => joinAdts(pieces, file),
  assembleM4b: async (request) => assembleM4b(request),
}

const answer = async ({ name, input }: TaskRequest): Promise<TaskReply> => {
  try {
    return { output: await tasks[name](input as never) }
  } catch (error) {
    if (error instanceof Problem)
      return { problem: { status: error.status, type: error.type, detail: error.message, extra: error.extra } }
    return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

process.on('message', (request: TaskRequest) => void answer(request).then((reply) => process.send?.(reply)))
process.on('disconnect', () => process.exit(0))
// Ctrl+C reaches the whole process group; the parent decides when its children end.
process.on('SIGINT', () => undefined)
