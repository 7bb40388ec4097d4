import { Problem } from '../src/kit/errors.ts'
import { invoke } from '../src/kit/invoke.ts'
import { type AnyOperation, type Principal, type Upload, isReadOnly } from '../src/kit/operation.ts'
import type { TestApp } from './app.ts'
import { declaredTables } from './declared-tables.ts'
import { type Filled, likelyTable } from './fill-tables.ts'
import { inputWithIds } from './sample-input.ts'

export interface Probe {
  app: TestApp
  /** Rows that whoever asks has no right to. */
  theirs: Filled
  /** For operations that take a file. */
  upload: Upload
}

/** What a caller could tell one reply from another by: all but what differs from call to call. */
export const comparable = (reply: unknown): string =>
  JSON.stringify(reply)
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '(id)')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '(time)')
    .replaceAll(/v[ps]_[A-Za-z0-9_-]+/g, '(token)')

async function ask(
  { app, upload }: Probe,
  principal: Principal,
  operation: AnyOperation,
  input: Record<string, unknown>,
): Promise<unknown> {
  const files = Object.entries(
    operation.input.shape as Record<string, { meta(): { format?: string } | undefined }>,
  ).flatMap(([name, field]) => (field.meta()?.format === 'binary' ? [[name, upload]] : []))
  const request = {
    id: crypto.randomUUID(),
    address: '127.0.0.1',
    userAgent: 'isolation test',
    origin: 'http://localhost',
  }
  try {
    const output = await invoke(
      app.kernel,
      operation,
      { ...input, ...Object.fromEntries(files) },
      { principal, request },
    )
    return { output: typeof output === 'function' ? 'events' : output }
  } catch (error) {
    if (error instanceof Problem) return { problem: error.toJSON() }
    throw new Error(`${operation.name} threw what is not a problem: ${(error as Error).message}`, { cause: error })
  }
}

/** Ids of the tables that an input's field may speak of: one that its name or the path tells, or any. */
function candidates({ theirs }: Probe, operation: AnyOperation, field: string): string[] {
  const segments = operation.path.split('/')
  const before = segments[segments.indexOf(`:${field}`) - 1]?.replaceAll('-', '_')
  const table = declaredTables.find(({ name }) => name === before)?.name ?? likelyTable(field)
  return table ? [table] : [...theirs.ids.keys()]
}

/** Asks an operation for their rows and for rows that nobody has; the replies must be the same, and show nothing of probe.theirs. */
async function probeOne(
  probe: Probe,

  principal: Principal,
  operation: AnyOperation,
  isShown: (id: string) => boolean,
): Promise<string[]> {
  const found: string[] = []
  const hidden = [...probe.theirs.ids].filter(([table]) => !isShown(table)).map(([, id]) => id)
  const secrets = probe.theirs.secrets.filter(
    (secret) =>
      ![...probe.theirs.ids.keys()].some((table) => isShown(table) && secret.includes(table.replaceAll('_', '-'))),
  )
  const check = (reply: unknown, asked: Record<string, unknown>) => {
    const text = JSON.stringify(reply)
    const echoed = JSON.stringify(asked)
    const leak = [...hidden, ...secrets].find((one) => text.includes(one) && !echoed.includes(one))
    if (leak) found.push(`${operation.name} shows ${leak}: ${text.slice(0, 300)}`)
  }
  const fields = Object.keys(operation.input.shape as object)
  const anyField = fields.flatMap((field) => candidates(probe, operation, field))
  const rounds = Math.max(
    1,
    ...fields.map((field) =>
      field === 'id' || field.endsWith('_id') ? candidates(probe, operation, field).length : 1,
    ),
  )
  for (const full of isReadOnly(operation) ? [false, true] : [true, false])
    for (let round = 0; round < rounds; round++) {
      const tableOf = (field: string) => {
        const tables = candidates(probe, operation, field)
        return tables[round % tables.length] ?? anyField[0] ?? 'tenants'
      }
      const nobodys = inputWithIds(operation.input, () => crypto.randomUUID(), full)
      const known = inputWithIds(operation.input, (field) => probe.theirs.ids.get(tableOf(field)) ?? '', full)
      const speaksOfShown = fields.some((field) => (field === 'id' || field.endsWith('_id')) && isShown(tableOf(field)))
      const [one, other] = [
        await ask(probe, principal, operation, nobodys.input),
        await ask(probe, principal, operation, known.input),
      ]
      check(other, known.input)
      if (JSON.stringify(other).includes('"issues"'))
        found.push(`${operation.name} was not tried, the input does not fit: ${JSON.stringify(other).slice(0, 300)}`)
      if (known.takesIds && !speaksOfShown && comparable(one) !== comparable(other))
        found.push(
          `${operation.name} tells theirs from nobody's: ${comparable(other).slice(0, 300)} against ${comparable(one).slice(0, 300)}`,
        )
    }
  return found
}

export async function probeAll(
  probe: Probe,
  principal: Principal,
  isShown: (table: string) => boolean = () => false,
): Promise<string[]> {
  const found: string[] = []
  for (const operation of probe.app.kernel.operations.values())
    found.push(...(await probeOne(probe, principal, operation, isShown)))
  return found
}
