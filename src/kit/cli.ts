import { createWriteStream } from 'node:fs'
import { rename } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { basename } from 'node:path'
import type { Readable } from 'node:stream'
import type { z } from 'zod'
import { coerceStrings, unwrap } from './coerce.ts'
import { Problem } from './errors.ts'
import type { AnyOperation } from './operation.ts'

/** How a command reaches the operations: in this process, or on a server. */
export interface Client {
  call<T = unknown>(name: string, input?: Record<string, unknown>): Promise<T>
  open(name: string, input?: Record<string, unknown>): Promise<{ filename: string; body: Readable }>
  follow<T>(name: string, input?: Record<string, unknown>): AsyncIterable<T>
  close(): Promise<void>
}

/** `projects list` → projects.list, `api-keys create` → api_keys.create. */
export function findVerb(operations: Map<string, AnyOperation>, words: string[]): AnyOperation | undefined {
  const [room = '', verb = ''] = words.map((word) => word.replaceAll('-', '_'))
  return operations.get(`${room}.${verb}`)
}

/** `:id` of the path as plain words in order, everything else as --flags; a flag without a value is true. */
export function parseVerb(operation: AnyOperation, words: string[]): { input: Record<string, unknown>; out?: string } {
  const positional = [...operation.path.matchAll(/:([a-z_]+)/g)].map(([, name]) => name as string)
  const values: Record<string, unknown> = {}
  let out: string | undefined
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as string
    if (!word.startsWith('--')) {
      const name = positional.shift()
      if (!name) throw new Problem(400, 'usage', `${word}: nothing more is expected here. ${usage(operation)}`)
      values[name] = word
      continue
    }
    const [flag = '', given] = splitFlag(word)
    const name = flag.replaceAll('-', '_')
    const schema = operation.input.shape[name] as z.ZodType | undefined
    if (name === 'out') {
      out = given ?? words[++index]
      continue
    }
    if (!schema)
      throw new Problem(400, 'usage', `--${flag}: there is no such option. ${usage(operation)}`, { field: flag })
    const isSwitch = unwrap(schema)?.def.type === 'boolean'
    values[name] =
      given ?? (isSwitch && words[index + 1] !== 'true' && words[index + 1] !== 'false' ? 'true' : words[++index])
    if (values[name] === undefined) throw new Problem(400, 'usage', `--${flag} needs a value.`, { field: flag })
  }
  return { input: coerceStrings(operation.input, values), out }
}

function splitFlag(word: string): [string, string | undefined] {
  const at = word.indexOf('=')
  return at < 0 ? [word.slice(2), undefined] : [word.slice(2, at), word.slice(at + 1)]
}

export function usage(operation: AnyOperation): string {
  const inPath = [...operation.path.matchAll(/:([a-z_]+)/g)].map(([, name]) => name as string)
  const [room = '', verb = ''] = operation.name.split('.').map((word) => word.replaceAll('_', '-'))
  const flags = Object.entries(operation.input.shape as Record<string, z.ZodType>)
    .filter(([name]) => !inPath.includes(name))
    .map(([name, schema]) =>
      schema.isOptional() ? `[--${name.replaceAll('_', '-')} …]` : `--${name.replaceAll('_', '-')} …`,
    )
  return `Usage: voicepress ${[room, verb, ...inPath.map((name) => name.toUpperCase()), ...flags].join(' ')}`
}

/** Writes to a file beside its place and moves it there when it is whole. */
export async function saveTo(path: string, body: Readable): Promise<void> {
  const partial = `${path}.${process.pid}.part`
  await pipeline(body, createWriteStream(partial))
  await rename(partial, path)
}

export const uploadOf = (path: string, size: number) => ({
  path,
  size,
  filename: basename(path),
  mediaType: 'application/octet-stream',
})
