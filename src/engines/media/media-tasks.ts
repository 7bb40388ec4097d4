import type { M4bRequest, M4bResult } from './assemble-m4b.ts'
import type { describeFile } from './measure-file.ts'
import type { AdtsPiece, AudioFacts, MeasuredFile, PartPower, RenderRequest, RenderResult } from './media.ts'

/** What the parent may ask of a child: name → input and output. */
export interface MediaTasks {
  render: { input: RenderRequest; output: RenderResult }
  probe: { input: { file: string }; output: AudioFacts }
  measure: { input: { file: string }; output: MeasuredFile }
  measureParts: { input: { files: string[] }; output: (PartPower | null)[] }
  describe: { input: { file: string }; output: ReturnType<typeof describeFile> }
  joinAdts: { input: { pieces: AdtsPiece[]; file: string }; output: { offset: number; length: number }[] }
  assembleM4b: { input: M4bRequest; output: M4bResult }
}

export type TaskName = keyof MediaTasks

export interface TaskRequest {
  name: TaskName
  input: unknown
}

export type TaskReply =
  | { output: unknown }
  | { problem: { status: number; type: string; detail: string; extra: Record<string, unknown> } }
  | { failure: string }
