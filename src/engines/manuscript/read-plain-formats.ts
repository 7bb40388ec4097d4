import { Problem } from '../../kit/errors.ts'
import { composeSections } from './compose-sections.ts'
import { decodeText } from './decode-text.ts'
import { detectLanguage } from './detect-language.ts'
import type { PlainFormat } from './detect-format.ts'
import type { Flow } from './flow.ts'
import { guessTitle } from './guess-title.ts'
import type { BookMetadata, Manuscript, ReadOptions } from './manuscript.ts'
import { markBoilerplate, readHeaderFields } from './mark-boilerplate.ts'
import { readHtml } from './read-html.ts'
import { readMarkdown } from './read-markdown.ts'
import { readText } from './read-text.ts'

interface Parsed {
  flow: Flow
  metadata: Partial<BookMetadata>
}

const readers: Record<PlainFormat, (text: string) => Parsed> = {
  txt: (text) => ({ flow: readText(text), metadata: readHeaderFields(text) }),
  html: readHtml,
  markdown: readMarkdown,
}

export async function readPlainFormat(
  bytes: Uint8Array,
  format: PlainFormat,
  options: ReadOptions,
): Promise<Manuscript> {
  const { text, encoding } = decodeText(bytes)
  if (!/[\p{L}\p{N}]/u.test(text)) throw new Problem(422, 'no_text', 'This file holds no words.')
  const { flow, metadata } = readers[format](text)
  const { blocks } = markBoilerplate(flow.blocks)
  if (!blocks.some((current) => /[\p{L}\p{N}]/u.test(current.text)))
    throw new Problem(422, 'no_text', 'This file holds no text to read aloud.')
  flow.omissions.add('unreadableCharacter', text.match(/\uFFFD/g)?.length ?? 0)
  const language = options.language ?? (metadata.language || (await detectLanguage(blocks)))
  const guessed = guessTitle(blocks)
  const title = metadata.title ?? guessed.title
  const warnings = encoding === 'utf-8' ? [] : [`Read as ${encoding}.`]
  return {
    format,
    metadata: {
      ...metadata,
      title,
      authors: metadata.authors?.length ? metadata.authors : guessed.authors,
      translators: metadata.translators ?? [],
      narrators: metadata.narrators ?? [],
      language,
    },
    sections: composeSections(blocks, { bookTitle: title, language, chapterPattern: options.chapterPattern }),
    lexicons: [],
    warnings: [...warnings, ...flow.omissions.warnings()],
  }
}
