/** Countries whose Spanish a Latin American voice (es-419) speaks; UN M49 area 419. */
const LATIN_AMERICA = new Set('AR BO BR BZ CL CO CR CU DO EC GT HN MX NI PA PE PR PY SV UY VE US 419'.split(' '))

export const SAME_REGION = 0
export const NEAR_REGION = 1
export const OTHER_REGION = 2

/**
 * How well a voice's language serves a text's: the same region, one near to it (es-419 for es-PE; a dialect of the region), another region of the
 * language, or null when it is another language or script. A tag without a region means the likely one (CLDR: en → US, pt → BR).
 */
export function matchLanguage(voice: string[], wanted: string): number | null {
  if (voice.length === 1 && voice[0] === '*') return SAME_REGION
  const text = maximized(wanted)
  if (!text) return null
  // A voice of some languages that will do for all.
  let best: number | null = voice.includes('*') ? OTHER_REGION : null
  for (const [place, tag] of voice.entries()) {
    const locale = maximized(tag)
    if (!locale || locale.language !== text.language || locale.script !== text.script) continue
    let match = OTHER_REGION
    if (locale.region === text.region)
      match = locale.baseName.length > plainLength(locale) || tag.includes('-x-') ? NEAR_REGION : SAME_REGION
    else if (locale.region === '419' && text.region && LATIN_AMERICA.has(text.region)) match = NEAR_REGION
    // A general tag behind a regional one ('en-GB en') says that it will do, not that it is the region's own.
    if (place > 0) match = Math.max(match, voice.some((other) => other.length > tag.length) ? OTHER_REGION : match)
    if (best === null || match < best) best = match
  }
  return best
}

const locales = new Map<string, Intl.Locale | null>()

function maximized(tag: string): Intl.Locale | null {
  let known = locales.get(tag)
  if (known === undefined) {
    try {
      known = new Intl.Locale(tag).maximize()
    } catch {
      known = null
    }
    locales.set(tag, known)
  }
  return known
}

const plainLength = (locale: Intl.Locale): number =>
  [locale.language, locale.script, locale.region].filter(Boolean).join('-').length
