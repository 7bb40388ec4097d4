import { block, type FlowBlock, type Omissions } from './flow.ts'
import type { Mark } from './manuscript.ts'
import { child, on, readNumbering, value, type WordStyles } from './docx-styles.ts'
import { cellsOf, chooseAlternative, findBoxes, readSymbol, rowsOf, transparent } from './docx-elements.ts'
import { elements, textOf, type Markup } from './markup-tree.ts'
import { isSceneBreak } from './scene-break.ts'
import { TextWriter } from './write-text.ts'

export interface WordContext {
  styles: WordStyles
  omissions: Omissions
  label: (numbering: { id: string; depth: number }) => string
  /** Primary language subtag of most of the text. */
  language: string
}

interface Run {
  emphasis: boolean
  strong: boolean
  linked: boolean
}

/** Reads paragraphs in order: insertions kept, deletions dropped, text boxes after the paragraph that holds them. */
export class WordReader {
  readonly blocks: FlowBlock[] = []
  empties = 0
  private readonly context: WordContext
  private writer = new TextWriter()
  private boxes: Markup[] = []
  /** A paragraph whose mark was deleted runs on into the next one. */
  private joined = false
  private blankBefore = 0
  private anchors: string[] = []

  constructor(context: WordContext) {
    this.context = context
  }

  readBody(node: Markup): void {
    for (const each of elements(node)) {
      if (each.name === 'w:p') this.readParagraph(each)
      else if (each.name === 'w:tbl') this.readTable(each)
      else if (each.name === 'w:del' || each.name === 'w:moveFrom') this.context.omissions.add('deletion')
      else if (each.name === 'mc:AlternateContent') this.readBody(chooseAlternative(each))
      else if (transparent.has(each.name)) this.readBody(each)
    }
  }

  private readTable(table: Markup): void {
    for (const row of rowsOf(table)) {
      if (child(child(row, 'w:trPr'), 'w:del')) {
        this.context.omissions.add('deletion')
        continue
      }
      const inner = new WordReader(this.context)
      const cells = cellsOf(row).map((cell) => {
        const from = inner.blocks.length
        inner.readBody(cell)
        return inner.blocks.slice(from)
      })
      // A row of single lines is read as one; a table that only sets text side by side keeps its paragraphs.
      const single =
        cells.length > 1 &&
        cells.every(
          (cell) => cell.length <= 1 && cell.every(({ kind }) => kind === 'paragraph' || kind === 'list_item'),
        )
      if (single) {
        const marks: Mark[] = []
        let text = ''
        for (const [cell] of cells) {
          if (!cell) continue
          if (text) text += ' '
          marks.push(
            ...cell.marks.map((mark) => ({ ...mark, start: mark.start + text.length, end: mark.end + text.length })),
          )
          text += cell.text
        }
        if (text) this.blocks.push(block('paragraph', text, marks, { lines: [text] }))
      } else this.blocks.push(...inner.blocks)
    }
  }

  private readParagraph(paragraph: Markup): void {
    const properties = child(paragraph, 'w:pPr')
    const style = this.context.styles.paragraph(value(child(properties, 'w:pStyle')))
    if (style.role === 'note') return
    const outline = value(child(properties, 'w:outlineLvl'))
    const level = outline === undefined ? style.level : Number(outline) < 9 ? Number(outline) + 1 : undefined
    this.readRuns(
      paragraph,
      { emphasis: false, strong: false, linked: false },
      { emphasis: style.emphasis || level !== undefined, strong: style.strong || level !== undefined },
    )
    const mark = child(properties, 'w:rPr')
    const boxes = this.boxes
    this.boxes = []
    if (child(mark, 'w:del') || child(mark, 'w:moveFrom')) this.joined = true
    else {
      this.joined = false
      const { text, marks } = this.writer.finish()
      const numbering = readNumbering(child(properties, 'w:numPr'), level) ?? style.numbering
      if (text)
        this.emit(text, marks, {
          level,
          role: style.role,
          numbering,
          centred: value(child(properties, 'w:jc')) === 'center',
        })
      else {
        this.empties += 1
        this.blankBefore += 1
        if (level !== undefined && numbering) this.emit('', [], { level, role: style.role, numbering, centred: false })
      }
    }
    for (const box of boxes) this.readBody(box)
  }

