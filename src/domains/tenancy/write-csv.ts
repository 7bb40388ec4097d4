import { createHash } from 'node:crypto'

/**
 * RFC 4180: CRLF, quotation marks doubled. A text that a spreadsheet would take for a formula gets an apostrophe before it
 * (OWASP, CSV injection); numbers stay what they are.
 */
export function writeCsv<T extends object>(columns: string[], rows: T[]): string {
  const lines = rows.map((row) => columns.map((column) => cell((row as Record<string, unknown>)[column])).join(','))
  return [columns.join(','), ...lines, ''].join('\r\n')
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'string') return String(value)
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

export const etagOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64url').slice(0, 27)
