import { micromark } from 'micromark'
import { readIsbn } from './epub-package.ts'
import type { Flow } from './flow.ts'
import { Omissions } from './flow.ts'
import type { BookMetadata } from './manuscript.ts'
import { find, parseHtml } from './markup-tree.ts'
import { readMarkup } from './read-markup.ts'

/** CommonMark 0.31 with a YAML metadata block as pandoc writes it, and its footnotes left out. */
export function readMarkdown(source: string): { flow: Flow; metadata: Partial<BookMetadata> } {
  const front = /^---[ \t]*\n([\s\S]*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)/.exec(source.replace(/\r\n?/g, '\n'))
  const text = source.replace(/\r\n?/g, '\n').slice(front?.[0].length ?? 0)
  const omissions = new Omissions()
  const tree = parseHtml(micromark(dropNotes(text, omissions), { allowDangerousHtml: true }))
  const blocks = readMarkup(find(tree, 'body') ?? tree, { omissions })
  return { flow: { blocks, omissions }, metadata: front ? readFrontMatter(front[1] ?? '') : {} }
}

/** `[^1]` and `[^1]: …` with its indented lines. */
function dropNotes(text: string, omissions: Omissions): string {
  const defined = new Set<string>()
  const without = text.replace(
    /^\[\^([^\]\s]{1,80})\]:[^\n]*(?:\n(?:[ \t]+[^\n]+|[ \t]*(?=\n[ \t]{2,}\S)))*\n?/gm,
    (_, name: string) => {
      defined.add(name)
      omissions.add('footnote')
      return ''
    },
  )
  if (defined.size === 0) return text
  return without.replace(/\[\^([^\]\s]{1,80})\]/g, (all, name: string) => {
    if (!defined.has(name)) return all
    omissions.add('noteReference')
    return ''
  })
}

/** The few keys that describe a book, as scalars or simple lists; this is no YAML parser. */
function readFrontMatter(yaml: string): Partial<BookMetadata> {
  const values = new Map<string, string[]>()
  let key = ''
  for (const line of yaml.split('\n')) {
    const pair = /^([A-Za-z_-]+):\s*(.*)$/.exec(line)
    const item = /^\s*-\s+(?:(?:name|text):\s*)?(.+)$/.exec(line)
    if (pair) {
      key = (pair[1] ?? '').toLowerCase()
      const value = pair[2] ?? ''
      const list = /^\[(.*)\]$/.exec(value)?.[1]
      values.set(key, (list === undefined ? [value] : list.split(',')).map(unquote).filter(Boolean))
    } else if (item && key) values.get(key)?.push(unquote(item[1] ?? ''))
  }
  const first = (...names: string[]): string | undefined => names.flatMap((name) => values.get(name) ?? [])[0]
  return {
    title: first('title'),
    subtitle: first('subtitle'),
    authors: values.get('author') ?? values.get('authors') ?? values.get('creator') ?? [],
    translators: values.get('translator') ?? [],
    narrators: values.get('narrator') ?? [],
    language: first('lang', 'language') ?? '',
    publisher: first('publisher'),
    published: /^\d{4}(-\d\d){0,2}/.exec(first('date') ?? '')?.[0],
    isbn: [first('isbn'), first('identifier')].map((value) => readIsbn(value ?? '')).find(Boolean),
    description: first('description', 'abstract'),
  }
}

const unquote = (value: string): string =>
  value
    .trim()
    .replace(/^(["'])(.*)\1$/, '$2')
    .replace(/^[>|]-?$/, '')
