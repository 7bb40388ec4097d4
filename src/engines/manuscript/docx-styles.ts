import { descend, elements, find, findAll, type Markup } from './markup-tree.ts'

export const wordPrefixes = {
  'http://schemas.openxmlformats.org/wordprocessingml/2006/main': 'w',
  'http://purl.oclc.org/ooxml/wordprocessingml/main': 'w',
  'http://schemas.openxmlformats.org/markup-compatibility/2006': 'mc',
  'http://schemas.openxmlformats.org/officeDocument/2006/math': 'm',
  'http://purl.oclc.org/ooxml/officeDocument/math': 'm',
  'http://schemas.openxmlformats.org/drawingml/2006/main': 'a',
  'http://purl.org/dc/elements/1.1/': 'dc',
  'http://schemas.openxmlformats.org/officeDocument/2006/relationships': 'r',
}

type ParagraphRole =
  | 'paragraph'
  | 'quotation'
  | 'caption'
  | 'verse'
  | 'toc'
  | 'title'
  | 'subtitle'
  | 'author'
  | 'list'
  | 'note'

export interface ParagraphStyle {
  level?: number
  role: ParagraphRole
  emphasis: boolean
  strong: boolean
  numbering?: { id: string; depth: number }
}

export interface WordStyles {
  paragraph(id: string | undefined): ParagraphStyle
  character(id: string | undefined): { emphasis: boolean; strong: boolean }
  language?: string
}

export const child = (node: Markup | undefined, name: string): Markup | undefined =>
  node && elements(node).find((element) => element.name === name)
export const value = (node: Markup | undefined): string | undefined =>
  node?.attributes['w:val'] ?? node?.attributes['val']
/** A toggle property (ISO/IEC 29500-1, 17.7.3): present without a value means on. */
export const on = (node: Markup | undefined): boolean =>
  node !== undefined && !['0', 'false', 'off', 'none'].includes(value(node) ?? 'true')

/** Built-in names are English in the file whatever the language of Word; templates add names of their own. */
const roles: [RegExp, ParagraphRole][] = [
  [/^(book )?title$|^título( del libro)?$|^titre$|^titel$|^titolo$/i, 'title'],
  [/^subtitle$|^subtítulo$|^sous-titre$|^untertitel$|^sottotitolo$/i, 'subtitle'],
  [/^authors?$|^autor$|^auteur$|^autore$/i, 'author'],
  [/^toc( heading| \d)?$|^toc\d|^table of (contents|figures)/i, 'toc'],
  [/^(footnote|endnote) text/i, 'note'],
  [/caption/i, 'caption'],
  [/verse|poem|poetry|lyrics|\bsong\b|verso|poema/i, 'verse'],
  [/quot|block ?text|extract|cita\b|zitat|citazione|epigraph/i, 'quotation'],
  [/^list( bullet| number)/i, 'list'],
]

interface RawStyle {
  name: string
  basedOn?: string
  properties?: Markup
  run?: Markup
}

export function readStyles(document: Markup | undefined): WordStyles {
  const styles = new Map<string, RawStyle>()
  let byDefault: string | undefined
  for (const style of document ? findAll(document, 'w:style') : []) {
    const id = style.attributes['w:styleId'] ?? ''
    styles.set(id, {
      name: value(child(style, 'w:name')) ?? id,
      basedOn: value(child(style, 'w:basedOn')),
      properties: child(style, 'w:pPr'),
      run: child(style, 'w:rPr'),
    })
    if (
      style.attributes['w:type'] === 'paragraph' &&
      on({ name: '', attributes: { 'w:val': style.attributes['w:default'] ?? '0' }, children: [] })
    )
      byDefault = id
  }
  const chain = (id: string | undefined): RawStyle[] => {
    const result: RawStyle[] = []
    for (let next = id; next !== undefined && result.length < 12; next = styles.get(next)?.basedOn) {
      const style = styles.get(next)
      if (!style || result.includes(style)) break
      result.push(style)
    }
    return result
  }
  const cache = new Map<string, ParagraphStyle>()
  return {
    language: value(
      document &&
        find(
          child(
            document.children.find((node) => typeof node !== 'string'),
            'w:docDefaults',
          ) ?? document,
          'w:lang',
        ),
    ),
    paragraph(id) {
      const key = id ?? byDefault ?? ''
      let style = cache.get(key)
      if (!style) cache.set(key, (style = describe(key, chain(key))))
      return style
    },
    character(id) {
      const inherited = chain(id)
      return {
        emphasis: inherited.some(({ run }) => on(child(run, 'w:i'))),
        strong: inherited.some(({ run }) => on(child(run, 'w:b'))),
      }
    },
  }
}

