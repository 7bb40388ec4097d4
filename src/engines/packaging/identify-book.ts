import { createHash } from 'node:crypto'
import type { Book } from './book.ts'

/** An ISBN's digits when its check digit holds (ISO 2108), else null. */
export function validIsbn(text: string | undefined): string | null {
  const digits = (text ?? '')
    .replace(/^(urn:)?isbn(-1[03])?:?/i, '')
    .replace(/[\s-]/g, '')
    .toUpperCase()
  if (/^\d{13}$/.test(digits)) return sum(digits, (index) => (index % 2 ? 3 : 1)) % 10 === 0 ? digits : null
  if (/^\d{9}[\dX]$/.test(digits)) return sum(digits, (index) => 10 - index) % 11 === 0 ? digits : null
  return null
}

const sum = (digits: string, weight: (index: number) => number): number =>
  [...digits].reduce((total, digit, index) => total + weight(index) * (digit === 'X' ? 10 : Number(digit)), 0)

/** A URN for the book: its ISBN, or else a UUID of version 8 (RFC 9562 section 5.8) from its title, authors, language and text. */
export function identifyBook(book: Book): string {
  const isbn = validIsbn(book.metadata.isbn)
  if (isbn) return `urn:isbn:${isbn}`
  const { title, authors, language, narrators } = book.metadata
  const hash = createHash('sha256').update(JSON.stringify([title, authors, language, narrators]))
  for (const chapter of book.chapters) hash.update(JSON.stringify([chapter.title, chapter.text]))
  const bytes = hash.digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return `urn:uuid:${bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}`
}
