import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { openArchive } from '../../engines/manuscript/open-archive.ts'
import { Problem } from '../../kit/errors.ts'

/** What an import reads; audio, which a desktop project is full of, is made anew. */
const wanted = /\.(json|txt|md|docx|epub|html|pdf|jpe?g|png|webp)$/i

/**
 * Unpacks what is needed of a zipped desktop project into a folder, with the archive reader's limits on entries, sizes and ratios.
 * @returns the folder that holds project.json
 * @throws Problem 422 desktop_project_missing, and what `openArchive` throws
 */
export async function unpackDesktopProject(zip: string, folder: string): Promise<string> {
  const archive = await openArchive(zip)
  try {
    const names = archive.names.filter(
      (name) => !name.split(/[\\/]/).some((part) => part === '__MACOSX' || part === '..'),
    )
    const [config] = names
      .filter((name) => /^(project|config)\.json$/.test(posix.basename(name)))
      .sort((a, b) => depth(a) - depth(b) || (a < b ? 1 : -1))
    if (!config)
      throw new Problem(
        422,
        'desktop_project_missing',
        'There is no project.json in this zip: it is not a desktop project.',
        { field: 'file' },
      )
    const root = posix.dirname(config) === '.' ? '' : `${posix.dirname(config)}/`
    for (const name of names) {
      if (!name.startsWith(root) || !wanted.test(name)) continue
      // Cut off what would make it absolute; `..` was refused above.
      const path = join(folder, name.slice(root.length).replace(/^[/\\]+/, ''))
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, await archive.read(name))
    }
    return folder
  } finally {
    archive.close()
  }
}

const depth = (name: string): number => name.split('/').length
