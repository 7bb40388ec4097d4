import { parseArgs } from 'node:util'
import { speechSettings } from '../engine-settings.ts'
import { openSpeech } from '../engines/speech/open-speech.ts'
import { matchLanguage } from '../engines/speech/match-language.ts'
import { readConfig } from '../kit/config.ts'
import { table } from './print-table.ts'

export const voicesUsage =
  'Usage: voicepress voices [--language TAG] [--gender male|female|neutral] [--provider NAME] [--json]'

export async function voices(words: string[]): Promise<void> {
  const { values } = parseArgs({
    args: words,
    options: {
      language: { type: 'string' },
      gender: { type: 'string' },
      provider: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return void process.stdout.write(`${voicesUsage}\n`)
  const speech = openSpeech(await speechSettings(readConfig(process.env)))
  const { voices, failed } = await speech.voices()
  await speech.close()
  const chosen = voices.filter(
    (voice) =>
      (!values.language || matchLanguage(voice.languages, values.language) !== null) &&
      (!values.gender || voice.gender === values.gender) &&
      (!values.provider || voice.provider === values.provider),
  )
  for (const { provider, problem } of failed) process.stderr.write(`${provider}: ${problem.message}\n`)
  if (values.json) process.stdout.write(`${JSON.stringify(chosen, null, 1)}\n`)
  else
    process.stdout.write(
      table(
        ['Voice', 'Name', 'Gender', 'Age', 'Languages'],
        chosen.map(({ id, name, gender, age, languages }) => [id, name, gender, age, languages.join(' ')]),
      ),
    )
}
