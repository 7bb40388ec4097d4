import { realpath, rm, stat } from 'node:fs/promises'
import { basename, extname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { DeliveryReport } from '../engines/media/media.ts'
import { saveTo, uploadOf } from '../kit/cli.ts'
import { Problem } from '../kit/errors.ts'
import { openClient } from './client.ts'
import { followJob } from './follow-job.ts'
import { clock } from './progress.ts'
import { printDelivery } from './print-delivery.ts'

export const narrateUsage = `Usage: voicepress narrate BOOK [--out FILE] [--format m4b|acx|mp3_zip|epub3] [--cast auto|single] [--voice ID]
                         [--language TAG] [--chapters 1-3] [--chapter-pattern REGEX] [--front-matter] [--level word|sentence] [--json]

Makes an audiobook of a manuscript (txt, Markdown, HTML, EPUB, DOCX, PDF). It may be interrupted at any moment: run it again and it goes on.`

const extensions: Record<string, string> = {
  m4b: '.m4b',
  acx: '.acx.zip',
  audible: '.audible.zip',
  mp3_zip: '.mp3.zip',
  epub3: '.epub',
}

interface Project {
  id: string
  title: string
  authors: string[]
  language: string
  warnings: string[]
}
interface Package {
  id: string
  file_bytes: number
  sha256: string
  delivery: DeliveryReport | null
  manifest: { chapters?: { duration: number }[] }
}

export async function narrate(words: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: {
      out: { type: 'string' },
      format: { type: 'string' },
      cast: { type: 'string', default: 'auto' },
      voice: { type: 'string' },
      language: { type: 'string' },
      chapters: { type: 'string' },
      'chapter-pattern': { type: 'string' },
      'front-matter': { type: 'boolean' },
      level: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return void process.stdout.write(`${narrateUsage}\n`)
  const [given, ...more] = positionals
  if (!given || more.length) throw new Problem(400, 'usage', narrateUsage)
  const book = await realpath(given).catch(() => {
    throw new Problem(404, 'not_found', `There is no file ${given}.`)
  })
  const { size, isFile } = await stat(book).then((found) => ({ size: found.size, isFile: found.isFile() }))
  if (!isFile) throw new Problem(400, 'usage', `${given} is not a file.`)
  const format = values.format ?? formatOf(values.out) ?? 'm4b'
  if (!(format in extensions))
    throw new Problem(400, 'usage', `--format: must be one of ${Object.keys(extensions).join(', ')}`, {
      field: 'format',
    })
  if (values.cast !== 'auto' && values.cast !== 'single')
    throw new Problem(400, 'usage', '--cast: must be auto or single', { field: 'cast' })
  const out = resolve(values.out ?? basename(book, extname(book)) + (extensions[format] ?? ''))
  const started = performance.now()

  const client = await openClient()
  const stop = () => void client.close()
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    const settings = {
      cast: values.cast,
      ...(values.voice && { narrator_voice: values.voice }),
      ...(values.language && { language: values.language }),
      ...(values['chapter-pattern'] && { chapter_pattern: values['chapter-pattern'] }),
      ...(values['front-matter'] && { include_front_matter: true, include_back_matter: true }),
    }
    const job = await client.call<{ project_id: string; job_id: string }>('projects.narrate_file', {
      source: book,
      file: uploadOf(book, size),
      settings,
      request: {
        format,
        ...(values.level && { level: values.level }),
        ...(values.chapters && { body_chapters: rangeOf(values.chapters) }),
      },
    })
    await client.work?.()
    const done = await followJob(client, job.job_id)
    const { package_id, generated } = done.result as {
      package_id: string
      generated: { chapters: number; failed_segments: number }
    }
    const [project, made] = [
      await client.call<Project>('projects.get', { id: job.project_id }),
      await client.call<Package>('packages.get', { id: package_id }),
    ]
    await saveTo(out, (await client.open('packages.download', { id: package_id })).body)
    const seconds = (performance.now() - started) / 1000
    if (values.json)
      return void process.stdout.write(
        `${JSON.stringify({ file: out, bytes: made.file_bytes, sha256: made.sha256, project, seconds, generated, delivery: made.delivery }, null, 2)}\n`,
      )
    process.stdout.write(summary(out, project, made, generated, seconds))
  } catch (error) {
    await rm(`${out}.${process.pid}.part`, { force: true })
    throw error
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
    await client.close()
  }
}

const formatOf = (out: string | undefined): string | undefined =>
  out ? Object.entries(extensions).find(([, extension]) => out.toLowerCase().endsWith(extension))?.[0] : undefined

function rangeOf(text: string): { from: number; to: number } {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text.trim())
  const from = Number(match?.[1])
  const to = Number(match?.[2] ?? match?.[1])
  if (!match || from < 1 || to < from)
    throw new Problem(400, 'usage', `--chapters: ${text} is not a range such as 1-3`, { field: 'chapters' })
  return { from, to }
}

function summary(
  out: string,
  project: Project,
  made: Package,
  generated: { chapters: number; failed_segments: number },
  seconds: number,
): string {
  const duration = made.manifest.chapters?.reduce((sum, chapter) => sum + chapter.duration, 0) ?? 0
  const lines = [
    `${project.title}${project.authors.length ? `, ${project.authors.join(', ')}` : ''}`,
    ...project.warnings.map((warning) => `  note: ${warning}`),
    ...(generated.failed_segments ? [`  ${generated.failed_segments} segments could not be spoken`] : []),
    ...(made.delivery ? [printDelivery(made.delivery)] : []),
    `${out}: ${made.manifest.chapters?.length ?? 0} chapters, ${clock(duration)}, ${(made.file_bytes / 1e6).toFixed(1)} MB, made in ${clock(seconds)} (${generated.chapters} chapters spoken now)`,
  ]
  return `${lines.join('\n')}\n`
}
