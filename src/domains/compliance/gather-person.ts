import { createReadStream, createWriteStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { sql } from 'kysely'
import yazl from 'yazl'
import type { z } from 'zod'
import type { JobContext } from '../../kit/jobs.ts'
import { compileShaper } from '../../kit/shape-output.ts'
import type { report } from './compliance.table.ts'
import { type PersonKeys, type Subject, anyOf, names } from './person-data.ts'

const pageSize = 1_000

const readMe = `This archive holds what is stored about you.

about.json   who keeps it, what for, for how long, who gets it, and which rights you have (GDPR, 15(1))
data/        one file a table, each a list of the rows that are about you, or that you made
files/       the files that belong to those rows

JSON is UTF-8; times are ISO 8601 in UTC. What would let somebody sign in as you, such as the hash of a password, is left out.
`

const about = (controller: string, person: PersonKeys, tables: Record<string, number>) => ({
  made_at: new Date().toISOString(),
  person: { id: person.id, email: person.address },
  controller,
  purposes: [
    'to keep your account and to let you sign in',
    'to do the work that you ask for',
    'to bill and to limit what is used',
    'to protect accounts and to prove afterwards what was done',
  ],
  recipients: [
    'the administrators of the controller',
    'whoever runs this installation',
    'the speech and language providers that the controller has set up: texts that you had narrated',
  ],
  kept: 'Your account until it is erased; what signing in needs until it expires; the audit trail as long as the tenant exists, emptied of you when you are erased.',
  source: 'you, and what this software wrote down while you used it',
  rights: [
    'rectification',
    'erasure',
    'restriction',
    'objection',
    'portability',
    'a complaint to a supervisory authority',
  ],
  automated_decisions: 'none',
  rows: tables,
})

/** Everything about a person as a zip in the blob store. Rows are read page by page, so that a long history doesn't fill the memory. */
export async function gatherPerson(
  context: JobContext,
  subjects: Subject[],
  person: PersonKeys,
  { blob, path }: { blob: string; path: string },
): Promise<{ bytes: number; report: z.output<typeof report> }> {
  const { storage } = context.services
  const archive = new yazl.ZipFile()
  const written = pipeline(archive.outputStream, createWriteStream(path))
  // Whoever adds the next entry hears of it; alone it would end the process.
  written.catch(() => {})
  try {
    const counts: Record<string, number> = {}
    const files: { from: string; to: string }[] = []
    for (const subject of subjects) {
      const rows = rowsOf(context, subject, person)
      const first = await rows.next()
      if (first.done) continue
      counts[subject.table.name] = 0
      const note = (row: Row) => {
        counts[subject.table.name] = (counts[subject.table.name] ?? 0) + 1
        for (const name of subject.blobs)
          if (row[name])
            files.push({
              from: String(row[name]),
              to: `files/${subject.table.name}/${row.id}-${name}${extname(String(row[name]))}`,
            })
      }
      await addStream(
        archive,
        `data/${subject.table.name}.json`,
        Readable.from(asJson(subject, first.value, rows, note)),
      )
    }
    let found = 0
    for (const { from, to } of files) {
      if (!(await storage.stat(from))) continue
      await addStream(archive, to, await storage.get(from))
      found += 1
    }
    const { name } = await context.scoped(
      (tx) => tx.selectFrom('tenants').select('name').executeTakeFirstOrThrow(),
      true,
    )
    archive.addBuffer(Buffer.from(JSON.stringify(about(name, person, counts), null, 2)), 'about.json')
    archive.addBuffer(Buffer.from(readMe), 'README.txt')
    archive.end()
    await written
    const { size } = await stat(path)
    await storage.put(blob, createReadStream(path), { mediaType: 'application/zip' })
    const tables = Object.entries(counts).map(([table, count]) => ({
      table,
      found: count,
      deleted: 0,
      pseudonymised: 0,
      kept: count,
      because: [],
    }))
    return { bytes: size, report: { tables, files: found } }
  } finally {
    await rm(path, { force: true })
  }
}

type Row = Record<string, unknown> & { id: string }

/** Rows that name the person by id or address; what merely mentions them is somebody else's to tell (GDPR, 15(4)). */
async function* rowsOf(
  context: JobContext,
  { table, namings }: Subject,
  person: PersonKeys,
): AsyncGenerator<Row, undefined> {
  const naming = namings.filter(({ by }) => by !== 'mention')
  if (naming.length === 0) return
  const where = anyOf(naming.map((one) => names(one, person)))
  let after = '00000000-0000-0000-0000-000000000000'
  for (;;) {
    const { rows } = await context.scoped(
      (tx) =>
        sql<Row>`select * from ${sql.table(table.name)} where ${where} and id > ${after}::uuid order by id limit ${pageSize}`.execute(
          tx,
        ),
      true,
    )
    yield* rows
    after = rows.at(-1)?.id ?? after
    if (rows.length < pageSize) return
  }
}

async function* asJson(
  { table }: Subject,
  first: Row,
  rest: AsyncIterable<Row>,
  note: (row: Row) => void,
): AsyncGenerator<string> {
  const shape = compileShaper(table.row)
  note(first)
  yield `[\n${JSON.stringify(shape(first))}`
  for await (const row of rest) {
    note(row)
    yield `,\n${JSON.stringify(shape(row))}`
  }
  yield '\n]\n'
}

/** Waits until the entry is written, so that one stream is open at a time. */
function addStream(archive: yazl.ZipFile, name: string, stream: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once('error', reject).once('close', resolve)
    archive.addReadStream(stream, name)
  })
}

export const pathOf = (scratch: string, request: string): string => join(scratch, `gdpr-${request}.zip`)