function describe(id: string, chain: RawStyle[]): ParagraphStyle {
  const names = [...chain.map(({ name }) => name), ...(chain.length ? [] : [id])]
  let level: number | undefined
  for (const [index, name] of names.entries()) {
    const outline = value(child(chain[index]?.properties, 'w:outlineLvl'))
    const named = /^(?:heading|encabezado|título|titre|überschrift|titolo|kop|rubrik) ?([1-9])\b/i.exec(name)?.[1]
    if (outline !== undefined) level = Number(outline) < 9 ? Number(outline) + 1 : undefined
    else if (named) level = Number(named)
    else if (/^chapter( title| heading| number)?$|^(título de )?capítulo$/i.test(name)) level = 1
    if (outline !== undefined || level !== undefined) break
  }
  const role =
    names.map((name) => roles.find(([pattern]) => pattern.test(name))?.[1]).find((found) => found !== undefined) ??
    'paragraph'
  const numbered = chain.map(({ properties }) => child(properties, 'w:numPr')).find((found) => found !== undefined)
  return {
    level,
    role,
    emphasis: chain.some(({ run }) => on(child(run, 'w:i'))),
    strong: chain.some(({ run }) => on(child(run, 'w:b'))),
    numbering: readNumbering(numbered, level),
  }
}

export function readNumbering(numbered: Markup | undefined, level?: number): ParagraphStyle['numbering'] {
  const id = value(child(numbered, 'w:numId'))
  return id === undefined || id === '0'
    ? undefined
    : { id, depth: Number(value(child(numbered, 'w:ilvl')) ?? (level ? level - 1 : 0)) || 0 }
}

/** The label of a numbered heading, 'Chapter 3', where Word makes it and the text does not hold it. */
export function countHeadings(document: Markup | undefined): (numbering: { id: string; depth: number }) => string {
  const levels = new Map<string, { text: string; format: string; start: number }>()
  const abstractOf = new Map<string, string>()
  for (const node of document ? descend(document) : []) {
    if (node.name === 'w:num')
      abstractOf.set(node.attributes['w:numId'] ?? '', value(child(node, 'w:abstractNumId')) ?? '')
    if (node.name !== 'w:abstractNum') continue
    for (const level of elements(node).filter(({ name }) => name === 'w:lvl'))
      levels.set(`${node.attributes['w:abstractNumId']} ${level.attributes['w:ilvl']}`, {
        text: value(child(level, 'w:lvlText')) ?? '',
        format: value(child(level, 'w:numFmt')) ?? 'decimal',
        start: Number(value(child(level, 'w:start')) ?? 1),
      })
  }
  const counters = new Map<string, number>()
  return ({ id, depth }) => {
    const abstract = abstractOf.get(id) ?? id
    const level = levels.get(`${abstract} ${depth}`)
    if (!level) return ''
    const current = (counters.get(`${abstract} ${depth}`) ?? level.start - 1) + 1
    counters.set(`${abstract} ${depth}`, current)
    for (let below = depth + 1; below < 9; below += 1) counters.delete(`${abstract} ${below}`)
    // "1.2" numbers a subsection and is no part of its name; "Chapter 3" and "III." are.
    if (!/^[^%]*%\d[^%\d]*$/.test(level.text) || level.format === 'bullet' || level.format === 'none') return ''
    return level.text.replace(/%\d/, /oman/.test(level.format) ? toRoman(current) : String(current)).trim()
  }
}

function toRoman(number: number): string {
  const table: [number, string][] = [
    [100, 'C'],
    [90, 'XC'],
    [50, 'L'],
    [40, 'XL'],
    [10, 'X'],
    [9, 'IX'],
    [5, 'V'],
    [4, 'IV'],
    [1, 'I'],
  ]
  let rest = number
  return table
    .map(([size, letters]) => {
      const times = Math.floor(rest / size)
      rest -= times * size
      return letters.repeat(times)
    })
    .join('')
}
