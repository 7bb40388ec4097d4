/** What every manuscript reader gives: a book as structure, with nothing of its text lost. */
export interface Manuscript {
  format: ManuscriptFormat
  metadata: BookMetadata
  cover?: { mediaType: string; bytes: Uint8Array }
  /** In reading order, front and back matter included and marked by `role`. */
  sections: Section[]
  /** W3C PLS documents that came with the file (EPUB), as XML text. */
  lexicons: string[]
  /** What was left out or repaired, in words for the person who uploaded the file. */
  warnings: string[]
}

export type ManuscriptFormat = 'txt' | 'markdown' | 'html' | 'epub' | 'docx' | 'pdf'

export interface BookMetadata {
  title?: string
  subtitle?: string
  authors: string[]
  translators: string[]
  narrators: string[]
  /** BCP 47; detected from the text when the file does not say. */
  language: string
  isbn?: string
  publisher?: string
  /** ISO 8601 date, of whatever precision the file gives: 1813, 1813-01, 1813-01-28. */
  published?: string
  description?: string
}

export interface Section {
  role: 'front' | 'body' | 'back'
  /** EPUB structural semantics where known: chapter, part, preface, dedication, colophon, … */
  kind: string
  /** The heading as it is read aloud; 'Chapter 7' is made up when the text has none. */
  title: string
  /** Titles of the parts it lies in, outermost first: ['Volume II']. */
  parents: string[]
  blocks: Block[]
}

export type BlockKind =
  | 'heading'
  | 'paragraph'
  | 'verse'
  | 'letter'
  | 'quotation'
  | 'list_item'
  | 'caption'
  | 'scene_break'

/** `text` has single spaces, and '\n' only between the lines of a verse; a scene break has the text ''. */
export interface Block {
  kind: BlockKind
  /** 1–6, of a heading. */
  level?: number
  text: string
  marks: Mark[]
}

/** UTF-16 offsets within the block's text. */
export interface Mark {
  start: number
  end: number
  kind: 'emphasis' | 'strong' | 'foreign' | 'phoneme' | 'alias'
  language?: string
  /** IPA or x-sampa from ssml:ph. */
  phoneme?: { alphabet: string; ph: string }
  /** What is said in its place: 'Chapter 7' for a heading that is printed 'VII'. */
  alias?: string
}

export interface PlacedBlock extends Block {
  /** UTF-16 offsets in the chapter's text. */
  start: number
  end: number
}

/** A chapter's text is its blocks joined by blank lines; every later offset counts in it. */
export function placeBlocks(blocks: Block[]): { text: string; blocks: PlacedBlock[] } {
  let text = ''
  const placed: PlacedBlock[] = []
  for (const block of blocks) {
    if (text && block.text) text += '\n\n'
    placed.push({ ...block, start: text.length, end: text.length + block.text.length })
    text += block.text
  }
  return { text, blocks: placed }
}

export interface ReadOptions {
  filename: string
  /** A chapter starts at each line this matches (txt, Markdown, HTML, DOCX, PDF), instead of at detected headings. */
  chapterPattern?: string
  /** BCP 47, when the person knows better than the file. */
  language?: string
  /** Files larger than this are refused before they are read; 100 MiB when absent. */
  maxBytes?: number
  signal?: AbortSignal
}
