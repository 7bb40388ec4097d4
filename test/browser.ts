import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Browser, type Page, chromium } from 'playwright-core'
import { root } from './source-files.ts'

const library = dirname(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')))

/** Chromium from npm, unpacked once beside the packages; VOICEPRESS_TEST_BROWSER names another one. */
async function unpackBrowser(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(library, 'package.json'), 'utf8')) as { version: string }
  const folder = join(root, 'node_modules', '.cache', `voicepress-chromium-${version}`)
  if (await stat(folder).catch(() => null)) return folder
  await mkdir(dirname(folder), { recursive: true })
  const unpacking = await mkdtemp(`${folder}-`)
  // The package unpacks into the temporary folder, and takes whatever lies there already for its own.
  const usual = process.env.TMPDIR
  process.env.TMPDIR = unpacking
  try {
    const { default: packed, inflate } = await import('@sparticuz/chromium')
    await packed.executablePath()
    await inflate(join(library, 'bin', 'al2023.tar.br'))
    // Theirs names the folder that they would have unpacked to.
    await writeFile(join(unpacking, 'fonts', 'fonts.conf'), fontConfig(join(folder, 'fonts')))
  } finally {
    if (usual === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = usual
  }
  // Of two that unpack at once one is kept.
  await rename(unpacking, folder).catch(() => rm(unpacking, { recursive: true, force: true }))
  return folder
}

const fontConfig = (folder: string): string =>
  `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${folder}</dir><dir>/usr/share/fonts</dir><cachedir>${folder}/cache</cachedir></fontconfig>\n`

export async function openBrowser(): Promise<Browser> {
  const own = process.env.VOICEPRESS_TEST_BROWSER
  const folder = own ? '' : await unpackBrowser()
  return chromium.launch({
    executablePath: own ?? join(folder, 'chromium'),
    args: [
      '--no-sandbox',
      '--no-zygote',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-pings',
      '--autoplay-policy=no-user-gesture-required',
    ],
    // Libraries and fonts that a bare machine lacks come with it.
    env: own
      ? undefined
      : { ...process.env, LD_LIBRARY_PATH: join(folder, 'al2023', 'lib'), FONTCONFIG_PATH: join(folder, 'fonts') },
  })
}

/** What a page asks of other hosts, and what its policy stops or its scripts throw. */
export function watchPage(page: Page, own: string): { foreign: string[]; errors: string[] } {
  const foreign: string[] = []
  const errors: string[] = []
  page.on('request', (request) => {
    if (!request.url().startsWith(own) && !/^(data|blob):/.test(request.url())) foreign.push(request.url())
  })
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  return { foreign, errors }
}
