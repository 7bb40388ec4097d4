import { Omissions, type Flow } from './flow.ts'
import { readIsbn } from './epub-package.ts'
import type { BookMetadata } from './manuscript.ts'
import { readHeaderFields } from './mark-boilerplate.ts'
import { find, findAll, parseXhtml, parseHtml, plainText, textOf, type Markup } from './markup-tree.ts'
import { readMarkup } from './read-markup.ts'

/** One HTML or XHTML document with a whole book. */
export function readHtml(source: string): { flow: Flow; metadata: Partial<BookMetadata> } {
  const xhtml = /^\s*(<\?xml|<!DOCTYPE[^>]*XHTML)/i.test(source.slice(0, 500))
  const tree = xhtml ? parseXhtml(source).tree : parseHtml(source)
  const omissions = new Omissions()
  const html = find(tree, 'html')
  const body = find(tree, 'body') ?? tree
  const language = html?.attributes['xml:lang'] ?? html?.attributes['lang'] ?? body.attributes['lang']
  const metadata = readHeadMetadata(tree)
  const header = readHeaderFields(headText(body))
  const blocks = readMarkup(body, { omissions, language: language ?? '' })
  return {
    flow: { blocks, omissions },
    metadata: {
      ...metadata,
      ...Object.fromEntries(Object.entries(header).filter(([, value]) => value && value.length)),
      language: language || header.language || metadata.language,
    },
  }
}

function headText(body: Markup): string {
  const boilerplate =
    findAll(body, 'pre')[0] ??
    findAll(body, 'section').find(({ attributes }) => /pg-?header/.test(`${attributes['id']} ${attributes['class']}`))
  return boilerplate ? textOf(boilerplate) : ''
}

function readHeadMetadata(tree: Markup): Partial<BookMetadata> {
  const head = find(tree, 'head')
  if (!head) return {}
  const metas = findAll(head, 'meta')
  const content = (...names: string[]): string[] =>
    metas
      .filter(({ attributes }) => names.includes((attributes['name'] ?? attributes['property'] ?? '').toLowerCase()))
      .map(({ attributes }) => (attributes['content'] ?? '').trim())
      .filter(Boolean)
  const heading = plainText(find(head, 'title'))
  // "Pride and Prejudice, by Jane Austen" is how Project Gutenberg titles its pages.
  const named = /^(.{2,150}?)(?:,|\s[-–—|])\s*by\s+(\p{Lu}.{2,80})$/iu.exec(
    heading.replace(/^The Project Gutenberg e-?book of\s+/i, '').replace(/\s*[|—-]\s*Project Gutenberg$/i, ''),
  )
  const authors = content('author', 'dc.creator', 'dcterms.creator', 'dc:creator', 'citation_author')
  return {
    title: content('dc.title', 'dcterms.title', 'dc:title', 'og:title')[0] ?? named?.[1] ?? (heading || undefined),
    authors: authors.length ? authors : named?.[2] ? [named[2]] : [],
    publisher: content('dc.publisher', 'dcterms.publisher')[0],
    description: content('description', 'dc.description', 'og:description')[0],
    published: content('dc.date', 'dcterms.date', 'date')
      .map((date) => /^\d{4}(-\d\d){0,2}/.exec(date)?.[0])
      .find(Boolean),
    isbn: content('dc.identifier', 'dcterms.identifier', 'isbn', 'book:isbn').map(readIsbn).find(Boolean),
    language: content('dc.language', 'dcterms.language')[0] ?? '',
  }
}
