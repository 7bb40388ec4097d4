import { readFile, readdir } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { type Node, Visitor, parseSync } from 'oxc-parser'

export const root = resolve(import.meta.dirname, '..')

export interface Import {
  /** Relative to the package for our own files; the bare name of an npm package or a part of Node otherwise. */
  target: string
  isOwn: boolean
  isTypeOnly: boolean
  line: number
}

export interface SourceFile {
  path: string
  /** Lines of code; those of a table of data (a top-level constant without a function in it) are not counted. */
  lines: number
  imports: Import[]
  /** What the house does not use, in words, with its line. */
  refused: string[]
}

/** Every file of ours that is code, parsed; `.d.ts` files describe the code of others. */
export async function readSource(...folders: string[]): Promise<SourceFile[]> {
  const entries = await Promise.all(
    folders.map((folder) => readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(() => [])),
  )
  const paths = entries
    .flat()
    .filter((entry) => entry.isFile() && /\.[cm]?[jt]sx?$/.test(entry.name) && !entry.name.endsWith('.d.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  return Promise.all(paths.sort().map(async (path) => parse(path, await readFile(join(root, path), 'utf8'))))
}

const roleNames = /(Service|Repository|D[Tt][Oo]|Mapper|Utils?|Helpers?)$/

export function parse(path: string, text: string): SourceFile {
  const { program, errors } = parseSync(path, text)
  if (errors.length) throw new Error(`${path}: ${errors[0]?.message}`)
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)]
  const lineOf = (offset: number): number => starts.findLastIndex((start) => start <= offset) + 1
  const imports: Import[] = []
  const refused: string[] = []
  const refuse = (what: string, { start }: Node) => refused.push(`${path}:${lineOf(start)} ${what}`)
  const add = (specifier: unknown, isTypeOnly: boolean, node: Node) => {
    if (typeof specifier !== 'string') {
      if (/^(src|web)\//.test(path)) refuse('an import whose target is not written out', node)
      return
    }
    const isOwn = /^\.\.?\//.test(specifier)
    const target = isOwn ? relative(root, resolve(root, dirname(path), specifier)) : specifier
    imports.push({ target, isOwn, isTypeOnly, line: lineOf(node.start) })
  }
  const literal = (node: Node | undefined) => (node?.type === 'Literal' ? node.value : undefined)
  const nameIt = (node: Node & { id?: { name: string } | null }) => {
    if (node.id && roleNames.test(node.id.name))
      refuse(`the name ${node.id.name} tells of a role and not of what it is`, node)
  }
  const functions: number[] = []
  const seen = (node: Node) => functions.push(node.start)
  new Visitor({
    ImportDeclaration: (node) => add(node.source.value, node.importKind === 'type', node),
    ExportNamedDeclaration: (node) => {
      if (node.source) add(node.source.value, node.exportKind === 'type', node)
    },
    ExportAllDeclaration: (node) => {
      refuse('export *: no barrels', node)
      add(node.source.value, node.exportKind === 'type', node)
    },
    ImportExpression: (node) => add(literal(node.source), false, node),
    TSImportType: (node) => add(literal(node.source), true, node),
    NewExpression: (node) => {
      const specifier = literal(node.arguments[0])
      if (node.callee.type !== 'Identifier' || node.callee.name !== 'URL' || node.arguments.length < 2) return
      if (typeof specifier === 'string' && /\.[cm]?[jt]s$/.test(specifier)) add(specifier, false, node)
    },
    ExportDefaultDeclaration: (node) => refuse('a default export', node),
    TSEnumDeclaration: (node) => refuse('an enum', node),
    Decorator: (node) => refuse('a decorator', node),
    ClassDeclaration: (node) => {
      nameIt(node)
      if (!node.superClass && !node.body.body.some(({ type }) => type === 'PropertyDefinition'))
        refuse('a class that holds no state', node)
    },
    TSInterfaceDeclaration: nameIt,
    TSTypeAliasDeclaration: nameIt,
    FunctionDeclaration: (node) => {
      nameIt(node)
      seen(node)
    },
    FunctionExpression: seen,
    ArrowFunctionExpression: seen,
  }).visit(program)
  const data = program.body
    .map((node) => (node.type === 'ExportNamedDeclaration' && node.declaration ? node.declaration : node))
    .filter(
      (node) =>
        node.type === 'VariableDeclaration' && !functions.some((start) => start >= node.start && start < node.end),
    )
  const tables = data.reduce((sum, node) => sum + lineOf(node.end) - lineOf(node.start), 0)
  return { path, lines: starts.length - 1 - tables, imports, refused }
}
