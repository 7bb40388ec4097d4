#!/usr/bin/env node
import { stat } from 'node:fs/promises'
import { parseVerb, findVerb, saveTo, uploadOf, usage } from './kit/cli.ts'
import { Problem } from './kit/errors.ts'
import { isEventsOutput, isFileOutput } from './kit/operation.ts'

/** Written for a person; everything else is a verb of an operation. Loaded only when it is called, so that each starts quickly. */
const commands: Record<string, { about: string; run(words: string[]): Promise<void> }> = {
  narrate: {
    about: 'make an audiobook of a manuscript',
    run: async (words) => (await import('./commands/narrate.ts')).narrate(words),
  },
  cast: {
    about: 'find who speaks in a book, and what',
    run: async (words) => (await import('./commands/cast.ts')).cast(words),
  },
  voices: {
    about: 'list the voices that are to be had',
    run: async (words) => (await import('./commands/voices.ts')).voices(words),
  },
  check: {
    about: 'measure audio files against what shops accept',
    run: async (words) => (await import('./commands/check.ts')).check(words),
  },
  serve: {
    about: 'start the API, the web page and a worker',
    run: async (words) => (await import('./commands/serve.ts')).serve(words),
  },
  worker: {
    about: 'start a worker for another machine',
    run: async (words) => (await import('./commands/serve.ts')).work(words),
  },
  config: { about: 'list every setting', run: async () => (await import('./commands/config.ts')).printConfig() },
  draft: {
    about: 'print the SQL of a declared table',
    run: async (words) => (await import('./commands/draft.ts')).draft(words),
  },
}

async function main([first = 'help', ...rest]: string[]): Promise<void> {
  if (['help', '--help', '-h'].includes(first)) return help()
  if (['version', '--version', '-v'].includes(first))
    return void process.stdout.write(`${(await import('./kit/version.ts')).version}\n`)
  const command = commands[first]
  if (command) return command.run(rest)
  return runVerb([first, ...rest])
}

async function runVerb([room = '', verb = '', ...words]: string[]): Promise<void> {
  const { openClient, operations } = await import('./commands/client.ts')
  const operation = findVerb(operations, [room, verb])
  if (!operation) {
    const near = [...operations.values()].filter(({ name }) => name.startsWith(`${room.replaceAll('-', '_')}.`))
    throw new Problem(
      400,
      'usage',
      near.length ? `${near.map(usage).join('\n')}` : `There is no command ${room}. See: voicepress help`,
    )
  }
  if (words.includes('--help') || words.includes('-h'))
    return void process.stdout.write(`${operation.summary}\n${usage(operation)}\n`)
  const { input, out } = parseVerb(operation, words)
  if (typeof input.file === 'string') {
    const { size } = await stat(input.file).catch(() => {
      throw new Problem(404, 'not_found', `There is no file ${input.file}.`)
    })
    input.file = uploadOf(input.file, size)
  }
  const client = await openClient()
  try {
    if (isFileOutput(operation.output)) {
      const { filename, body } = await client.open(operation.name, input)
      await saveTo(out ?? filename, body)
      process.stdout.write(`${out ?? filename}\n`)
    } else if (isEventsOutput(operation.output))
      for await (const event of client.follow(operation.name, input)) process.stdout.write(`${JSON.stringify(event)}\n`)
    else process.stdout.write(`${JSON.stringify(await client.call(operation.name, input), null, 2)}\n`)
  } finally {
    await client.close()
  }
}

async function help(): Promise<void> {
  const { operations } = await import('./commands/client.ts')
  const rooms = Map.groupBy([...operations.values()], ({ name }) => name.split('.')[0] as string)
  const dashed = (name: string) => name.replaceAll('_', '-')
  process.stdout.write(
    [
      'Usage: voicepress COMMAND …\n',
      ...Object.entries(commands).map(([name, { about }]) => `  ${name.padEnd(18)}${about}`),
      '\nEvery operation of the API is a command too (voicepress ROOM VERB --help):\n',
      ...[...rooms].map(
        ([room, verbs]) =>
          `  ${dashed(room).padEnd(18)}${verbs.map(({ name }) => dashed(name.split('.')[1] as string)).join(', ')}`,
      ),
      '\nCommands work on the data folder of this machine (VOICEPRESS_DATA), or on a server (VOICEPRESS_URL and VOICEPRESS_API_KEY).\n',
    ].join('\n'),
  )
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const known = error instanceof Problem || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')
  process.stderr.write(known ? `${(error as Error).message}\n` : `${(error as Error).stack}\n`)
  process.exitCode = error instanceof Problem && error.type === 'usage' ? 2 : 1
})
