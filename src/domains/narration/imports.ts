import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { operation, upload } from '../../kit/operation.ts'
import { Id } from '../../kit/table.ts'
import { importDesktop } from './import-desktop.ts'
import { unpackDesktopProject } from './unpack-desktop-project.ts'

export const importOperations = {
  importDesktop: operation({
    name: 'projects.import_desktop',
    method: 'POST',
    path: '/v1/projects/import-desktop',
    summary:
      'Take in a zipped project folder of the desktop program (project.json, manuscript, characters with their voices)',
    input: z.strictObject({ file: upload() }),
    output: z.object({ project_id: Id, job_id: Id, warnings: z.array(z.string()) }),
    async run(context, { file }) {
      const folder = await mkdtemp(join(context.services.scratch, 'import-'))
      try {
        return await importDesktop(context, await unpackDesktopProject(file.path, folder))
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  }),
}
