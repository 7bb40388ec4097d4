import type { JobRow } from '../kit/jobs.ts'

const width = 28

/** One line that is drawn over itself in a terminal; elsewhere a line every tenth, so that logs stay short. */
export function openProgress(stream: NodeJS.WriteStream = process.stderr) {
  const started = performance.now()
  let first: number | undefined
  let lastTenth = -1
  let drawn = false
  return {
    show({ progress, detail }: Pick<JobRow, 'progress' | 'detail'>): void {
      first ??= progress
      const left = timeLeft(started, first, progress)
      const step = detail ? describe(detail) : ''
      if (stream.isTTY) {
        const filled = Math.round((progress / 100) * width)
        const line = `${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${progress.toFixed(1).padStart(5)} %  ${left ? `${left} left` : ''}  ${step}`
        stream.write(`\r\u001b[2K${line.slice(0, (stream.columns ?? 100) - 1)}`)
        drawn = true
      } else if (Math.floor(progress / 10) !== lastTenth) {
        lastTenth = Math.floor(progress / 10)
        stream.write(`${progress.toFixed(0)} %${left ? `, ${left} left` : ''}${step ? `: ${step}` : ''}\n`)
      }
    },
    end(): void {
      if (drawn) stream.write('\r\u001b[2K')
      drawn = false
    },
  }
}

/** From the pace of this run alone: what an earlier run had done says nothing of how fast this one is. */
function timeLeft(started: number, first: number, progress: number): string | undefined {
  const elapsed = (performance.now() - started) / 1000
  if (progress - first < 1 || elapsed < 2) return undefined
  return clock((elapsed * (100 - progress)) / (progress - first))
}

const words: Record<string, string> = {
  manuscript: 'reading the manuscript',
  characters: 'finding the characters',
  voice: 'speaking',
  packaging: 'packing',
}

function describe({ step, chapter, format }: Record<string, unknown>): string {
  return [words[String(step)] ?? String(step ?? ''), chapter ?? format].filter(Boolean).join(' ')
}

/** 3:07 or 1:02:33 */
export function clock(seconds: number): string {
  const whole = Math.round(seconds)
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const tail = `${String(minutes).padStart(hours ? 2 : 1, '0')}:${String(rest).padStart(2, '0')}`
  return hours ? `${hours}:${tail}` : tail
}
