import { elements, type Markup } from './markup-tree.ts'

const mark = /^[[({]?\s*(?:\d{1,4}|[*†‡§¶]{1,4}|[a-zA-Z]|[ivxlc]{1,6})\s*[\])}]?$/
const noteTokens = /\b(?:doc-)?(footnote|rearnote|endnote|note|annotation)\b/

export function isPageNumber(node: Markup, tokens: string, classes: string, text: () => string): boolean {
  const named =
    /\b(doc-)?pagebreak\b/.test(tokens) ||
    /(^|[\s_-])(pagenum(ber)?|pageno|page-?break|page-?num(ber)?|folio|pb|pgnum)(\s|$)/.test(classes)
  return (
    named &&
    /^[[({]?\s*(?:p(?:age|g|ág|\.)*\.?\s*)?(?:\d{0,5}|[ivxlcdm]{1,9})[a-z]?\s*[\])}]?$/i.test(text()) &&
    node.name !== 'body'
  )
}

/** A link, raised or bracketed, that holds no more than the sign of a note. */
export function isNoteReference(node: Markup, tokens: string, classes: string, text: () => string): boolean {
  if (/\b(doc-)?(noteref|annoref)\b/.test(tokens)) return true
  if (/\bdoc-backlink\b|\bbacklink\b|\breferrer\b/.test(tokens) && node.name === 'a') return true
  if (node.name === 'sup') {
    const inner = elements(node)
    return (
      inner.length > 0 &&
      inner.every(({ name }) => name === 'a') &&
      inner.some(({ attributes }) => (attributes['href'] ?? '').includes('#')) &&
      mark.test(text())
    )
  }
  if (node.name !== 'a') return false
  const href = node.attributes['href'] ?? ''
  if (/(^|\s)(fnanchor|footnote-?ref|noteref|footnoteref|fn-?ref)(\s|$)/.test(classes)) return mark.test(text())
  if (!href.includes('#') || !mark.test(text())) return false
  const raised = elements(node).some(({ name }) => name === 'sup')
  const bracketed = /^[[({]/.test(text()) || /^[*†‡§¶]/.test(text())
  return raised || bracketed || /#(?:_?f(?:oot)?n(?:ote)?|_?ftn|_?edn|end-?note|note|nota|en)[-_]?\d*/i.test(href)
}

/** The note itself: said by the vocabulary, or by the class names in common use. */
export function isNote(node: Markup, tokens: string, classes: string): boolean {
  if (
    noteTokens.test(tokens) &&
    !/\bnoteref|annoref/.test(tokens) &&
    ['aside', 'div', 'li', 'p', 'section', 'dd', 'span'].includes(node.name)
  )
    return !/\b(endnotes|rearnotes|footnotes)\b/.test(tokens) || node.name === 'aside'
  return (
    ['aside', 'div', 'li', 'p', 'section', 'dd'].includes(node.name) &&
    /(^|\s)(footnotes?|fnote|footnote-?(text|body|content)|ftnote|foot-?notes?)(\s|$)/.test(classes)
  )
}
