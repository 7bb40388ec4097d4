import { createHash } from 'node:crypto'
import { z } from 'zod'
import { type DatabaseError, isDatabaseError, scopedOpening, transaction } from './database.ts'
import { Problem } from './errors.ts'
import { type Kernel, emit, enqueue } from './kernel.ts'
import {
  type AnyOperation,
  type Context,
  type Principal,
  type Request,
  type Upload,
  isEventsOutput,
  isFileOutput,
  isReadOnly,
  mayRun,
} from './operation.ts'
import { compileShaper } from './shape-output.ts'

export interface Invocation {
  principal: Principal
  request: Request
  idempotencyKey?: string
  header?: (name: string, value: string) => void
}

const shapers = new WeakMap<AnyOperation, (value: unknown) => unknown>()

function shapeOf(operation: AnyOperation): (value: unknown) => unknown {
  let shape = shapers.get(operation)
  if (!shape) {
    shape =
      isFileOutput(operation.output) || isEventsOutput(operation.output)
        ? (value) => value
        : compileShaper(operation.output)
    shapers.set(operation, shape)
  }
  return shape
}

/**
 * Asks the gates, then whether the role allows it: all that is known before the input has come.
 * @param given what of the input there is already; written down with a refusal
 * @throws Problem 401 unauthenticated, 403 forbidden (with `permission`), and whatever a gate throws
 */
export async function admit(
  kernel: Kernel,
  operation: AnyOperation,
  given: unknown,
  { principal, request, header }: Invocation,
): Promise<void> {
  for (const gate of kernel.gates) await gate({ operation, principal, request, header: header ?? (() => {}) })
  if (operation.public) return
  if (principal.via === 'anonymous')
    throw new Problem(401, 'unauthenticated', 'Sign in, or send an API key as a bearer token.')
  if (mayRun(principal, operation.name)) return
  kernel.services.authorizer?.refused({ principal, operation, input: given, request })
  throw new Problem(403, 'forbidden', `Your role does not allow ${operation.name}.`, { permission: operation.name })
}

/**
 * The way of a request, whatever door it came through: gates → may → validate → one transaction → rules → run → audit → shaped output.
 * @throws Problem 403 forbidden, 400 invalid_input (with `field`), and whatever the operation throws
 */
export async function invoke(
  kernel: Kernel,
  operation: AnyOperation,
  raw: unknown,
  invocation: Invocation,
): Promise<unknown> {
  await admit(kernel, operation, raw, invocation)
  return perform(kernel, operation, raw, invocation)
}

/** What comes after `admit`, for a door that admits before it has received everything. */
export async function perform(
  kernel: Kernel,
  operation: AnyOperation,
  raw: unknown,
  { principal, request, idempotencyKey, header }: Invocation,
): Promise<unknown> {
  const { authorizer } = kernel.services
  const input = parseInput(operation, raw)
  const readOnly = isReadOnly(operation)
  const scope = {
    tenant: principal.tenant,
    user: principal.user,
    seesAll: principal.seesAll,
    action: operation.name,
    request: request.id,
  }
  const after: (() => void | Promise<void>)[] = []
  const output = await transaction(
    kernel.pool,
    scopedOpening(scope, readOnly),
    async (tx) => {
      if (!operation.public) await authorizer?.authorize({ tx, principal, operation, input, request })
      // A file isn't kept for another time; it is made again.
      const replay =
        idempotencyKey && principal.user && !isFileOutput(operation.output)
          ? await claimKey(tx, operation, principal.user, idempotencyKey, raw)
          : undefined
      if (replay !== undefined) return replay
      const context: Context = {
        tx,
        principal,
        request,
        services: kernel.services,
        emit: (name, payload) => emit(tx, name, payload),
        enqueue: (job, payload, options) =>
          enqueue(tx, job, payload, { user: principal.user, ...options, subject: subjectOf(payload) }),
        afterCommit: (work) => after.push(work),
        header: header ?? (() => {}),
      }
      const result = shapeOf(operation)(await operation.run(context, input))
      if (!readOnly) await writeAudit(context, operation, input)
      if (idempotencyKey && principal.user && !isFileOutput(operation.output)) {
        await tx
          .updateTable('idempotency_keys')
          .set({ response: JSON.stringify(result ?? null) })
          .where('user_id', '=', principal.user)
          .where('key', '=', idempotencyKey)
          .execute()
      }
      return result
    },
    readOnly,
  ).catch((error) => {
    throw isDatabaseError(error) ? fromDatabase(error) : error
  })
  if (!readOnly) authorizer?.changed(principal.tenant)
  for (const work of after) await work()
  return output
}

