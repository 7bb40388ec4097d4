import type { Mark } from './manuscript.ts'

type Open = Omit<Mark, 'start' | 'end'> & { start: number }

/**
 * Collects running text with its marks: white space becomes single spaces, a forced line break becomes '\n'.
 * Offsets of marks are UTF-16 offsets in the text as `finish` gives it.
 */
export class TextWriter {
  private parts: string[] = []
  private length = 0
  private pending: '' | ' ' | '\n' = ''
  private open: Open[] = []
  private marks: Mark[] = []

  get empty(): boolean {
    return this.length === 0
  }

  write(text: string): void {
    // Zero-width characters and soft hyphens are for layout; a reader must not hear a word cut by them.
    const clean = text.replace(/[\u00AD\u200B\u2060\uFEFF]/g, '')
    for (const piece of clean.split(/([\s\u0085]+)/)) {
      if (!piece) continue
      if (/^[\s\u0085]/.test(piece)) this.pending ||= this.length ? ' ' : ''
      else this.push(piece)
    }
  }

  breakLine(): void {
    if (this.length) this.pending = '\n'
  }

  begin(kind: Mark['kind'], more: Partial<Pick<Mark, 'language' | 'phoneme'>> = {}): void {
    this.open.push({ kind, ...more, start: -1 })
  }

  end(): void {
    const mark = this.open.pop()
    if (mark && mark.start >= 0 && this.length > mark.start) this.marks.push({ ...mark, end: this.length })
  }

  finish(): { text: string; marks: Mark[] } {
    const carried = this.open.map((mark) => ({ ...mark, start: -1 }))
    while (this.open.length) this.end()
    const result = {
      text: this.parts.join(''),
      // Of marks over the same words the outer one, closed last, comes first.
      marks: this.marks.toReversed().toSorted((a, b) => a.start - b.start || b.end - a.end),
    }
    this.parts = []
    this.length = 0
    this.pending = ''
    this.marks = []
    this.open = carried
    return result
  }

  private push(piece: string): void {
    if (this.pending) {
      this.parts.push(this.pending)
      this.length += 1
      this.pending = ''
    }
    for (const mark of this.open) if (mark.start < 0) mark.start = this.length
    this.parts.push(piece)
    this.length += piece.length
  }
}
