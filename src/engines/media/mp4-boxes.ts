/** Building blocks of ISO/IEC 14496-12 files. Sizes above 4 GiB occur only in mdat, whose header is written apart. */

export const u8 = (...values: number[]): Buffer => Buffer.from(values)

export const u16 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 2)
  for (const [i, value] of values.entries()) bytes.writeUInt16BE(value & 0xffff, i * 2)
  return bytes
}

export const u32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, i * 4)
  return bytes
}

export const u64 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 8)
  for (const [i, value] of values.entries()) bytes.writeBigUInt64BE(BigInt(value), i * 8)
  return bytes
}

/** A four-character code; '©' is one byte in it. */
export const fourCc = (code: string): Buffer => Buffer.from(code, 'latin1')

export const box = (type: string, ...payload: Uint8Array[]): Buffer => {
  const size = payload.reduce((sum, bytes) => sum + bytes.length, 8)
  return Buffer.concat([u32(size), fourCc(type), ...payload])
}

export const fullBox = (type: string, version: number, flags: number, ...payload: Uint8Array[]): Buffer =>
  box(type, u32((version << 24) | flags), ...payload)

/** Header of an mdat with that many bytes in it; 64-bit when it must be or is asked for. */
export const mdatHeader = (bytes: number, isLarge: boolean): Buffer =>
  isLarge ? Buffer.concat([u32(1), fourCc('mdat'), u64(bytes + 16)]) : Buffer.concat([u32(bytes + 8), fourCc('mdat')])

/** Cuts to at most `limit` bytes of UTF-8 without cutting a character. */
export const cutUtf8 = (text: string, limit: number): Buffer => {
  const bytes = Buffer.from(text.toWellFormed(), 'utf8')
  let end = Math.min(bytes.length, limit)
  if (end < bytes.length) while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--
  return bytes.subarray(0, end)
}
