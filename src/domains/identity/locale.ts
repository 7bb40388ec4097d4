import { Problem } from '../../kit/errors.ts'

/** A language tag in its canonical form (BCP 47). Throws `Problem` 400. */
export function canonicalLocale(tag: string): string {
  try {
    const [canonical] = Intl.getCanonicalLocales(tag)
    if (canonical) return canonical
  } catch {
    // What isn't one is told below.
  }
  throw new Problem(400, 'invalid_input', 'locale: must be a language tag such as en or pt-BR', { field: 'locale' })
}