  private emit(
    text: string,
    marks: Mark[],
    {
      level,
      role,
      numbering,
      centred,
    }: { level?: number; role: string; numbering?: { id: string; depth: number }; centred: boolean },
  ): void {
    const lines = text.split('\n')
    const flat = text.replace(/\n/g, ' ')
    const anchors = this.anchors.length ? this.anchors : undefined
    this.anchors = []
    const more: Partial<FlowBlock> = { gap: this.blankBefore, lines, centred, anchors }
    this.blankBefore = 0
    const previous = this.blocks.at(-1)
    if (role === 'toc') this.blocks.push(block('list_item', flat, marks, { ...more, link: true }))
    else if (level !== undefined) {
      const label = numbering ? this.context.label(numbering) : ''
      const known = label && flat.toLowerCase().startsWith(label.toLowerCase())
      if (label && !known) this.blocks.push(block('heading', label, [], { ...more, level: Math.min(level, 6) }))
      if (flat)
        this.blocks.push(
          block('heading', flat, marks, { ...more, level: Math.min(level + (label && !known ? 1 : 0), 6) }),
        )
    } else if (role === 'title') this.blocks.push(block('heading', flat, marks, { ...more, level: 1, style: 'title' }))
    else if (role === 'subtitle' || role === 'author')
      this.blocks.push(block('paragraph', flat, marks, { ...more, style: role }))
    else if (isSceneBreak(flat)) this.blocks.push(block('scene_break', '', [], more))
    else if (role === 'verse' && previous?.kind === 'verse' && more.gap === 0) {
      const offset = previous.text.length + 1
      previous.text += `\n${text}`
      previous.marks.push(...marks.map((mark) => ({ ...mark, start: mark.start + offset, end: mark.end + offset })))
    } else if (role === 'verse' || (lines.length > 2 && text.length / lines.length < 65))
      this.blocks.push(block('verse', text, marks, more))
    else {
      const kind =
        role === 'quotation'
          ? 'quotation'
          : role === 'caption'
            ? 'caption'
            : numbering || role === 'list'
              ? 'list_item'
              : 'paragraph'
      this.blocks.push(block(kind, flat, marks, more))
    }
  }

  private readRuns(node: Markup, run: Run, plain: { emphasis: boolean; strong: boolean }): void {
    for (const each of elements(node)) {
      if (each.name === 'w:r') this.readRun(each, run, plain)
      else if (each.name === 'w:hyperlink') this.readRuns(each, { ...run, linked: true }, plain)
      else if (each.name === 'w:del' || each.name === 'w:moveFrom') this.context.omissions.add('deletion')
      else if (each.name === 'w:bookmarkStart') this.anchors.push(each.attributes['w:name'] ?? '')
      else if (each.name === 'mc:AlternateContent') this.readRuns(chooseAlternative(each), run, plain)
      else if (each.name === 'm:r')
        this.writer.write(
          elements(each)
            .filter(({ name }) => name === 'm:t')
            .map(textOf)
            .join(''),
        )
      else if (transparent.has(each.name) || each.name.startsWith('m:')) this.readRuns(each, run, plain)
    }
  }

  private readRun(node: Markup, run: Run, plain: { emphasis: boolean; strong: boolean }): void {
    const properties = child(node, 'w:rPr')
    if (on(child(properties, 'w:vanish')) || on(child(properties, 'w:specVanish'))) {
      if (elements(node).some((each) => each.name === 'w:t')) this.context.omissions.add('hiddenText')
      return
    }
    const character = this.context.styles.character(value(child(properties, 'w:rStyle')))
    const set = (name: string, otherwise: boolean): boolean =>
      child(properties, name) ? on(child(properties, name)) : otherwise
    const marks: [Mark['kind'], { language?: string }][] = []
    // Manuscripts typed for a printer underline what is to be set in italics.
    if (!plain.emphasis && (set('w:i', character.emphasis) || (!run.linked && set('w:u', false))))
      marks.push(['emphasis', {}])
    if (!plain.strong && set('w:b', character.strong)) marks.push(['strong', {}])
    const language = value(child(properties, 'w:lang'))
    if (language && this.context.language && language.split('-')[0] !== this.context.language && language !== 'x-none')
      marks.push(['foreign', { language }])
    for (const [kind, more] of marks) this.writer.begin(kind, more)
    this.readRunContent(node)
    for (const _ of marks) this.writer.end()
  }

  private readRunContent(node: Markup): void {
    for (const each of elements(node)) {
      switch (each.name) {
        case 'w:t':
          this.writer.write(textOf(each))
          break
        case 'w:tab':
        case 'w:ptab':
          this.writer.write(' ')
          break
        case 'w:br':
        case 'w:cr':
          if (each.attributes['w:type'] === undefined || each.attributes['w:type'] === 'textWrapping')
            this.writer.breakLine()
          else this.writer.write(' ')
          break
        case 'w:noBreakHyphen':
          this.writer.write('-')
          break
        case 'w:sym':
          this.writer.write(readSymbol(each))
          break
        case 'w:footnoteReference':
        case 'w:endnoteReference':
          this.context.omissions.add('noteReference')
          break
        case 'w:commentReference':
          this.context.omissions.add('comment')
          break
        case 'mc:AlternateContent':
          this.readRunContent(chooseAlternative(each))
          break
        case 'w:ruby':
          this.readRuns(
            child(each, 'w:rubyBase') ?? each,
            { emphasis: false, strong: false, linked: false },
            { emphasis: true, strong: true },
          )
          break
        case 'w:drawing':
        case 'w:pict':
        case 'w:object':
          this.boxes.push(...findBoxes(each))
          break
      }
    }
  }
}
