import chardet from 'chardet'
import iconv from 'iconv-lite'
import { Problem } from '../../kit/errors.ts'

const sampleLength = 65_536

export interface DecodedText {
  text: string
  encoding: string
}

/**
 * Decodes text of an unknown encoding: byte order marks, then valid UTF-8, then UTF-16 by its zero bytes, then the most
 * plausible of the legacy encodings.
 * @throws Problem `not_text` when the bytes are no text in any of them.
 */
export function decodeText(bytes: Uint8Array): DecodedText {
  const marked = byteOrderMark(bytes)
  if (marked) return check({ text: decode(bytes.subarray(marked.length), marked.encoding), encoding: marked.encoding })
  const wide = guessWide(bytes)
  if (wide) return check({ text: decode(bytes, wide), encoding: wide })
  const utf8 = tryUtf8(bytes)
  if (utf8 !== undefined) return check({ text: utf8, encoding: 'utf-8' })
  return check(decodeLegacy(bytes))
}

function byteOrderMark(bytes: Uint8Array): { encoding: string; length: number } | undefined {
  const [a, b, c, d] = bytes
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: 'utf-8', length: 3 }
  if (a === 0xff && b === 0xfe && c === 0 && d === 0) return { encoding: 'utf-32le', length: 4 }
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return { encoding: 'utf-32be', length: 4 }
  if (a === 0xff && b === 0xfe) return { encoding: 'utf-16le', length: 2 }
  if (a === 0xfe && b === 0xff) return { encoding: 'utf-16be', length: 2 }
  return undefined
}

const decode = (bytes: Uint8Array, encoding: string): string =>
  iconv.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), encoding)

/** Text in a Western or Cyrillic script has a zero in one half of nearly every UTF-16 unit, or the same high byte. */
function guessWide(bytes: Uint8Array): string | undefined {
  const sample = bytes.subarray(0, Math.min(bytes.length, 4096) & ~1)
  if (sample.length < 4) return undefined
  let even = 0
  let odd = 0
  for (let index = 0; index < sample.length; index += 2) {
    if (sample[index] === 0) even += 1
    if (sample[index + 1] === 0) odd += 1
  }
  const units = sample.length / 2
  if (odd > units * 0.15 && even < units * 0.02) return 'utf-16le'
  if (even > units * 0.15 && odd < units * 0.02) return 'utf-16be'
  return undefined
}

function tryUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** One bad byte in a long UTF-8 file, or a file cut in the middle of a character, does not make it Latin-1. */
function mostlyUtf8(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder('utf-8').decode(bytes)
  const bad = text.match(/\uFFFD/g)?.length ?? 0
  const good = text.match(/[\u0080-\uFFFC]/g)?.length ?? 0
  return good > 0 && bad * 20 <= good ? text : undefined
}

function decodeLegacy(bytes: Uint8Array): DecodedText {
  const repaired = mostlyUtf8(bytes)
  if (repaired !== undefined) return { text: repaired, encoding: 'utf-8' }
  const sample = sampleOf(bytes)
  const guessed = chardet
    .analyse(sample)
    .filter(({ confidence }) => confidence >= 10)
    .map(({ name }) => (name === 'ISO-8859-1' ? 'windows-1252' : name.toLowerCase()))
  const candidates = [...new Set(['windows-1252', ...guessed.slice(0, 6), 'macintosh', 'cp850'])].filter(
    (name) => iconv.encodingExists(name) && !name.startsWith('utf-'),
  )
  const scored = candidates.map((encoding, index) => ({
    encoding,
    score: plausibility(decode(sample, encoding)) - index * 0.001,
  }))
  const best = scored.toSorted((a, b) => b.score - a.score)[0]?.encoding ?? 'windows-1252'
  return { text: decode(bytes, best), encoding: best }
}

/** Stretches that hold characters outside ASCII tell more than a plain beginning. */
function sampleOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= sampleLength) return bytes
  const first = bytes.findIndex((byte) => byte >= 0x80)
  const from = Math.max(0, Math.min(first - 256, bytes.length - sampleLength))
  return bytes.subarray(from, from + sampleLength)
}

/** Mean plausibility of the characters outside ASCII, −1…1, by what stands beside them. */
function plausibility(text: string): number {
  let score = 0
  let seen = 0
  const letter = /\p{L}/u
  for (let index = 0; index < text.length && seen < 5_000; index += 1) {
    const char = text[index] ?? ''
    if (char <= '\u007f') {
      if (char < ' ' && !/[\t\n\r\f]/.test(char)) score -= 1
      continue
    }
    seen += 1
    const before = text[index - 1] ?? ' '
    const after = text[index + 1] ?? ' '
    if (/[\u0080-\u009f\ufffd\ue000-\uf8ff]/.test(char)) score -= 3
    else if (/[\uFF61-\uFF9F]/.test(char)) score -= 0.5
    else if (/[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}。、，「」『』！？：；（）《》]/u.test(char))
      score += 1
    // Bytes of another script read as Chinese give rare characters, but characters all the same.
    else if (/\p{Script=Han}/u.test(char)) score += 0.8
    else if (/\p{Ll}/u.test(char))
      score +=
        letter.test(before) || letter.test(after)
          ? /\p{Lu}/u.test(after)
            ? -1
            : 1
          : char === 'à' || char === 'é' || char === 'è' || char === 'ó' || /\p{Script=Cyrillic}/u.test(char)
            ? 0.9
            : -0.5
    else if (/\p{Lu}/u.test(char)) score += /\p{Ll}/u.test(before) ? -1 : /\p{L}/u.test(after) ? 1 : -0.5
    else if (/[’]/.test(char)) score += letter.test(before) ? 1 : 0.3
    else if (/[“‘«„¡¿]/.test(char)) score += /[\s("'—–-]/.test(before) && !/\s/.test(after) ? 1 : -0.5
    else if (/[”»]/.test(char)) score += /[\p{L}\p{N}\p{P}]/u.test(before) ? 1 : -0.5
    else if (/[—–…·°º\u00a0]/.test(char)) score += 0.8
    else score += /\p{L}/u.test(before) && /\p{L}/u.test(after) ? -1 : 0
  }
  return seen ? score / seen : 0
}

function check(decoded: DecodedText): DecodedText {
  const { text } = decoded
  const sample = text.length > 400_000 ? text.slice(0, 200_000) + text.slice(-200_000) : text
  const controls = sample.match(/(?![\t-\r\u0085])\p{Cc}/gu)?.length ?? 0
  const broken = sample.match(/[\ufffd\ufffe\uffff]/g)?.length ?? 0
  if (controls > Math.max(4, sample.length * 0.005) || broken > Math.max(4, sample.length * 0.02))
    throw new Problem(
      422,
      'not_text',
      'This file is not text: too many of its bytes are no characters in any known encoding.',
    )
  return { ...decoded, text: text.replaceAll('\0', '') }
}
