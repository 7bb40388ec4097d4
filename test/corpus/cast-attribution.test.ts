import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { scoreBare, scoreGiven } from '../../bench/attribution.ts'
import { listNovels, readNovel } from '../../bench/corpora/pdnc.ts'
import { detectCast } from '../../src/engines/language/detect-cast.ts'

const DATA = process.env.VOICEPRESS_CORPUS ?? fileURLToPath(new URL('../../../shared/data', import.meta.url))
const folder = join(DATA, 'pdnc')

const novels = listNovels(folder)
const share = (tallies: { all?: { right: number; all: number } }[]): number =>
  tallies.reduce((sum, { all }) => sum + (all?.right ?? 0), 0) /
  tallies.reduce((sum, { all }) => sum + (all?.all ?? 0), 0)

test('speakers of the annotated novels: 75 % with gold quotations and cast, 62 % from the bare text', async () => {
  const given = []
  const bare = []
  for (const name of novels) {
    const novel = readNovel(folder, name)
    given.push(scoreGiven(novel))
    bare.push(await scoreBare(novel))
  }
  expect(share(given)).toBeGreaterThan(0.75)
  expect(share(bare)).toBeGreaterThan(0.62)
})

test.each(novels)('the segments of %s cover every character of its chapters once', async (name) => {
  const { chapters } = readNovel(folder, name)
  const { segments } = await detectCast(chapters, { language: 'en' })
  for (const [index, chapter] of chapters.entries()) {
    let at = 0
    for (const { start, end } of segments[index] ?? []) {
      if (chapter.text.slice(at, start).trim() !== '')
        expect.unreachable(`${name}, chapter ${index}: text before ${start} is in no segment`)
      expect(end).toBeGreaterThan(start)
      at = end
    }
    expect(chapter.text.slice(at).trim()).toBe('')
  }
})
