import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { type Import, type SourceFile, parse, readSource } from './source-files.ts'

/** From left to right: each may import those before it. */
const baseDomains = ['tenancy', 'identity', 'compliance', 'metering', 'integrations', 'library']

/** What an engine, which knows no database and no tenant, has no use for. */
const beyondEngines =
  /^src\/kit\/(database|kernel|operation|resource|table|http|invoke|queue|jobs|migrate|events|audit\.table|outbox\.table)\.|^(pg|kysely|graphile-worker|fastify)(\/|$)|^@fastify\//

interface Room {
  floor: 'kit' | 'engine' | 'domain' | 'app' | 'door' | 'test' | 'web' | 'bench' | 'outside'
  name: string
}

const isTest = (path: string): boolean => /^test\/|\.test\.ts$|-contract\.ts$/.test(path)

function roomOf(path: string): Room {
  const [top = '', floor = '', name = '', ...rest] = path.split('/')
  if (isTest(path)) return { floor: 'test', name: top }
  if (top === 'web' || top === 'bench') return { floor: top, name: top }
  if (top !== 'src') return { floor: 'outside', name: top }
  if (floor === 'kit') return { floor: 'kit', name: 'kit' }
  if (floor === 'engines' && rest.length) return { floor: 'engine', name }
  if (floor === 'domains' && rest.length) return { floor: 'domain', name }
  if (/^(server|worker|web|cli)\.ts$/.test(floor) || floor === 'commands') return { floor: 'door', name: floor }
  if (/^(app|engine-settings)\.ts$/.test(floor)) return { floor: 'app', name: floor }
  return { floor: 'outside', name: path }
}

/** Why one room may not import from another; undefined when it may. */
function objection(file: SourceFile, { target, isTypeOnly }: Import): string | undefined {
  const from = roomOf(file.path)
  const to = roomOf(target)
  if (from.floor === 'test' || from.floor === 'bench') return undefined
  if (to.floor === 'test') return 'only tests import tests'
  if (to.floor === 'outside') return target === 'package.json' ? undefined : 'there is no such room'
  if (from.floor === 'web')
    return to.floor === 'web' || (isTypeOnly && target.endsWith('.table.ts'))
      ? undefined
      : 'the page knows table files, and of those the types'
  if (to.floor === 'web' || to.floor === 'bench') return 'nothing here imports it'
  if (from.floor === 'kit') return to.floor === 'kit' ? undefined : 'the kit knows no business'
  if (from.floor === 'engine') {
    if (to.floor === 'kit') return beyondEngines.test(target) ? 'engines know no database and no tenant' : undefined
    if (to.floor !== 'engine') return 'engines know no domains'
    return from.name !== to.name && basename(target).startsWith('open-') ? 'an engine opens no other engine' : undefined
  }
  if (from.floor === 'domain') {
    if (to.floor === 'app' || to.floor === 'door') return 'imports go down'
    if (to.floor !== 'domain' || to.name === from.name) return undefined
    if (basename(target) === 'domain.ts') return "a domain's declaration is the app's to read"
    const place = baseDomains.indexOf(from.name)
    const other = baseDomains.indexOf(to.name)
    if (other === -1) return 'domains do not import sideways: subscribe to an event'
    return place !== -1 && other > place ? `${to.name} stands right of ${from.name}` : undefined
  }
  if (from.floor === 'app') return to.floor === 'door' ? 'imports go down' : undefined
  return undefined
}

const files = await readSource('src', 'web', 'test', 'bench')
const ours = files.filter(({ path }) => roomOf(path).floor !== 'test' && roomOf(path).floor !== 'bench')

test('imports go down, never up and never sideways', () => {
  const broken = files.flatMap((file) =>
    file.imports.flatMap((one) => {
      const why = one.isOwn
        ? objection(file, one)
        : roomOf(file.path).floor === 'engine' && beyondEngines.test(one.target)
          ? 'engines know no database'
          : undefined
      return why ? [`${file.path}:${one.line} → ${one.target}: ${why}`] : []
    }),
  )
  expect(broken).toEqual([])
})

test('every file has a room', () => {
  expect(files.map(({ path }) => path).filter((path) => roomOf(path).floor === 'outside')).toEqual([])
})

test('a test framework and development tools stay out of what is shipped', () => {
  const developing = /^(vitest|fast-check|playwright-core|@sparticuz\/|oxc-parser|azurite|s3rver)/
  expect(
    ours.flatMap(({ path, imports }) =>
      imports.filter(({ target }) => developing.test(target)).map(({ target }) => `${path}: ${target}`),
    ),
  ).toEqual([])
})

test('no file holds two ideas', () => {
  expect(files.filter(({ lines }) => lines > 300).map(({ path, lines }) => `${path}: ${lines} lines`)).toEqual([])
})

test('names are of the field', () => {
  const refused = /(^|[-.])(service|repository|dto|mapper|utils?|helpers?)([-.]|$)|^index\./
  expect(files.map(({ path }) => path).filter((path) => refused.test(basename(path)))).toEqual([])
})

test('no default exports, barrels, enums, decorators or stateless classes', () => {
  expect(files.flatMap(({ refused }) => refused)).toEqual([])
})

test('the rules bite', () => {
  const broken = (path: string, text: string) => {
    const file = parse(path, text)
    return [...file.refused, ...file.imports.map((one) => objection(file, one))].filter(Boolean).length
  }
  expect(broken('src/kit/a.ts', "import { a } from '../engines/media/media.ts'")).toBe(1)
  expect(broken('src/kit/a.ts', "const a = await import('../app.ts')")).toBe(1)
  expect(broken('src/engines/media/a.ts', "fork(new URL('../../domains/narration/a.ts', import.meta.url))")).toBe(1)
  expect(broken('src/engines/media/a.ts', "import type { Tx } from '../../kit/database.ts'")).toBe(1)
  expect(broken('src/domains/tenancy/a.ts', "import { a } from '../identity/a.ts'")).toBe(1)
  expect(broken('src/domains/identity/a.ts', "export { a } from '../tenancy/a.ts'")).toBe(0)
  expect(broken('src/domains/stories/a.ts', "type A = import('../narration/a.ts').A")).toBe(1)
  expect(broken('src/domains/stories/a.ts', "import '../identity/domain.ts'")).toBe(1)
  expect(broken('src/app.ts', "import { startServer } from './server.ts'")).toBe(1)
  expect(broken('src/app.ts', "import { openTestApp } from '../test/app.ts'")).toBe(1)
  expect(broken('web/a.ts', "import { users } from '../src/domains/identity/identity.table.ts'")).toBe(1)
  expect(broken('web/a.ts', "import type { users } from '../src/domains/identity/identity.table.ts'")).toBe(0)
  expect(
    broken(
      'src/kit/a.ts',
      'export default 1; enum A {}; class B { run() {} }; @a class C { x = 1 }; interface AudioService {}',
    ),
  ).toBe(5)
})
