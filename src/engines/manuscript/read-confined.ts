import { open, readdir, realpath, stat } from 'node:fs/promises'
import { basename, join, sep } from 'node:path'
import { Problem } from '../../kit/errors.ts'

// A configuration of that size is none; a chapter's text of that size is a library.
const longestText = 32 << 20

/** A regular file below `root` (a real path), or null: nothing there, a folder, or a way out of `root` by `..` or a link. */
export async function findFile(root: string, name: string): Promise<string | null> {
  if (name.includes('\0')) return null
  try {
    const file = await realpath(join(root, name.replaceAll('\\', '/')))
    if (!file.startsWith(root.endsWith(sep) ? root : root + sep)) return null
    return (await stat(file)).isFile() ? file : null
  } catch {
    return null
  }
}

/** Names of files in a folder below `root` with one of these extensions, in the order of the numbers in their names. */
export async function listFolder(root: string, folder: string, extensions: string[]): Promise<string[]> {
  const names = await readdir(join(root, folder)).catch(() => [])
  return names
    .filter((name) => !name.startsWith('.') && extensions.includes(name.split('.').at(-1)?.toLowerCase() ?? ''))
    .sort(new Intl.Collator('en', { numeric: true }).compare)
}

/** UTF-8 text of at most 32 MiB. */
export async function readText(file: string): Promise<string> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    if (size > longestText)
      throw new Problem(
        422,
        'desktop_project_unreadable',
        `${basename(file)} is ${size >> 20} MiB long; at most ${longestText >> 20} are read.`,
      )
    return (await handle.readFile('utf8')).replace(/^\uFEFF/, '')
  } finally {
    await handle.close()
  }
}

export async function readJson(file: string): Promise<unknown> {
  const text = await readText(file)
  try {
    return JSON.parse(text)
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : ''
    throw new Problem(422, 'desktop_project_unreadable', `${basename(file)} is not JSON: ${detail}`, {}, { cause })
  }
}
