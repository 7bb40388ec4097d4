import type { Person, TestApp } from './app.ts'

/** Two chapters, two people who speak, about 120 words: what a test can narrate in a second or two. */
export const tinyStory = `The Lamp

by Ann Other

Chapter 1

The lamp had burned all night. “You are late,” said Martha, and she shut the door.

“The road was bad,” said Peter. He put his wet hat on the table and looked at the fire.

“Sit down,” said Martha. “The soup is warm.”

Chapter 2

In the morning the sea was flat and grey. Peter went down to the boat before the others woke.

“Will you come back?” asked Martha from the door.

“I always come back,” said Peter, and he pushed the boat into the water.

Nobody spoke after that. The gulls cried over the rocks, and the lamp went out.
`

/** A project with the story read, cast and voiced; `narrated` speaks it too. */
export async function tinyProject(
  app: TestApp,
  person: Person,
  { narrated = false, story = tinyStory } = {},
): Promise<string> {
  const { id } = await person.call('POST', '/v1/projects', { title: 'The Lamp' })
  const uploaded = await person.upload(`/v1/projects/${id}/manuscript`, 'lamp.txt', story)
  if (uploaded.status !== 200) throw new Error(JSON.stringify(uploaded.body))
  await finished(app, person, uploaded.body.job_id)
  if (narrated) await finished(app, person, (await person.call('POST', `/v1/projects/${id}/generate`)).job_id)
  return id
}

/** The job, which has to complete. */
export async function finished(app: TestApp, person: Person, id: string): Promise<any> {
  const job = await app.waitForJob(person, id)
  if (job.status !== 'completed') throw new Error(`${job.kind} ${job.status}: ${JSON.stringify(job.error)}`)
  return job
}
