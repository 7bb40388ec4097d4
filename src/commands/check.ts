import { parseArgs } from 'node:util'
import type { DeliveryProfile } from '../engines/media/media.ts'
import { openMedia } from '../engines/media/open-media.ts'
import { Problem } from '../kit/errors.ts'
import { printDelivery } from './print-delivery.ts'

export const checkUsage = `Usage: voicepress check FILE|FOLDER … [--profile acx|m4b|podcast] [--json]

Measures audio files against what shops accept. Exit status 1 when anything fails. Without a profile each file is held against that of its kind.`

const profiles = ['acx', 'm4b', 'podcast']

export async function check(words: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: {
      profile: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return void process.stdout.write(`${checkUsage}\n`)
  if (positionals.length === 0) throw new Problem(400, 'usage', checkUsage)
  if (values.profile && !profiles.includes(values.profile))
    throw new Problem(400, 'usage', `--profile: must be one of ${profiles.join(', ')}`, { field: 'profile' })
  const media = openMedia()
  try {
    const report = await media.check(positionals, values.profile as DeliveryProfile | undefined)
    process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : `${printDelivery(report)}\n`)
    if (report.verdict === 'fail') process.exitCode = 1
  } finally {
    await media.close()
  }
}
