// Letters that Unicode doesn't decompose into a base letter and a mark.
const letters: Record<string, string> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  ħ: 'h',
  ı: 'i',
  ĸ: 'k',
  ŋ: 'n',
  ŧ: 't',
  ſ: 's',
  ə: 'e',
}

// Microsoft, "Naming Files, Paths, and Namespaces": device names are reserved whatever extension follows.
const reserved = /^(con|prn|aux|nul|conin|conout|com\d|lpt\d)$/

const longest = 80

/**
 * A name that every file system, shell and URL takes: lower case, Latin diacritics transliterated, letters of other scripts kept,
 * everything else a hyphen, at most 80 bytes of UTF-8, never a Windows device name and never empty.
 */
export function slug(text: string, fallback = 'untitled'): string {
  const plain = text
    .toWellFormed()
    .normalize('NFKD')
    .toLowerCase()
    .replace(/(?<=\p{Script=Latin}\p{Mn}*)\p{Mn}/gu, '')
    .replace(/[ßæœøđðþłħıĸŋŧſə]/g, (letter) => letters[letter] ?? letter)
    .normalize('NFC')
    .replace(/['’ʼ]/g, '')
    .replace(/[^\p{L}\p{N}\p{M}]+/gu, '-')
  const name = cutBytes(plain.replace(/^-+/, ''), longest).replace(/-+$/, '')
  if (!name) return fallback
  return reserved.test(name) ? `${name}-` : name
}

function cutBytes(text: string, limit: number): string {
  let bytes = 0
  let cut = ''
  for (const { segment } of new Intl.Segmenter('und', { granularity: 'grapheme' }).segment(text)) {
    bytes += Buffer.byteLength(segment)
    if (bytes > limit) break
    cut += segment
  }
  return cut
}

/** `007-the-ball`: numbers padded to the same width for all `count` files, so that any listing keeps their order. */
export const numberedName = (number: number, count: number, title: string): string =>
  `${String(number).padStart(Math.max(2, String(count).length), '0')}-${slug(title)}`
