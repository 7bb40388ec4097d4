import { domains } from '../app.ts'
import { Problem } from '../kit/errors.ts'
import { draftSql } from '../kit/table.ts'

export async function draft([name]: string[]): Promise<void> {
  const tables = domains.flatMap((domain) => domain.tables)
  const found = tables.find((table) => table.name === name)
  if (!found)
    throw new Problem(
      400,
      'usage',
      `Usage: npm run draft TABLE; one of ${tables.map((table) => table.name).join(', ')}`,
    )
  process.stdout.write(draftSql(found))
}
