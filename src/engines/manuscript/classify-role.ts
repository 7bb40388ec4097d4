import type { Role } from './flow.ts'

/** EPUB structural semantics vocabulary 1.1 and DPUB-ARIA, to the kind kept and the part of the book it lies in. */
const kinds: Record<string, Role | undefined> = {
  cover: 'front',
  titlepage: 'front',
  halftitlepage: 'front',
  imprint: 'front',
  'copyright-page': 'front',
  seriespage: 'front',
  dedication: 'front',
  epigraph: 'front',
  toc: 'front',
  landmarks: 'front',
  loi: 'front',
  lot: 'front',
  loa: 'front',
  lov: 'front',
  foreword: 'front',
  preface: 'front',
  preamble: 'front',
  introduction: 'front',
  'dramatis-personae': 'front',
  frontispiece: 'front',
  prologue: 'body',
  chapter: 'body',
  part: 'body',
  volume: 'body',
  division: 'body',
  epilogue: 'body',
  conclusion: 'body',
  interlude: 'body',
  'z3998:fiction': undefined,
  afterword: 'back',
  appendix: 'back',
  glossary: 'back',
  bibliography: 'back',
  index: 'back',
  colophon: 'back',
  endnotes: 'back',
  rearnotes: 'back',
  footnotes: 'back',
  contributors: 'back',
  'other-credits': 'back',
  errata: 'back',
  backlink: undefined,
  credits: 'back',
  acknowledgments: undefined,
  chronology: 'back',
}

const parts: Record<string, Role> = { frontmatter: 'front', bodymatter: 'body', backmatter: 'back' }

export interface Semantics {
  kind?: string
  role?: Role
  /** frontmatter, bodymatter or backmatter itself, said of everything inside. */
  division?: Role
}

/** Reads `epub:type` (or `role="doc-…"`) tokens. */
export function readSemantics(tokens: string): Semantics {
  const found: Semantics = {}
  for (const raw of tokens.toLowerCase().split(/\s+/)) {
    const token = raw
      .replace(/^doc-/, '')
      .replace(/^(rear|end)notes$/, 'endnotes')
      .replace(/^acknowledgements$/, 'acknowledgments')
      .replace(/^z3998:(titlepage|dedication|epigraph|preface|foreword|dramatis-personae)$/, '$1')
    if (parts[token]) found.division = parts[token]
    else if (token in kinds && !found.kind && token !== 'z3998:fiction' && token !== 'backlink') {
      found.kind = token
      found.role = kinds[token]
    }
  }
  return found
}

/** `guide` of EPUB 2 (OPF 2.0.1, 2.6): types that differ from the later vocabulary. */
export function readGuideType(type: string): Semantics {
  const name = type.toLowerCase()
  const renamed: Record<string, string> = {
    'title-page': 'titlepage',
    acknowledgements: 'acknowledgments',
    notes: 'endnotes',
    text: 'bodymatter',
    start: 'bodymatter',
    'other.afterword': 'afterword',
  }
  return readSemantics(renamed[name] ?? name.replace(/^other\./, ''))
}
