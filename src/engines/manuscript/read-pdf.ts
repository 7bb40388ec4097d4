import { Problem } from '../../kit/errors.ts'
import type { Manuscript, ReadOptions } from './manuscript.ts'
export async function readPdf(_bytes: Uint8Array, _options: ReadOptions): Promise<Manuscript> {
  throw new Problem(415, 'unsupported_format', 'PDF is not read yet.')
}
