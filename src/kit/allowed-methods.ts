import type { AnyOperation, Method } from './operation.ts'

/** What a path that exists can be asked, by its operations; empty for a path of none. */
export function allowedMethods(operations: Iterable<AnyOperation>): (path: string) => string[] {
  const byPattern = new Map<string, { pattern: RegExp; methods: Set<Method | 'HEAD' | 'OPTIONS'> }>()
  for (const { path, method } of operations) {
    const known = byPattern.get(path) ?? {
      pattern: new RegExp(`^${path.replaceAll(/:[a-z_]+/g, '[^/]+')}$`),
      methods: new Set(['OPTIONS'] as const),
    }
    known.methods.add(method)
    if (method === 'GET') known.methods.add('HEAD')
    byPattern.set(path, known)
  }
  return (path) =>
    [
      ...new Set([...byPattern.values()].flatMap(({ pattern, methods }) => (pattern.test(path) ? [...methods] : []))),
    ].sort()
}
