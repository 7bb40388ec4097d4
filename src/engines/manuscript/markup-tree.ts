import { defaultTreeAdapter, parse, type DefaultTreeAdapterTypes as Html } from 'parse5'
import { SaxesParser, type SaxesAttributeNS } from 'saxes'
import { Problem } from '../../kit/errors.ts'
import { decodeEntities } from './decode-entities.ts'

export interface Markup {
  /** Local name in lower case; XML vocabularies given by `prefixes` carry their prefix: 'w:p'. */
  name: string
  attributes: Record<string, string>
  children: (Markup | string)[]
}

/** Markup this deep in HTML is flattened, as browsers do; in XML it is refused. */
const maxDepth = 400
/** Unclosed tags make parsers slow with depth and multiply elements; no book comes near these. */
const maxOpenTags = 2_000
const maxElements = 1_000_000

const tooDeep = (): Problem =>
  new Problem(
    422,
    'unreadable_markup',
    'The markup of this file nests deeper, or holds more elements, than any book does.',
  )

/** Canonical prefixes of namespaces, so that a file may choose its own. */
export type Prefixes = Record<string, string>

const commonPrefixes: Prefixes = {
  'http://www.idpf.org/2007/ops': 'epub',
  'http://www.w3.org/2001/10/synthesis': 'ssml',
  'http://www.w3.org/XML/1998/namespace': 'xml',
  'http://www.w3.org/1999/xlink': 'xlink',
  'http://www.idpf.org/2007/opf': '',
}

class TreeBuilder {
  readonly root: Markup = { name: '#document', attributes: {}, children: [] }
  private readonly stack: Markup[] = [this.root]
  private flattened = 0

  open(name: string, attributes: Record<string, string>): void {
    const element: Markup = { name, attributes, children: [] }
    this.stack.at(-1)?.children.push(element)
    if (this.stack.length < maxDepth) this.stack.push(element)
    else this.flattened += 1
  }

  text(text: string): void {
    const children = this.stack.at(-1)?.children
    if (!children) return
    if (typeof children.at(-1) === 'string') children[children.length - 1] += text
    else children.push(text)
  }

  close(): void {
    if (this.flattened > 0) this.flattened -= 1
    else if (this.stack.length > 1) this.stack.pop()
  }
}

/**
 * Parses XML into a plain tree. Entities that a document type declares are not expanded and nothing outside is ever loaded;
 * the named characters of HTML are known.
 * @throws Error of the parser when it is not well-formed.
 */
export function parseXml(source: string, prefixes: Prefixes = {}): Markup {
  const known = { ...commonPrefixes, ...prefixes }
  const tree = new TreeBuilder()
  let depth = 0
  let count = 0
  const parser = new SaxesParser({ xmlns: true, position: false })
  const nameOf = (uri: string, local: string, prefix: string): string => {
    const canonical = known[uri]
    if (canonical !== undefined) return canonical ? `${canonical}:${local}` : local
    return prefix && prefix in prefixesUsed(known) ? `${prefix}:${local}` : local
  }
  parser.on('opentag', (tag) => {
    const attributes: Record<string, string> = {}
    for (const attribute of Object.values(tag.attributes) as SaxesAttributeNS[]) {
      if (attribute.prefix === 'xmlns' || attribute.name === 'xmlns') continue
      attributes[attribute.uri ? nameOf(attribute.uri, attribute.local, attribute.prefix) : attribute.local] =
        attribute.value
    }
    depth += 1
    count += 1
    if (depth > maxDepth || count > maxElements) throw tooDeep()
    tree.open(nameOf(tag.uri, tag.local, tag.prefix), attributes)
  })
  parser.on('text', (text) => tree.text(text))
  parser.on('cdata', (text) => tree.text(text))
  parser.on('closetag', () => {
    depth -= 1
    tree.close()
  })
  parser.on('error', (error) => {
    throw error
  })
  parser.write(decodeEntities(source.replace(/^\uFEFF/, ''))).close()
  return tree.root
}

const usedByTable = new WeakMap<Prefixes, Record<string, true>>()
function prefixesUsed(known: Prefixes): Record<string, true> {
  let used = usedByTable.get(known)
  if (!used)
    usedByTable.set(known, (used = Object.fromEntries(Object.values(known).map((prefix) => [prefix, true as const]))))
  return used
}

function countingAdapter(): typeof defaultTreeAdapter {
  let open = 0
  let count = 0
  return {
    ...defaultTreeAdapter,
    onItemPush() {
      open += 1
      count += 1
      if (open > maxOpenTags || count > maxElements) throw tooDeep()
    },
    onItemPop() {
      open -= 1
    },
  }
}

/**
 * Parses HTML as browsers do: nothing is malformed.
 * @throws Problem `unreadable_markup` for more than 2,000 open tags or a million elements.
 */
export function parseHtml(source: string): Markup {
  const tree = new TreeBuilder()
  // An own stack: a page may nest deeper than the engine's.
  const work: (Html.ChildNode | 'close')[] = parse(source, { treeAdapter: countingAdapter() }).childNodes.toReversed()
  for (let node = work.pop(); node; node = work.pop()) {
    if (node === 'close') tree.close()
    else if ('value' in node) tree.text(node.value)
    else if ('tagName' in node) {
      tree.open(
        node.tagName.toLowerCase(),
        Object.fromEntries(node.attrs.map(({ name, value, prefix }) => [prefix ? `${prefix}:${name}` : name, value])),
      )
      work.push('close')
      const children = 'content' in node ? [] : node.childNodes
      for (let index = children.length - 1; index >= 0; index -= 1) work.push(children[index]!)
    }
  }
  return tree.root
}

/** XHTML as XML where it is well-formed, for `<a id="x"/>` is an open link to an HTML parser; as HTML where it is not. */
export function parseXhtml(source: string): { tree: Markup; wellFormed: boolean } {
  try {
    return { tree: parseXml(source), wellFormed: true }
  } catch {
    return { tree: parseHtml(source), wellFormed: false }
  }
}

export const elements = (node: Markup): Markup[] => node.children.filter((child) => typeof child !== 'string')

export function* descend(node: Markup): Generator<Markup> {
  for (const child of node.children) {
    if (typeof child === 'string') continue
    yield child
    yield* descend(child)
  }
}

export function find(node: Markup, name: string): Markup | undefined {
  for (const element of descend(node)) if (element.name === name) return element
  return undefined
}

export const findAll = (node: Markup, name: string): Markup[] =>
  [...descend(node)].filter((element) => element.name === name)

export function textOf(node: Markup): string {
  return node.children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('')
}

export const plainText = (node: Markup | undefined): string => (node ? textOf(node).replace(/\s+/g, ' ').trim() : '')
