import { elements, type Markup } from './markup-tree.ts'

/** Elements whose content is the text's own; what is not named here is skipped. */
export const transparent = new Set([
  'w:sdt',
  'w:sdtContent',
  'w:smartTag',
  'w:customXml',
  'w:ins',
  'w:moveTo',
  'w:fldSimple',
  'w:dir',
  'w:bdo',
  'mc:Choice',
  'w:rubyBase',
  'w:ruby',
  'm:oMath',
  'm:oMathPara',
])

/** Content controls wrap rows and cells as well. */
export const rowsOf = (node: Markup): Markup[] =>
  elements(node).flatMap((each) => (each.name === 'w:tr' ? [each] : transparent.has(each.name) ? rowsOf(each) : []))
export const cellsOf = (node: Markup): Markup[] =>
  elements(node).flatMap((each) => (each.name === 'w:tc' ? [each] : transparent.has(each.name) ? cellsOf(each) : []))

/** The same content twice, for newer and older programs: only one is text (ISO/IEC 29500-3, 7.5). */
export function chooseAlternative(node: Markup): Markup {
  const choices = elements(node)
  return (
    choices.find(({ name }) => name === 'mc:Choice') ??
    choices.find(({ name }) => name === 'mc:Fallback') ?? { name: '', attributes: {}, children: [] }
  )
}

export function findBoxes(node: Markup): Markup[] {
  return elements(node).flatMap((each) =>
    each.name === 'w:txbxContent'
      ? [each]
      : each.name === 'mc:AlternateContent'
        ? findBoxes(chooseAlternative(each))
        : findBoxes(each),
  )
}

/** Symbol fonts put their characters at U+F000; only those of the Symbol font itself that are letters matter to a reader. */
export function readSymbol(node: Markup): string {
  const code = Number.parseInt(node.attributes['w:char'] ?? '', 16)
  if (!code || (code >= 0xe000 && code <= 0xf8ff)) return ''
  return String.fromCodePoint(Math.min(code, 0x10ffff))
}
