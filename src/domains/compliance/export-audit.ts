import { createReadStream } from 'node:fs'
import { open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { auditLogs } from '../../kit/audit.table.ts'
import { hashFile } from '../../kit/hash.ts'
import type { Context, FileReply } from '../../kit/operation.ts'
import { compileShaper } from '../../kit/shape-output.ts'
import { writeCsv } from '../tenancy/write-csv.ts'
import { type AuditFilter, selectAudit } from './select-audit.ts'

const pageSize = 2_000
/** A download has begun by then. */
const keptFor = 600_000

const columns = Object.keys(auditLogs.row.shape)
const shape = compileShaper(auditLogs.row) as (row: unknown) => Record<string, unknown>

const formats = {
  jsonl: {
    mediaType: 'application/x-ndjson',
    write: (rows: Record<string, unknown>[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
  },
  csv: {
    mediaType: 'text/csv',
    write(rows: Record<string, unknown>[], isFirst: boolean) {
      const text = writeCsv(
        columns,
        rows.map((row) => ({ ...row, details: JSON.stringify(row.details) })),
      )
      return isFirst ? text : text.slice(text.indexOf('\r\n') + 2)
    },
  },
}

/** Entries as a file, written page by page into a temporary one, so that a long trail doesn't fill the memory. */
export async function exportAudit(
  { tx, services, request }: Context,
  format: 'csv' | 'jsonl',
  filter: AuditFilter,
): Promise<FileReply> {
  const { mediaType, write } = formats[format]
  const path = join(services.scratch, `audit-${request.id}.${format}`)
  const handle = await open(path, 'wx', 0o600)
  try {
    let after: string | undefined
    for (let isFirst = true; ; isFirst = false) {
      const query = selectAudit(tx, filter).orderBy('id').limit(pageSize)
      const rows = await (after ? query.where('id', '>', after) : query).execute()
      await handle.write(write(rows.map(shape), isFirst))
      after = rows.at(-1)?.id
      if (rows.length < pageSize) break
    }
  } finally {
    await handle.close()
  }
  const remove = () => void rm(path, { force: true }).catch(() => {})
  setTimeout(remove, keptFor).unref()
  const { size } = await stat(path)
  return {
    filename: `audit-${new Date().toISOString().slice(0, 10)}.${format}`,
    mediaType,
    size,
    etag: (await hashFile(path)).slice(0, 27),
    open: async (range) => createReadStream(path, range).on('close', remove),
  }
}
