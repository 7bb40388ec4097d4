import { sql } from 'kysely'
import type { Row, Tx } from '../../kit/database.ts'
import { Problem, notFound } from '../../kit/errors.ts'
import type { projects } from './narration.table.ts'
import { projectStatus, type workflowSteps } from './narration.table.ts'

export type Project = Row<typeof projects>
export type ProjectStatus = (typeof projectStatus)[number]
type Step = (typeof workflowSteps)[number]

/** What is done when a status is reached; `planning` is the segmentation that comes with the cast. */
const stepsAt: Record<ProjectStatus, Step[]> = {
  draft: ['project'],
  manuscript_uploaded: ['project', 'manuscript'],
  characters_detected: ['project', 'manuscript', 'characters', 'planning'],
  voices_assigned: ['project', 'manuscript', 'characters', 'planning', 'casting'],
  audio_generated: ['project', 'manuscript', 'characters', 'planning', 'casting', 'voice'],
  packaged: ['project', 'manuscript', 'characters', 'planning', 'casting', 'voice', 'packaging'],
  completed: ['project', 'manuscript', 'characters', 'planning', 'casting', 'voice', 'packaging'],
}

const rank = (status: ProjectStatus): number => projectStatus.indexOf(status)

/** Work goes one step on, or any number back: a new manuscript undoes what was made of the old one. */
export const mayMove = (from: ProjectStatus, to: ProjectStatus): boolean => rank(to) <= rank(from) + 1

/** @throws Problem 409 invalid_status */
export async function moveProject(tx: Tx, project: Pick<Project, 'id' | 'status'>, to: ProjectStatus): Promise<void> {
  if (!mayMove(project.status, to))
    throw new Problem(409, 'invalid_status', `A project that is ${project.status} cannot become ${to}.`, {
      from: project.status,
      to,
    })
  await tx
    .updateTable('projects')
    .set({
      status: to,
      workflow_completed: JSON.stringify(Object.fromEntries(stepsAt[to].map((step) => [step, true]))) as never,
      completed_at: to === 'completed' ? sql<string>`now()` : null,
      updated_at: sql`now()`,
    })
    .where('id', '=', project.id)
    .execute()
  project.status = to
}

/** Goes on to a status when it was not reached before; a repeated step leaves later ones as they are. */
export async function reach(tx: Tx, project: Pick<Project, 'id' | 'status'>, status: ProjectStatus): Promise<void> {
  if (rank(project.status) < rank(status)) await moveProject(tx, project, status)
}

export const findProject = async (tx: Tx, id: string): Promise<Project> =>
  (await tx
    .selectFrom('projects')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow(() => notFound('project'))) as Project

/** Row security lets nobody change what they may only see; this says so in words before work begins. */
export async function requireEditable(tx: Tx, id: string): Promise<Project> {
  const project = await findProject(tx, id)
  const { rows } = await sql<{
    editable: boolean
  }>`select sees_all() or ${id}::uuid = any (editable_projects()) as editable`.execute(tx)
  if (!rows[0]?.editable) throw new Problem(403, 'forbidden', 'This project is shared with you to view, not to change.')
  if (project.archived_at) throw new Problem(409, 'archived', 'This project is archived; restore it first.')
  return project
}

export const projectFolder = (tenant: string, project: string): string => `tenants/${tenant}/projects/${project}`
