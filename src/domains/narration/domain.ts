import './services.ts'
import type { Domain } from '../../kit/kernel.ts'
import { chapterOperations } from './chapters.ts'
import { characterOperations } from './characters.ts'
import { checkOperations } from './checks.ts'
import { commentOperations } from './comments.ts'
import { importOperations } from './imports.ts'
import { lexiconOperations } from './lexicon.ts'
import { jobs } from './narration.job.ts'
import {
  audioCache,
  chapters,
  characters,
  comments,
  lexiconEntries,
  packages,
  projectShares,
  projects,
  segmentRevisions,
  segments,
} from './narration.table.ts'
import { narrateFileOperations } from './narrate-file.ts'
import { packageOperations } from './packages.ts'
import { projectOperations } from './projects.ts'
import { regenerateJob } from './regenerate-line.ts'
import { segmentAudioOperations } from './segment-audio.ts'
import { segmentOperations } from './segments.ts'
import { shareOperations } from './shares.ts'
import { sweepJob, sweepOperations } from './sweep.ts'
import { voiceOperations } from './voices.ts'

export const narration: Domain = {
  name: 'narration',
  tables: [
    projects,
    projectShares,
    chapters,
    characters,
    segments,
    segmentRevisions,
    audioCache,
    packages,
    lexiconEntries,
    comments,
  ] as never,
  operations: [
    narrateFileOperations,
    importOperations,
    projectOperations,
    chapterOperations,
    segmentOperations,
    segmentAudioOperations,
    characterOperations,
    voiceOperations,
    lexiconOperations,
    shareOperations,
    commentOperations,
    packageOperations,
    checkOperations,
    sweepOperations,
  ],
  jobs: [...jobs, regenerateJob, sweepJob],
}