const subjectOf = (payload: unknown): string | undefined => {
  const { project_id: project, audio_file_id: audio } = (payload ?? {}) as {
    project_id?: string
    audio_file_id?: string
  }
  return project ?? audio
}

function parseInput(operation: AnyOperation, raw: unknown): unknown {
  const parsed = operation.input.safeParse(raw)
  if (parsed.success) return parsed.data
  const issues = (parsed.error as z.ZodError).issues.map((issue) => ({
    field: issue.path.join('.') || (issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : ''),
    message: issue.message,
  }))
  const [first] = issues
  throw new Problem(
    400,
    'invalid_input',
    first?.field ? `${first.field}: ${first.message}` : (first?.message ?? 'The input is not valid.'),
    { field: first?.field, issues: issues.slice(0, 20) },
  )
}

/** A second request with the same key waits for the first (unique index), then gets its reply. */
async function claimKey(
  tx: Context['tx'],
  operation: AnyOperation,
  user: string,
  key: string,
  raw: unknown,
): Promise<unknown> {
  if (key.length > 255)
    throw new Problem(400, 'invalid_input', 'Idempotency-Key: at most 255 characters', { field: 'Idempotency-Key' })
  const plain = JSON.stringify(raw, (_, value) =>
    (value as Upload)?.path ? { filename: value.filename, size: value.size } : value,
  )
  const hash = createHash('sha256').update(`${operation.name}\n${plain}`).digest('hex')
  const claimed = await tx
    .insertInto('idempotency_keys')
    .values({ user_id: user, key, operation: operation.name, request_hash: hash })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'user_id', 'key']).doNothing())
    .returning('id')
    .executeTakeFirst()
  if (claimed) return undefined
  const known = await tx
    .selectFrom('idempotency_keys')
    .select(['request_hash', 'response'])
    .where('user_id', '=', user)
    .where('key', '=', key)
    .executeTakeFirstOrThrow()
  if (known.request_hash !== hash)
    throw new Problem(422, 'idempotency_key_reused', 'This Idempotency-Key was used for another request.')
  return known.response
}

const hidden = /password|secret|token|key|code/i

async function writeAudit({ tx, principal, request }: Context, operation: AnyOperation, input: unknown): Promise<void> {
  const { id } = input as { id?: unknown }
  const details = JSON.stringify(input, (name, value) =>
    hidden.test(name)
      ? undefined
      : typeof value === 'string' && value.length > 200
        ? `${value.slice(0, 200)}…`
        : (value as Upload)?.path
          ? { filename: value.filename, size: value.size }
          : value,
  )
  await tx
    .insertInto('audit_logs')
    .values({
      user_id: principal.user,
      user_email: principal.email,
      action: operation.name,
      resource_type: operation.name.split('.')[0] ?? null,
      resource_id: typeof id === 'string' && z.uuid().safeParse(id).success ? id : null,
      details: details.length > 8000 ? '{"truncated": true}' : details,
      ip_address: request.address,
      user_agent: request.userAgent?.slice(0, 500) ?? null,
      request_id: request.id,
    })
    .execute()
}

/** What the database refuses, in a person's words. Names of constraints are ours, so they may be shown. */
function fromDatabase(error: DatabaseError): Error {
  const unstorable = () => new Problem(400, 'invalid_input', 'A text has a character that cannot be stored.')
  const known: Record<string, () => Problem> = {
    '23505': () =>
      new Problem(409, 'already_exists', 'There is one like this already.', { constraint: error.constraint }),
    '23503': () =>
      new Problem(
        409,
        'reference_missing',
        'It refers to something that is not there, or something still refers to it.',
        { constraint: error.constraint },
      ),
    '23514': () =>
      new Problem(400, 'invalid_input', 'A value is outside its limits.', { constraint: error.constraint }),
    '42501': () => new Problem(404, 'not_found', 'There is no such thing, or you may not change it.'),
    '40P01': () => new Problem(409, 'conflict', 'Two changes met; try again.'),
    '40001': () => new Problem(409, 'conflict', 'Two changes met; try again.'),
    '22003': () => new Problem(400, 'invalid_input', 'A number is too large.'),
    '22008': () => new Problem(400, 'invalid_input', 'A time is outside what can be stored.'),
    '22P02': unstorable,
    '22P05': unstorable,
    '22021': unstorable,
    '54001': () => new Problem(400, 'invalid_input', 'The input is nested too deep.'),
    '25006': () => new Problem(500, 'internal', 'A reading operation tried to write.'),
  }
  return known[error.code]?.() ?? error
}
