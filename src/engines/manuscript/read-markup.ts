import { readSemantics, type Semantics } from './classify-role.ts'
import { isNoteReference, isPageNumber, isNote } from './markup-notes.ts'
import { block, type FlowBlock, type Omissions, type Role, type SectionStart } from './flow.ts'
import type { BlockKind, Mark } from './manuscript.ts'
import { elements, textOf, type Markup } from './markup-tree.ts'
import { readLines } from './read-text.ts'
import { readIllustration } from './read-illustration.ts'
import { splitHeading } from './split-heading.ts'
import { isSceneBreak } from './scene-break.ts'
import { TextWriter } from './write-text.ts'
import {
  blockElements,
  inlineMarks,
  skipped,
  sectionElements,
  verseName,
  letterName,
  captionName,
} from './markup-names.ts'

export interface MarkupOptions {
  omissions: Omissions
  language?: string
}

interface Context {
  kind: BlockKind
  level?: number
  verse: boolean
  heading: boolean
  language: string
  alphabet: string
  /** Kind of the section it lies in, once one with a name of its own was entered. */
  section?: string
  role?: Role
  depth: number
}

/** Reads the body of an HTML or XHTML document into blocks, with starts where `epub:type` names a section. */
export function readMarkup(body: Markup, options: MarkupOptions): FlowBlock[] {
  const reader = new MarkupReader(options)
  reader.walk(body, {
    kind: 'paragraph',
    verse: false,
    heading: false,
    language: options.language ?? '',
    alphabet: 'ipa',
    depth: 0,
  })
  reader.flush()
  return reader.blocks
}

class MarkupReader {
  readonly blocks: FlowBlock[] = []
  private readonly writer = new TextWriter()
  private readonly omissions: Omissions
  private readonly bookLanguage: string
  private anchors: string[] = []
  private start: SectionStart | undefined
  private context: Context | undefined
  private stanza: { lines: string[]; marks: Mark[] } = { lines: [], marks: [] }
  private linked = 0
  private linkedText = 0

  constructor({ omissions, language = '' }: MarkupOptions) {
    this.omissions = omissions
    this.bookLanguage = language
  }

  walk(node: Markup, outer: Context): void {
    const { name, attributes } = node
    if (
      skipped.has(name) ||
      attributes['hidden'] !== undefined ||
      /display\s*:\s*none/i.test(attributes['style'] ?? '')
    )
      return this.noteAnchors(node)
    const tokens = `${attributes['epub:type'] ?? ''} ${attributes['role'] ?? ''}`.trim()
    const classes = `${attributes['class'] ?? ''}`.toLowerCase()
    if (this.omitted(node, tokens, classes, outer)) return
    if (name === 'br') {
      if (outer.heading) this.writer.breakLine()
      else if (outer.verse) this.endLine(outer)
      else this.writer.breakLine()
      return
    }
    if (name === 'hr') {
      this.flush()
      this.emit(block('scene_break', ''))
      return
    }
    const semantics = tokens ? readSemantics(tokens) : {}
    const isBlock = blockElements.has(name)
    const context = this.enter(node, outer, semantics, tokens, classes, isBlock)
    if (isBlock) this.flush()
    if (attributes['id'] || attributes['name'])
      this.anchors.push(
        ...[attributes['id'], name === 'a' ? attributes['name'] : undefined].filter((id) => id !== undefined),
      )
    this.beginSection(name, semantics, outer, context)
    if (name === 'pre' && !context.verse) return this.readPre(node)
    if (isBlock) this.context = context
    const marks = isBlock ? 0 : this.openMarks(node, outer, context)
    const link = name === 'a' && (attributes['href'] ?? '').includes('#') ? 1 : 0
    this.children(node, context, link, isBlock)
    for (let index = 0; index < marks; index += 1) this.writer.end()
    if (isBlock) {
      this.context = context
      this.flush()
      this.closeVerse(node, context, outer)
      this.context = outer
    }
  }

