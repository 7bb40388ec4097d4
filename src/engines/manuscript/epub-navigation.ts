import { classifyHeading } from './classify-heading.ts'
import { readSemantics } from './classify-role.ts'
import { resolvePath } from './epub-package.ts'
import { namePart } from './name-section.ts'
import type { SectionStart } from './flow.ts'
import { elements, find, findAll, plainText, type Markup } from './markup-tree.ts'

export interface NavigationEntry {
  title: string
  /** Path within the archive and fragment; absent for a group that points nowhere. */
  path?: string
  fragment?: string
  kind?: string
  children: NavigationEntry[]
}

/** The `toc` of an EPUB 3 navigation document (EPUB 3.3, 7.3). Lists hidden from the reader are not chapters. */
export function readNav(document: Markup, base: string): NavigationEntry[] {
  const navs = findAll(document, 'nav')
  const toc =
    navs.find(({ attributes }) => /\btoc\b/.test(attributes['epub:type'] ?? attributes['role'] ?? '')) ??
    (navs.length === 1 ? navs[0] : undefined)
  const list = toc && find(toc, 'ol')
  return list ? readList(list, base, 0) : []
}

function readList(list: Markup, base: string, depth: number): NavigationEntry[] {
  if (list.attributes['hidden'] !== undefined || depth > 12) return []
  return elements(list).flatMap((item) => {
    if (item.name !== 'li') return []
    const parts = elements(item)
    const label = parts.find(({ name }) => name === 'a' || name === 'span') ?? parts.find(({ name }) => name !== 'ol')
    const link = label?.name === 'a' ? label : label && find(label, 'a')
    const nested = parts.find(({ name }) => name === 'ol')
    const children = nested ? readList(nested, base, depth + 1) : []
    const href = link?.attributes['href']
    const tokens = `${link?.attributes['epub:type'] ?? ''} ${item.attributes['epub:type'] ?? ''}`
    return [{ title: plainText(label), ...target(base, href), kind: readSemantics(tokens).kind, children }]
  })
}

function target(base: string, href: string | undefined): { path?: string; fragment?: string } {
  if (!href) return {}
  return {
    path: resolvePath(base, href),
    fragment: href.includes('#') ? decodeFragment(href.slice(href.indexOf('#') + 1)) : undefined,
  }
}

function decodeFragment(fragment: string): string {
  try {
    return decodeURIComponent(fragment)
  } catch {
    return fragment
  }
}

/** `navMap` of an NCX (OPF 2.0.1, 2.4.1). */
export function readNcx(document: Markup, base: string): NavigationEntry[] {
  const map = find(document, 'navMap')
  return map ? readPoints(map, base, 0) : []
}

function readPoints(node: Markup, base: string, depth: number): NavigationEntry[] {
  if (depth > 12) return []
  return elements(node)
    .filter(({ name }) => name === 'navPoint')
    .map((point) => ({
      title: plainText(elements(point).find(({ name }) => name === 'navLabel')),
      ...target(base, elements(point).find(({ name }) => name === 'content')?.attributes['src']),
      children: readPoints(point, base, depth + 1),
    }))
}

export interface Landmark {
  path: string
  fragment?: string
  type: string
}

export function readLandmarks(document: Markup, base: string): Landmark[] {
  const nav = findAll(document, 'nav').find(({ attributes }) => /\blandmarks\b/.test(attributes['epub:type'] ?? ''))
  return nav
    ? findAll(nav, 'a').flatMap(({ attributes }) => ({
        ...target(base, attributes['href']),
        path: resolvePath(base, attributes['href'] ?? ''),
        type: attributes['epub:type'] ?? '',
      }))
    : []
}

export interface NavigationStart {
  path: string
  fragment?: string
  start: SectionStart
}

/**
 * Which entries are sections of their own. An entry with further entries below it is a part when it is called one, points nowhere,
 * or is the only one; a chapter with subheadings when it has a number or a kind of its own.
 */
export function chooseEntries(
  entries: NavigationEntry[],
  sizes: (entry: NavigationEntry) => number,
): NavigationStart[] {
  const chosen: NavigationStart[] = []
  // A flat list leaves it to the titles which of them are parts.
  const nested = entries.some(({ children }) => children.length > 0)
  const visit = (list: NavigationEntry[], parents: string[], depth: number): void => {
    for (const entry of list) {
      const heading = classifyHeading(entry.title)
      const below = entry.children.filter(({ title, children }) => title || children.length)
      const isPart = heading.is === 'part' || ['part', 'volume', 'division'].includes(entry.kind ?? '')
      const isUnit =
        !isPart &&
        (heading.is === 'chapter' ||
          heading.is === 'numeral' ||
          (heading.is === 'matter' && heading.matter.role !== 'body') ||
          entry.kind !== undefined)
      const holdsUnits = below.some((child) => ['chapter', 'numeral'].includes(classifyHeading(child.title).is))
      // Text of its own before its first entry, and unnumbered entries: a chapter with subheadings.
      const holds =
        below.length > 0 && !isUnit && (isPart || !entry.path || list.length === 1 || holdsUnits || sizes(entry) < 60)
      if (entry.path)
        chosen.push({
          path: entry.path,
          fragment: entry.fragment,
          start: {
            source: 'navigation',
            depth,
            title: entry.title,
            kind: entry.kind,
            parents: nested || parents.length ? parents : undefined,
            holds,
          },
        })
      if (holds)
        visit(
          below,
          entry.title && !/^(contents|table of contents)$/i.test(entry.title)
            ? [...parents, namePart([entry.title])]
            : parents,
          depth + 1,
        )
    }
  }
  visit(entries, [], 1)
  return chosen
}
