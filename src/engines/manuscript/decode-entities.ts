import { parseFragment } from 'parse5'

const known = new Map<string, string>()
const xml = new Set(['amp', 'lt', 'gt', 'quot', 'apos'])

/** Replaces HTML's named characters, which XML parsers do not know; XML's own five stay, unknown names become literal text. */
export function decodeEntities(source: string): string {
  if (!source.includes('&')) return source
  return source.replace(
    /&([A-Za-z][A-Za-z0-9]{0,31});|&(?!#\d+;|#x[\da-f]+;|[A-Za-z])/gi,
    (all, name: string | undefined) => {
      if (name === undefined) return '&amp;'
      if (xml.has(name)) return all
      let value = known.get(name)
      if (value === undefined) {
        const node = parseFragment(all).childNodes[0]
        value = node && 'value' in node ? node.value : all
        value = value === all ? `&amp;${name};` : value.replace(/&/g, '&amp;').replace(/</g, '&lt;')
        if (known.size < 4_000) known.set(name, value)
      }
      return value
    },
  )
}