  private children(node: Markup, context: Context, link: number, isBlock: boolean): void {
    this.linked += link
    for (const child of node.children) {
      if (typeof child === 'string') {
        if (isBlock) this.context = context
        this.context ??= context
        if (this.linked > 0) this.linkedText += child.trim().length
        this.writer.write(child)
      } else {
        this.walk(child, context)
        if (isBlock) this.context = context
      }
    }
    // Cells of a row are spoken one after the other.
    if (node.name === 'td' || node.name === 'th') this.writer.write(' ')
    this.linked -= link
  }

  private omitted(node: Markup, tokens: string, classes: string, context: Context): boolean {
    const text = (): string => textOf(node).replace(/\s+/g, ' ').trim()
    if (isPageNumber(node, tokens, classes, text)) {
      if (text()) this.omissions.add('pageNumber')
    } else if (/\b(lnum|linenum|line-?number|lineno)\b/.test(classes) && /^\W*\d+\W*$/.test(text()))
      this.omissions.add('lineNumber')
    else if (isNoteReference(node, tokens, classes, text)) this.omissions.add('noteReference')
    else if (context.section !== 'endnotes' && context.section !== 'footnotes' && isNote(node, tokens, classes))
      this.omissions.add('footnote')
    else return false
    this.noteAnchors(node)
    return true
  }

  /** What is left out may still be what a link points to. */
  private noteAnchors(node: Markup): void {
    if (node.attributes['id']) this.anchors.push(node.attributes['id'])
    for (const child of elements(node)) if (child.attributes['id']) this.anchors.push(child.attributes['id'])
  }

  private enter(
    { name, attributes }: Markup,
    outer: Context,
    semantics: Semantics,
    tokens: string,
    classes: string,
    isBlock: boolean,
  ): Context {
    const context: Context = { ...outer }
    const language = attributes['xml:lang'] ?? attributes['lang']
    if (language) context.language = language
    if (attributes['ssml:alphabet']) context.alphabet = attributes['ssml:alphabet']
    if (semantics.division) context.role = semantics.division
    if (!isBlock) return context
    context.depth = outer.depth + 1
    const heading = /^h([1-6])$/.exec(name)
    if (heading) return { ...context, kind: 'heading', heading: true, level: Number(heading[1]), verse: false }
    if (outer.kind === 'heading') return context
    // The title below the number in an hgroup is a paragraph (HTML 4.3.7).
    if (name === 'hgroup') return { ...context, level: 3 }
    if (name === 'p' && outer.level !== undefined) return { ...context, kind: 'heading', heading: true, verse: false }
    if (verseName(tokens, classes)) Object.assign(context, { verse: true, kind: 'verse' })
    else if (letterName(tokens, classes)) context.kind = 'letter'
    else if (name === 'figcaption' || name === 'caption' || captionName(classes))
      Object.assign(context, { kind: 'caption', verse: false })
    else if (name === 'blockquote' && context.kind !== 'letter') context.kind = context.verse ? 'verse' : 'quotation'
    else if (name === 'li') context.kind = context.kind === 'paragraph' ? 'list_item' : context.kind
    return context
  }

  private beginSection(name: string, semantics: Semantics, outer: Context, context: Context): void {
    const sectioning = sectionElements.has(name) || (name === 'div' && outer.depth <= 3)
    const open =
      outer.section === undefined ||
      outer.section === 'part' ||
      outer.section === 'volume' ||
      outer.section === 'division'
    if (!semantics.kind || !sectioning || !open) return
    context.section = semantics.kind
    this.flush()
    this.start = {
      source: 'semantics',
      depth: context.depth,
      kind: semantics.kind,
      role: semantics.role ?? context.role,
      holds: ['part', 'volume', 'division'].includes(semantics.kind),
    }
    if (context.role && semantics.role === 'body') this.start.role = context.role
  }

