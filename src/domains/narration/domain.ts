import './services.ts'
import type { Domain } from '../../kit/kernel.ts'
import { jobs } from './narration.job.ts'
import { audioCache, chapters, characters, comments, lexiconEntries, packages, projectShares, projects, segments } from './narration.table.ts'
import { narrateFileOperations } from './narrate-file.ts'
import { packageOperations } from './packages.ts'
import { projectOperations } from './projects.ts'

export const narration: Domain = {
  name: 'narration',
  tables: [projects, projectShares, chapters, characters, segments, audioCache, packages, lexiconEntries, comments] as never,
  operations: [narrateFileOperations, projectOperations, packageOperations],
  jobs,
}
