import { Problem } from '../../kit/errors.ts'
import type { Manuscript, ReadOptions } from './manuscript.ts'
import type { Archive } from './open-archive.ts'
export async function readDocx(_archive: Archive, _options: ReadOptions): Promise<Manuscript> {
  throw new Problem(415, 'unsupported_format', 'DOCX is not read yet.')
}
