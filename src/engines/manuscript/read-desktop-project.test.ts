import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Problem } from '../../kit/errors.ts'
import { readDesktopProject } from './read-desktop-project.ts'

let root: string
let count = 0
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'voicepress-desktop-'))
})
afterAll(() => rm(root, { recursive: true }))

async function project(files: Record<string, unknown>): Promise<string> {
  const folder = join(root, String(++count))
  await mkdir(folder)
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return folder
}

it('reads a whole project, in camel case and in snake case alike', async () => {
  const camel = {
    title: 'La casa',
    authors: ['Inés Paz'],
    language: 'es-PE',
    publishDate: '2024-05-01',
    characters: [
      {
        name: 'Camila',
        voiceId: 'es-PE-CamilaNeural',
        gender: 'Female',
        ageRange: 'young adult',
        voiceSettings: { speakingRate: 1.1 },
      },
    ],
    settings: { ttsProvider: 'azure', processingChain: 'audiobook_standard', targetPlatform: 'audible' },
  }
  const snake = {
    title: 'La casa',
    author: 'Inés Paz',
    language: 'es_PE',
    publish_date: '2024-05-01',
    characters: {
      Camila: {
        voice_id: 'es-PE-CamilaNeural',
        gender: 'f',
        age_range: 'young_adult',
        voice_settings: { speaking_rate: 1.1 },
      },
    },
    settings: { tts_provider: 'azure', processing_chain: 'audiobook_standard', target_platform: 'audible' },
  }
  const read = await Promise.all(
    [camel, snake].map(async (config) =>
      readDesktopProject(await project({ 'project.json': config, 'manuscript.txt': 'Capítulo 1', 'cover.jpg': 'x' })),
    ),
  )
  for (const found of read) {
    expect(found).toMatchObject({
      metadata: { title: 'La casa', authors: ['Inés Paz'], language: 'es-PE', published: '2024-05-01' },
      manuscript: { filename: 'manuscript.txt' },
      cover: { filename: 'cover.jpg' },
      characters: [
        {
          name: 'Camila',
          voiceId: 'es-PE-CamilaNeural',
          gender: 'female',
          ageRange: 'young_adult',
          voiceSettings: { speakingRate: 1.1 },
        },
      ],
      settings: { ttsProvider: 'azure', processingChain: 'audiobook_standard', targetPlatform: 'audible' },
      warnings: [],
    })
  }
})

it('takes characters and chapters from files of their own, and completes one by the other', async () => {
  const folder = await project({
    'project.json': { title: 'T', characters: [{ name: 'Ann', voiceId: 'alloy' }] },
    'characters/ann.json': { name: 'ann', voice_id: 'nova', gender: 'female', aliases: ['Annie'] },
    'characters/bob.json': { name: 'Bob', voice: { provider: 'openai', voice_id: 'onyx', pitch: 2 } },
    'characters/nobody.json': { gender: 'male' },
    'chapters/10-the-end.txt': 'Ten.',
    'chapters/2.json': {
      title: 'Two',
      segments: [{ text: 'Hello', character_name: 'Ann', audio_path: 'audio/2-1.wav' }, { text: '' }],
    },
    'audio/2-1.wav': 'RIFF',
  })
  const found = await readDesktopProject(folder)
  expect(found.characters).toMatchObject([
    { name: 'Ann', voiceId: 'alloy', gender: 'female', aliases: ['Annie'] },
    { name: 'Bob', voiceId: 'onyx', provider: 'openai', voiceSettings: { pitch: 2 } },
  ])
  expect(found.chapters).toMatchObject([
    { number: 1, title: 'Two', segments: [{ text: 'Hello', character: 'Ann', audio: join(folder, 'audio/2-1.wav') }] },
    { number: 2, title: 'the end', text: 'Ten.' },
  ])
  expect(found.manuscript).toBeNull()
  expect(found.warnings).toEqual(['A character without a name was left out.'])
})

it.each([
  [{}, 'desktop_project_missing'],
  [{ 'project.json': '{"title": ' }, 'desktop_project_unreadable'],
  [{ 'project.json': '"text"' }, 'desktop_project_unreadable'],
  [{ 'project.json': { title: 'T', characters: 'Ann' }, 'manuscript.txt': 'x' }, 'desktop_project_unreadable'],
  [{ 'project.json': { authors: [] }, 'manuscript.txt': 'x' }, 'desktop_project_incomplete'],
  [{ 'project.json': { title: 'T' } }, 'desktop_project_incomplete'],
])('says what is wrong with %j', async (files, type) => {
  await expect(readDesktopProject(await project(files))).rejects.toMatchObject({ status: 422, type })
})

it('reads nothing outside of the folder', async () => {
  await writeFile(join(root, 'secret.txt'), 'secret')
  const folder = await project({
    'project.json': { title: 'T', manuscript: '../secret.txt', cover: '/etc/hostname' },
    'manuscript.txt': 'own',
  })
  await symlink(join(root, 'secret.txt'), join(folder, 'cover.png'))
  const found = await readDesktopProject(folder)
  expect(found).toMatchObject({ manuscript: { file: join(folder, 'manuscript.txt') }, cover: null })
  expect(found.warnings).toHaveLength(2)
})

it('answers with a project or a Problem, whatever JSON it is given', async () => {
  const folder = await project({ 'manuscript.txt': 'x' })
  const names = [
    'title',
    'authors',
    'characters',
    'chapters',
    'settings',
    'metadata',
    'cover',
    'manuscript',
    'name',
    'voice_id',
    'segments',
    'text',
  ]
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(tie('any'), { maxLength: 3 }),
      tie('fields'),
    ),
    fields: fc.dictionary(fc.constantFrom(...names), tie('any'), { maxKeys: 6 }),
  }))
  await fc.assert(
    fc.asyncProperty(value.fields, async (config) => {
      await writeFile(join(folder, 'project.json'), JSON.stringify(config))
      const found = await readDesktopProject(folder).catch((error: unknown) => error)
      if (found instanceof Error) expect(found).toBeInstanceOf(Problem)
    }),
    { numRuns: 200 },
  )
})
