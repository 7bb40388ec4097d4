import type { CastCharacter } from './cast.ts'
import { givenNameGender } from './given-names.ts'
import { honorific } from './honorifics.ts'
import type { Book, Paragraph, Token } from './read-paragraphs.ts'
import { SPEECH_VERBS } from './speech-verbs.ts'

interface Said {
  speaker: string | null
  rule: string
  confidence: number
}

/** First sieve: the name beside a verb of speech, else the turns of a dialogue. */
export function attributeSpeech(book: Book): {
  characters: CastCharacter[]
  speakerAt: (chapter: number, start: number) => Said | undefined
} {
  const said = new Map<string, Said>()
  const names = new Map<string, { lines: number; words: number; chapter: number; start: number }>()
  const turns: (string | null)[] = []
  for (const paragraph of book.paragraphs) {
    if (paragraph.quotations.length === 0) continue
    const tagged = taggedName(paragraph)
    const speaker = tagged ?? turns.at(-2) ?? null
    turns.push(speaker)
    for (const quotation of paragraph.quotations) {
      said.set(`${paragraph.chapter}:${quotation.start}`, {
        speaker: speaker ? slug(speaker) : null,
        rule: tagged ? 'speech_tag' : 'alternation',
        confidence: tagged ? 0.9 : speaker ? 0.6 : 0,
      })
      if (!speaker) continue
      const entry = names.get(speaker) ?? { lines: 0, words: 0, chapter: paragraph.chapter, start: quotation.start }
      entry.lines++
      entry.words += paragraph.tokens.filter(
        (token) => token.word && token.start >= quotation.start && token.end <= quotation.end,
      ).length
      names.set(speaker, entry)
    }
  }
  const characters = [...names]
    .sort((a, b) => b[1].words - a[1].words)
    .map(([name, entry]): CastCharacter => {
      const first = name.split(' ')[0] ?? name
      return {
        id: slug(name),
        name,
        aliases: [name],
        gender: honorific(first)?.gender ?? givenNameGender(first.toLowerCase()),
        ageRange: null,
        role: entry.lines > 20 ? 'supporting' : 'minor',
        description: `Speaks ${entry.lines} lines.`,
        confidence: 0.5,
        lines: entry.lines,
        words: entry.words,
        firstAppearance: { chapter: entry.chapter, start: entry.start },
      }
    })
  const narrator: CastCharacter = {
    id: 'narrator',
    name: 'Narrator',
    aliases: [],
    gender: null,
    ageRange: null,
    role: 'narrator',
    description: 'Reads what nobody says.',
    confidence: 1,
    lines: 0,
    words: 0,
    firstAppearance: null,
  }
  const speakerAt = (chapter: number, start: number): Said | undefined => {
    const paragraph = book.paragraphs.find((p) => p.chapter === chapter && p.start <= start && start < p.end)
    const quotation = paragraph?.quotations.find((q) => q.start <= start && start < q.end)
    return quotation && said.get(`${chapter}:${quotation.start}`)
  }
  return { characters: [narrator, ...characters], speakerAt }
}

function taggedName(paragraph: Paragraph): string | null {
  const narration = paragraph.tokens.filter((token) => token.quotation < 0)
  for (const [at, token] of narration.entries()) {
    if (!SPEECH_VERBS.has(token.lower)) continue
    const after = nameFrom(narration, at + 1)
    if (after) return after
    for (let back = at - 1; back >= Math.max(0, at - 4); back--) {
      if (narration[back]?.capital && !(narration[back - 1]?.capital ?? false)) {
        const before = nameFrom(narration, back)
        if (before) return before
      }
    }
  }
  return null
}

function nameFrom(tokens: Token[], at: number): string | null {
  const parts: string[] = []
  for (let i = at; i < tokens.length && i < at + 5; i++) {
    const token = tokens[i] as Token
    if (token.text === '.' && honorific(parts.at(-1) ?? '')) continue
    if (!token.capital || /^(?:I|He|She|They|We|You|It|The|And|But|Then)$/u.test(token.text)) break
    parts.push(token.text.replace(/['’]s$/u, ''))
  }
  return parts.length > 0 ? parts.join(' ') : null
}

const slug = (name: string): string =>
  name
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/gu, '')
