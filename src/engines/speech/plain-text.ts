import type { SpokenRun } from './spoken-runs.ts'

/** A text for a provider that takes no markup, and the offset in the spoken text of each of its UTF-16 units. */
export interface PlainText {
  text: string
  offsets: number[]
}

/**
 * Runs as plain text: aliases in place of what they stand for; phonemes, emphasis and languages are left to the provider.
 * @param pause writes a pause of so many seconds; left out when absent
 */
export function toPlainText(runs: SpokenRun[], pause?: (seconds: number) => string): PlainText {
  let text = ''
  const offsets: number[] = []
  for (const run of runs) {
    const said = run.alias ?? run.text
    text += said
    for (let i = 0; i < said.length; i++) offsets.push(run.alias === undefined ? run.start + i : run.start)
    const written = run.pause && pause ? pause(run.pause) : ''
    text += written
    for (let i = 0; i < written.length; i++) offsets.push(-1)
  }
  return { text, offsets }
}
