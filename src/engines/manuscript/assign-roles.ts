import { classifyHeading } from './classify-heading.ts'
import type { ComposeOptions, Draft } from './compose-sections.ts'
import { matterWords } from './section-words.ts'
import { nameFromHeadings } from './name-section.ts'

/** Sections of these kinds are never the book itself, wherever they stand. */
const neverBody = new Set([
  'cover',
  'toc',
  'loi',
  'copyright-page',
  'imprint',
  'titlepage',
  'halftitlepage',
  'index',
  'endnotes',
  'colophon',
])

const kindTitle = (kind: string): string => {
  const phrase = matterWords.find((matter) => matter.kind === kind)?.phrases[0] ?? kind.replace(/-/g, ' ')
  return phrase.charAt(0).toUpperCase() + phrase.slice(1)
}

/** Short matter before the first chapter is a title page, a dedication, a note of who made the file. */
const shortMatter = 200

/**
 * What the file says of a section counts first, then its title, then its place: preliminaries stand before the
 * first chapter, back matter after the last, and the same words between chapters head a chapter.
 */
export function assignRoles(drafts: Draft[], { bookTitle, language }: ComposeOptions): Draft[] {
  const classes = drafts.map((draft) => classifyHeading(draft.headings[0] ?? draft.start?.title ?? ''))
  const matterOf = (index: number) => {
    const own = classes[index]
    if (own?.is === 'matter') return own.matter
    const listed = classifyHeading(drafts[index]?.start?.title ?? '')
    return listed.is === 'matter' ? listed.matter : undefined
  }
  const certain = drafts.map((draft, index) => {
    const said = draft.start?.role ?? draft.role
    if (said) return said === 'body'
    const is = classes[index]?.is
    return (
      is === 'chapter' ||
      is === 'numeral' ||
      is === 'part' ||
      draft.kind === 'part' ||
      draft.kind === 'chapter' ||
      matterOf(index)?.role === 'body'
    )
  })
  const anyNumbered = drafts.some(
    (_, index) => certain[index] && (classes[index]?.is !== 'matter' || drafts[index]?.start?.role === 'body'),
  )
  const isBook = (index: number): boolean => {
    const draft = drafts[index]
    if (!draft || draft.role || draft.start?.role === 'front' || draft.start?.role === 'back') return false
    if (certain[index]) return true
    return (
      !anyNumbered &&
      !matterOf(index) &&
      draft.words >= 30 &&
      (draft.headings.length > 0 || draft.start !== undefined || draft.words > shortMatter)
    )
  }
  const places = drafts.keys().filter(isBook).toArray()
  const firstBody =
    places[0] ?? drafts.findIndex((draft, index) => !draft.role && !draft.start?.role && !matterOf(index))
  const lastBody =
    places.at(-1) ?? drafts.findLastIndex((draft, index) => !draft.role && !draft.start?.role && !matterOf(index))

  const patterned = drafts.some(({ start }) => start?.source === 'pattern')
  const result = drafts.map((draft, index): Draft => {
    const matter = matterOf(index)
    const said = draft.role ?? draft.start?.role
    const kind = draft.start?.kind ?? matter?.kind ?? draft.kind
    if (draft.role && !draft.start)
      return {
        ...draft,
        role: draft.role,
        kind: draft.role === 'front' ? 'imprint' : 'copyright-page',
        title: draft.title || 'Licence',
      }
    if (said)
      return {
        ...draft,
        role: said,
        kind: kind ?? (said === 'body' ? 'chapter' : said === 'front' ? 'preface' : 'appendix'),
      }
    if (kind && neverBody.has(kind))
      return {
        ...draft,
        role: index <= lastBody ? (index > firstBody && matter?.role === 'back' ? 'back' : 'front') : 'back',
        kind,
      }
    if (matter && matter.role !== 'body')
      return { ...draft, role: index < firstBody ? 'front' : index > lastBody ? 'back' : 'body', kind: matter.kind }
    if (isBook(index) || matter?.role === 'body') return { ...draft, role: 'body', kind: kind ?? 'chapter' }
    if (index < firstBody && (draft.words < shortMatter || patterned))
      return { ...draft, role: 'front', kind: kind ?? 'titlepage' }
    if (index > lastBody && lastBody >= 0 && draft.words < 60)
      return { ...draft, role: 'back', kind: kind ?? 'other-credits' }
    return { ...draft, role: 'body', kind: kind ?? 'chapter' }
  })
  return nameUntitled(keepBody(result), bookTitle, language)
}

/** A book is never all matter: what a list of contents or the like swallowed is the text itself. */
function keepBody(drafts: Draft[]): Draft[] {
  const total = drafts.reduce((sum, { words, role, start }) => sum + (role !== 'body' && !start ? 0 : words), 0)
  const asBody = (draft: Draft): Draft => ({ ...draft, role: 'body', kind: 'chapter' })
  const kept = drafts.map((draft) =>
    draft.kind === 'toc' && draft.start?.source !== 'navigation' && draft.words > 1_500 && draft.words > total / 2
      ? asBody(draft)
      : draft,
  )
  if (kept.some(({ role }) => role === 'body')) return kept
  const own = kept.filter(({ kind, start }) => start || (kind !== 'imprint' && kind !== 'copyright-page'))
  const largest = (own.length ? own : kept).toSorted((a, b) => b.words - a.words)[0]
  return kept.map((draft) => (draft === largest ? asBody(draft) : draft))
}

function nameUntitled(drafts: Draft[], bookTitle: string | undefined, language: string): Draft[] {
  const body = drafts.filter(({ role }) => role === 'body')
  let chapter = 0
  return drafts.map((draft) => {
    if (draft.role === 'body' && (draft.kind === 'chapter' || !draft.kind)) chapter += 1
    if (draft.title) return draft
    if (draft.role !== 'body') return { ...draft, title: kindTitle(draft.kind ?? 'titlepage') }
    if (body.length === 1 && bookTitle) return { ...draft, title: bookTitle }
    if (draft.kind && draft.kind !== 'chapter') return { ...draft, title: kindTitle(draft.kind) }
    return { ...draft, title: nameFromHeadings([String(chapter)], language) }
  })
}
