import type { Mark } from './manuscript.ts'

export const blockElements = new Set([
  'address',
  'article',
  'aside',
  'blockquote',
  'body',
  'caption',
  'center',
  'dd',
  'details',
  'dialog',
  'div',
  'dl',
  'dt',
  'fieldset',
  'figcaption',
  'figure',
  'footer',
  'form',
  'h1',
  'h2',
  'h3',
  'h4',
  'h5',
  'h6',
  'header',
  'hgroup',
  'html',
  'li',
  'main',
  'menu',
  'nav',
  'ol',
  'p',
  'pre',
  'section',
  'summary',
  'table',
  'tbody',
  'tfoot',
  'thead',
  'tr',
  'ul',
])

export const sectionElements = new Set(['article', 'aside', 'body', 'nav', 'section'])

/** Not text, or text that is not for reading: readings set above characters (rt) repeat them. */
export const skipped = new Set([
  'script',
  'style',
  'head',
  'template',
  'svg',
  'rt',
  'rp',
  'audio',
  'video',
  'object',
  'iframe',
  'noscript',
  'canvas',
  'img',
  'select',
  'input',
  'button',
  'map',
  'annotation',
  'annotation-xml',
  'title',
])

export const inlineMarks: Record<string, Mark['kind']> = {
  em: 'emphasis',
  i: 'emphasis',
  cite: 'emphasis',
  dfn: 'emphasis',
  strong: 'strong',
  b: 'strong',
}

export const verseName = (tokens: string, classes: string): boolean =>
  /\b(z3998:)?(verse|poem|song|hymn|lyrics)\b/.test(tokens) ||
  /(^|[\s_-])(poem|poetry|verse|stanza|linegroup|lg|song|lyrics|versos?|poema|estrofa)([\s_-]|\d|$)/.test(classes)

export const letterName = (tokens: string, classes: string): boolean =>
  /\bz3998:letter\b/.test(tokens) || /(^|\s)(letter|correspondence|epistle|carta)(\s|$)/.test(classes)

export const captionName = (classes: string): boolean =>
  /(^|[\s_-])(caption|figcaption|legend|captioned)(\s|$)/.test(classes)
