import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { afterEach, expect, test } from 'vitest'
import { placeBlocks } from '../manuscript/manuscript.ts'
import type { CastChapter } from './cast.ts'
import { detectCast } from './detect-cast.ts'
import { detectCastWithModel } from './detect-cast-with-model.ts'

const paragraphs = [
  'Clara Voss came in with Henry Dale. Henry sat down by the fire, and Clara stood at the window. Mr. Pell was asleep.',
  '“It is cold,” said Clara.',
  '“It is always cold,” Henry replied.',
  '“Then we might go south.”',
  '“South! You and your south.” She laughed at him.',
  '“I mean it,” said Henry.',
]
const chapters: CastChapter[] = [
  { title: 'One', ...placeBlocks(paragraphs.map((text) => ({ kind: 'paragraph', text, marks: [] }))) },
]
const LINES = 5

let server: Server | undefined
afterEach(() => new Promise<void>((done) => (server ? server.close(() => done()) : done())))

interface Request {
  temperature?: number
  response_format?: { type: string }
  messages: { content: string }[]
}

/** A server of the OpenAI chat protocol that answers what the test says. */
async function serve(
  answer: (request: Request) => { status?: number; content: string },
): Promise<{ model: ReturnType<ReturnType<typeof createOpenAICompatible>>; seen: Request[] }> {
  const seen: Request[] = []
  server = createServer((incoming, reply) => {
    let body = ''
    incoming.on('data', (chunk) => (body += chunk))
    incoming.on('end', () => {
      const request = JSON.parse(body) as Request
      seen.push(request)
      const { status = 200, content } = answer(request)
      reply.writeHead(status, { 'content-type': 'application/json' })
      const message = { index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }
      reply.end(
        status === 200
          ? JSON.stringify({
              id: 'x',
              object: 'chat.completion',
              created: 1,
              model: 'tiny',
              choices: [message],
              usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 },
            })
          : content,
      )
    })
  })
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return {
    model: createOpenAICompatible({
      name: 'loopback',
      baseURL: `http://127.0.0.1:${port}/v1`,
      supportsStructuredOutputs: true,
    })('tiny'),
    seen,
  }
}

const answers = (...speakers: string[]): string =>
  JSON.stringify({ lines: speakers.map((speaker, number) => ({ number, speaker })) })
const speakers = (cast: Awaited<ReturnType<typeof detectCast>>): (string | null)[] =>
  (cast.segments[0] ?? []).filter(({ kind }) => kind === 'speech').map(({ speaker }) => speaker)
const detect = (
  model: Parameters<typeof detectCastWithModel>[1]['model'],
  signal?: AbortSignal,
): ReturnType<typeof detectCastWithModel> => detectCastWithModel(chapters, { language: 'en', model, signal })

test('a right answer is taken, at temperature 0, as JSON of a schema, with its usage', async () => {
  const { model, seen } = await serve(() => ({
    content: answers('Clara Voss', 'Henry Dale', 'Mr. Pell', 'Clara Voss', 'Henry Dale'),
  }))
  const { cast, usage } = await detect(model)
  expect(speakers(cast)).toEqual(['clara-voss', 'henry-dale', 'mr-pell', 'clara-voss', 'henry-dale'])
  expect(cast.segments[0]?.filter(({ rule }) => rule === 'model').length).toBeGreaterThan(0)
  expect(cast.detectedBy).toBe('tiny')
  expect(usage).toMatchObject({
    requests: 1,
    failed: 0,
    inputTokens: 100,
    outputTokens: 20,
    rejected: 0,
    accepted: LINES,
  })
  expect(seen[0]).toMatchObject({ temperature: 0, response_format: { type: 'json_schema' } })
  expect(seen[0]?.messages.at(-1)?.content).toContain('[2] “Then we might go south.”')
})

test('names that are not in the text and labels that the text contradicts are rejected', async () => {
  const { model } = await serve(() => ({
    content: answers('Henry Dale', 'Clara Voss', 'Napoleon', 'Henry Dale', 'Zorro'),
  }))
  const { cast, usage } = await detect(model)
  const rules = await detectCast(chapters, { language: 'en' })
  expect(speakers(cast).filter((_, index) => index !== 3)).toEqual(speakers(rules).filter((_, index) => index !== 3))
  expect(usage.rejected).toBeGreaterThanOrEqual(4)
  expect(cast.characters.map(({ name }) => name)).not.toContain('Napoleon')
})

test.each([
  ['an error', 400, '{"error":{"message":"no"}}'],
  ['no JSON', 200, 'I think Clara speaks.'],
  ['another shape', 200, '{"speakers":["Clara"]}'],
  ['numbers of no line', 200, JSON.stringify({ lines: [{ number: 99, speaker: 'Clara Voss' }] })],
])('%s leaves the cast of the rules', async (_, status, content) => {
  const { model } = await serve(() => ({ status, content }))
  const { cast, usage } = await detect(model)
  expect(cast).toEqual(await detectCast(chapters, { language: 'en' }))
  expect(usage.accepted).toBe(0)
})

test('an abort is thrown', async () => {
  const controller = new AbortController()
  const { model } = await serve(() => {
    controller.abort(new Error('stopped'))
    return { content: answers('Clara Voss') }
  })
  await expect(detect(model, controller.signal)).rejects.toThrow('stopped')
})
