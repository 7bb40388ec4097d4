import type { SpokenRun } from './spoken-runs.ts'

/** What eSpeak NG is given, and where each of its code points lies in the spoken text (UTF-16 offsets). */
export interface EspeakSource {
  source: string
  offsets: number[]
}

/** Writes a phoneme string in a voice's own phoneme names, or nothing when it can't be. */
export type Phonemes = (phoneme: { alphabet: string; ph: string }, language: string) => string | undefined

/**
 * Runs as eSpeak NG takes them: text with its SSML elements escaped around it, and phonemes in [[ ]]. The engine doesn't know
 * <phoneme>; an alias is written out, so that the word events inside it can be mapped to the words it stands for.
 */
export function toEspeakSource(runs: SpokenRun[], language: string, phonemes: Phonemes): EspeakSource {
  let source = ''
  const offsets: number[] = []
  const put = (text: string, offset: number): void => {
    source += text
    for (const _ of text) offsets.push(offset)
  }
  const say = (text: string, place: (index: number) => number): void => {
    let index = 0
    let before = ''
    for (const character of text) {
      // Two brackets would start phonemes.
      if (character === '[' && before === '[') put(' ', place(index))
      put(ESCAPES[character] ?? character, place(index))
      before = character
      index += character.length
    }
  }

  let skip = 0
  for (const [i, run] of runs.entries()) {
    const end = run.start + run.text.length
    const written = run.phoneme && phonemes(run.phoneme, run.language ?? language)
    const tags = elementsAround(run, language)
    put(tags.open, run.start)
    if (written !== undefined) {
      // After phonemes an apostrophe and s would be spelt out.
      const genitive =
        runs[i + 1] && isEnglish(run.language ?? language) ? GENITIVE.exec(plainText(runs[i + 1]!)) : null
      put(`[[${written}${genitive ? genitiveOf(written) : ''}]]`, run.start)
      skip = genitive?.[0].length ?? 0
    } else {
      if (run.alias !== undefined) say(run.alias, () => run.start)
      else say(run.text.slice(skip), (index) => run.start + skip + index)
      skip = 0
    }
    put(tags.close, end)
    if (run.pause) put(`<break time="${Math.round(run.pause * 1000)}ms"/>`, end)
  }
  return { source, offsets }
}

const GENITIVE = /^['’]s(?![\p{L}\p{N}])/u
const isEnglish = (language: string): boolean => /^en\b/i.test(language)
const plainText = (run: SpokenRun): string => (run.alias === undefined && !run.phoneme ? run.text : '')

function genitiveOf(phonemes: string): string {
  if (/[szSZ]$/.test(phonemes)) return '|I2z'
  return /[ptkfT]$/.test(phonemes) ? 's' : 'z'
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

function elementsAround(run: SpokenRun, language: string): { open: string; close: string } {
  let open = ''
  let close = ''
  if (run.language && run.language.toLowerCase() !== language.toLowerCase()) {
    open += `<voice xml:lang="${run.language.replace(/[^A-Za-z0-9-]/g, '')}">`
    close = `</voice>${close}`
  }
  if (run.emphasis && run.emphasis !== 'none') {
    open += `<emphasis level="${run.emphasis}">`
    close = `</emphasis>${close}`
  }
  return { open, close }
}
