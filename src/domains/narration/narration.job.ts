import { z } from 'zod'
import { job } from '../../kit/jobs.ts'
import { Id } from '../../kit/table.ts'
import { assignVoices } from './assign-voices.ts'
import { detectIntoProject } from './detect-characters.ts'
import { generateInProject } from './generate-audio.ts'
import { makePackage } from './make-package.ts'
import { packageFormats, platforms } from './narration.table.ts'
import { findProject, requireEditable } from './project-state.ts'
import { readIntoProject } from './read-manuscript.ts'
import { mp3Folder } from './render-mp3.ts'

const project = z.object({ project_id: Id })
export const chapterNumbers = z.array(z.number().int().min(1)).max(10_000)

export const packageRequest = z.object({
  format: z.enum(packageFormats),
  platform: z.enum(platforms).optional(),
  chapters: chapterNumbers.optional(),
  level: z.enum(['word', 'sentence']).optional(),
  bit_rate: z.number().int().min(64_000).max(320_000).optional(),
})

/** Reading a manuscript, then finding and casting who speaks in it: quick enough to be one step for a person. */
export const prepareJob = job({
  name: 'narration.prepare',
  payload: project,
  async run(context, { project_id }) {
    await readIntoProject(context, project_id)
    await detectIntoProject(context, project_id)
    await context.scoped(async (tx) => assignVoices(tx, context.services, await findProject(tx, project_id)))
  },
})

export const generateJob = job({
  name: 'narration.generate',
  payload: project.extend({ chapters: chapterNumbers.optional(), force: z.boolean().optional() }),
  async run(context, { project_id, ...options }) {
    // A chapter that was taken in since has no segments yet.
    await detectIntoProject(context, project_id)
    await context.scoped(async (tx) => assignVoices(tx, context.services, await findProject(tx, project_id)))
    return generateInProject(context, project_id, { ...options, from: 5, to: 100 })
  },
})

export const packageJob = job({
  name: 'narration.package',
  payload: project.extend(packageRequest.shape),
  async run(context, { project_id, bit_rate, ...options }) {
    const made = await makePackage(context, project_id, { ...options, bitRate: bit_rate }, { from: 0, to: 100 })
    await context.services.storage.removeAll(
      mp3Folder(context, await context.scoped((tx) => findProject(tx, project_id), true)),
    )
    return { package_id: made.id }
  },
})

/** From manuscript to package in one go; each step does only what is not done yet. */
export const narrateJob = job({
  name: 'narration.narrate',
  payload: project.extend(packageRequest.shape).extend({
    /** Of the chapters that are read aloud, counted from 1: 1–3 is the first three of the story whatever stands before them. */
    body_chapters: z.object({ from: z.number().int().min(1), to: z.number().int().min(1) }).optional(),
  }),
  async run(context, { project_id, bit_rate, body_chapters, ...options }) {
    await context.scoped((tx) => requireEditable(tx, project_id))
    await readIntoProject(context, project_id)
    await detectIntoProject(context, project_id)
    await context.scoped(async (tx) => assignVoices(tx, context.services, await findProject(tx, project_id)))
    const chapters = body_chapters
      ? await context.scoped((tx) => numbersOf(tx, project_id, body_chapters), true)
      : options.chapters
    const generated = await generateInProject(context, project_id, { chapters, from: 5, to: 95 })
    const made = await makePackage(
      context,
      project_id,
      { ...options, chapters, bitRate: bit_rate },
      { from: 95, to: 100 },
    )
    return { package_id: made.id, generated }
  },
})

async function numbersOf(
  tx: Parameters<typeof findProject>[0],
  id: string,
  { from, to }: { from: number; to: number },
): Promise<number[]> {
  const included = await tx
    .selectFrom('chapters')
    .select('number')
    .where('project_id', '=', id)
    .where('included', '=', true)
    .orderBy('number')
    .execute()
  return included.slice(from - 1, to).map(({ number }) => number)
}

export const jobs = [prepareJob, generateJob, packageJob, narrateJob]
