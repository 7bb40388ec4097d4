import type { BookMetadata } from '../manuscript/manuscript.ts'
import { canonicalLanguage } from './book.ts'

interface Wording {
  written: string
  translated: string
  narrated: string
  closing: string
  end: string
}

const wordings: Record<string, Wording> = {
  en: {
    written: 'written by',
    translated: 'translated by',
    narrated: 'narrated by',
    closing: 'This has been',
    end: 'The End.',
  },
  es: {
    written: 'escrito por',
    translated: 'traducido por',
    narrated: 'narrado por',
    closing: 'Esto ha sido',
    end: 'Fin.',
  },
  fr: {
    written: 'écrit par',
    translated: 'traduit par',
    narrated: 'lu par',
    closing: 'Vous venez d’écouter',
    end: 'Fin.',
  },
  de: {
    written: 'geschrieben von',
    translated: 'übersetzt von',
    narrated: 'gelesen von',
    closing: 'Sie hörten',
    end: 'Ende.',
  },
  it: {
    written: 'scritto da',
    translated: 'tradotto da',
    narrated: 'letto da',
    closing: 'Avete ascoltato',
    end: 'Fine.',
  },
  pt: {
    written: 'escrito por',
    translated: 'traduzido por',
    narrated: 'narrado por',
    closing: 'Você ouviu',
    end: 'Fim.',
  },
}

/** What is read before the first section: title, authors and narrators (ACX audio submission requirements). In English where the language has no wording here. */
export const openingCredits = (metadata: BookMetadata, language: string): string => `${credit(metadata, language)}.`

/** What is read after the last section. */
export function closingCredits(metadata: BookMetadata, language: string): string {
  const { closing, end } = wordingOf(language)
  return `${closing} ${credit(metadata, language)}. ${end}`
}

function credit(metadata: BookMetadata, language: string): string {
  const wording = wordingOf(language)
  const title = [metadata.title ?? '', metadata.subtitle ?? '']
    .map((part) => part.replace(/[.\s]+$/, '').trim())
    .filter(Boolean)
  const by = (verb: string, names: string[]) => {
    const listed = names.map((name) => name.trim()).filter(Boolean)
    return listed.length ? [`${verb} ${list(listed, language)}`] : []
  }
  return [
    title.join(': ') || 'Untitled',
    ...by(wording.written, metadata.authors),
    ...by(wording.translated, metadata.translators),
    ...by(wording.narrated, metadata.narrators),
  ].join(', ')
}

const primary = (language: string): string => new Intl.Locale(canonicalLanguage(language)).language

const wordingOf = (language: string): Wording => wordings[primary(language)] ?? (wordings.en as Wording)

const list = (names: string[], language: string): string =>
  new Intl.ListFormat(wordings[primary(language)] ? canonicalLanguage(language) : 'en', { type: 'conjunction' }).format(
    names,
  )
