import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matchChapterLines } from '../../src/engines/manuscript/chapter-pattern.ts'
import { checkBlobName, checkBlobPrefix } from '../../src/engines/storage/blob-name.ts'
import { openStorage } from '../../src/engines/storage/open-storage.ts'
import { readSource } from '../source-files.ts'

describe('the name of a blob', () => {
  const pieces = fc.constantFrom(
    '..',
    '.',
    '/',
    '//',
    '\\',
    '%2e',
    '%2f',
    '\u0000',
    'a',
    'etc',
    'passwd',
    '~',
    ' ',
    'C:',
    '\uff0e\uff0e',
    '\u2024',
    '\n',
  )

  test('never leads out of where blobs live', () => {
    const root = '/srv/blobs'
    const passes = (check: (name: string) => string, name: string) => {
      try {
        return check(name)
      } catch (error) {
        expect(error).toMatchObject({ status: 400, type: 'invalid_blob_name' })
        return null
      }
    }
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(pieces, { maxLength: 10 }).map((parts) => parts.join('')),
          fc.array(pieces, { maxLength: 6 }).map((parts) => parts.join('/')),
          fc.string(),
        ),
        (name) =>
          [checkBlobName, checkBlobPrefix].every((check) => {
            const passed = passes(check, name)
            return passed === null || (join(root, passed) + '/').startsWith(`${root}/`)
          }),
      ),
      { numRuns: 20_000 },
    )
  })

  test('is judged by every way into the store', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'voicepress-attack-'))
    const secret = join(folder, 'secret.txt')
    await writeFile(secret, 'untouched')
    const storage = await openStorage({ folder: join(folder, 'blobs'), cache: join(folder, 'cache') } as never)
    for (const name of [
      '../secret.txt',
      'a/../../secret.txt',
      secret,
      './../secret.txt',
      'a//../../secret.txt',
      '..',
      '',
      '/',
      '\u0000',
      '..\\secret.txt',
      `${'a/'.repeat(600)}b`,
    ]) {
      const ways: Record<string, () => unknown> = {
        put: () => storage.put(name, Buffer.from('changed')),
        stream: () => storage.put(name, Readable.from(['changed'])),
        get: () => storage.get(name),
        read: () => storage.read(name),
        stat: () => storage.stat(name),
        remove: () => storage.remove(name),
        removeAll: () => storage.removeAll(name),
        localPath: () => storage.localPath(name),
      }
      for (const [way, go] of Object.entries(ways))
        await expect
          .soft(Promise.resolve().then(go), `${way} ${JSON.stringify(name)}`)
          .rejects.toMatchObject({ status: 400 })
    }
    expect(await readFile(secret, 'utf8')).toBe('untouched')
    await storage.close()
    await rm(folder, { recursive: true, force: true })
  })
})

describe("a person's pattern", () => {
  // Each takes longer than the world has, if it is let.
  const endless = [
    '(a+)+$',
    '(a*)*b',
    '(a|a)*b',
    '(a|aa)+$',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
    '(.*)*x',
    '(|){40}b',
    '(|)'.repeat(100) + 'b',
    '(?:^|$)'.repeat(60) + 'b',
    '(?:x?|y?)'.repeat(50) + 'b',
    '((a?){20}){20}b',
    '(?:){1000}{1000}x',
    '(a?){40}a{40}',
    '(\\w+\\s?)*$',
    '(x+x+)+y',
    '((((a*)*)*)*)*b',
    '(?=(a+)+$)b',
    '(?<=(a+)+)b',
  ]
  const lines = ['a'.repeat(300), `${'a'.repeat(299)}!`, 'x'.repeat(300), 'word '.repeat(60), 'aB'.repeat(150), '']

  test.each(endless)('%s is answered or refused, and holds nothing up', (pattern) => {
    let found: unknown
    try {
      found = matchChapterLines(pattern, lines)
    } catch (error) {
      found = error
      expect(error).toMatchObject({ type: 'invalid_chapter_pattern' })
    }
    expect(found).toBeDefined()
  })

  test('reaches nothing of ours', () => {
    for (const pattern of [
      '/a/constructor',
      '${process.exit()}',
      '(?<constructor>a)',
      '(?<__proto__>a)',
      'a/;process.exit()//',
    ])
      try {
        matchChapterLines(pattern, lines)
      } catch (error) {
        expect(error).toMatchObject({ type: 'invalid_chapter_pattern' })
      }
    expect(({} as Record<string, unknown>).a).toBeUndefined()
  })
})

describe('our own source', () => {
  /** These ask addresses that whoever runs the installation has set, and no other. */
  const configured = [
    'src/engines/speech/call-provider.ts',
    'src/domains/identity/judge-password.ts',
    'src/commands/client.ts',
  ]
  /** The one that asks what people name. */
  const safe = 'src/kit/safe-fetch.ts'

  test('fetches what people name in one place only', async () => {
    const files = (await readSource('src')).filter(({ path }) => !/\.test\.ts$|-contract\.ts$|loopback\.ts$/.test(path))
    const asking: string[] = []
    for (const { path, imports } of files) {
      const text = await readFile(join(import.meta.dirname, '../..', path), 'utf8')
      // One that is given to it, or that is its own, is not the platform's.
      const isOwn = /\bfetch\??: |[(,] ?fetch\b[,)]|(const|function) fetch\b/.test(text)
      const uses = imports.some(
        ({ target, isTypeOnly }) =>
          !isTypeOnly && /^(node:)?(https?|http2|tls)$|^(undici|axios|got|node-fetch)(\/|$)/.test(target),
      )
      if ((/(?<![.\w])fetch\(/.test(text) && !isOwn) || (uses && !/createServer/.test(text))) asking.push(path)
    }
    expect(asking.toSorted()).toEqual([...configured, safe].toSorted())
  })
})