  private readPre(node: Markup): void {
    for (const each of readLines(textOf(node))) this.emit(each)
  }

  private openMarks({ name, attributes }: Markup, outer: Context, context: Context): number {
    let opened = 0
    const begin = (kind: Mark['kind'], more: Partial<Mark> = {}): void => {
      this.writer.begin(kind, more)
      opened += 1
    }
    const kind = inlineMarks[name]
    if (kind) begin(kind)
    if (context.language !== outer.language && context.language.split('-')[0] !== this.bookLanguage.split('-')[0])
      begin('foreign', { language: context.language })
    const ph = attributes['ssml:ph']
    if (ph?.trim()) begin('phoneme', { phoneme: { alphabet: context.alphabet, ph: ph.trim() } })
    return opened
  }

  /** A whole block in another language than the book's is marked from end to end. */
  private finish(context: Context | undefined): { text: string; marks: Mark[] } {
    const written = this.writer.finish()
    const language = context?.language ?? ''
    if (!written.text || !this.bookLanguage || !language || language.split('-')[0] === this.bookLanguage.split('-')[0])
      return written
    const whole: Mark = { start: 0, end: written.text.length, kind: 'foreign', language }
    return { text: written.text, marks: [whole, ...written.marks] }
  }

  private endLine(context: Context): void {
    const { text, marks } = this.finish(context)
    this.linkedText = 0
    if (!text || !context.verse) return
    const offset = this.stanza.lines.reduce((sum, line) => sum + line.length + 1, 0)
    this.stanza.lines.push(text.replace(/\n/g, ' '))
    this.stanza.marks.push(...marks.map((mark) => ({ ...mark, start: mark.start + offset, end: mark.end + offset })))
  }

  private closeVerse(node: Markup, context: Context, outer: Context): void {
    if (this.stanza.lines.length === 0) return
    const lines = elements(node).some(({ name }) => blockElements.has(name))
    if (node.name === 'p' || lines || node.name === 'blockquote' || !outer.verse) {
      this.emitStanza()
    }
  }

  private emitStanza(): void {
    const { lines, marks } = this.stanza
    this.stanza = { lines: [], marks: [] }
    this.emit(block('verse', lines.join('\n'), marks, { lines }))
  }

  /** Ends the running block and emits it. */
  flush(): void {
    const context = this.context
    if (context?.verse && context.kind === 'verse') return this.endLine(context)
    const linkedAll = this.linkedText
    this.linkedText = 0
    const { text, marks } = this.finish(context)
    if (!text) return
    if (this.stanza.lines.length) this.emitStanza()
    const kind = context?.kind ?? 'paragraph'
    const lines = text.split('\n')
    const link = linkedAll > 0 && linkedAll >= text.replace(/\s/g, '').length * 0.6
    if (kind === 'heading')
      return splitHeading(text, context?.level ?? 2, marks, link).forEach((heading) => this.emit(heading))
    if (isSceneBreak(text)) return this.emit(block('scene_break', ''))
    const caption = readIllustration(text.replace(/\n/g, ' '))
    if (caption === '') return this.omissions.add('emptyIllustration')
    if (caption !== undefined) return this.emit(block('caption', caption))
    // Several short lines parted by <br> are verse or an address; a single one is layout.
    const mean = text.length / lines.length
    if (lines.length > 2 && mean < 65 && (kind === 'paragraph' || kind === 'quotation'))
      return this.emit(block('verse', text, marks, { lines }))
    this.emit(
      block(kind, text.replace(/\n/g, ' '), marks, {
        lines: lines.length > 1 ? lines : undefined,
        link: link || undefined,
      }),
    )
  }

  private emit(next: FlowBlock): void {
    if (this.anchors.length) {
      next.anchors = this.anchors
      this.anchors = []
    }
    if (this.start && next.kind !== 'scene_break') {
      next.start = this.start
      this.start = undefined
    }
    this.blocks.push(next)
  }
}
